    op.create_table(
        "{{ module }}",
        sa.Column("id", sa.Uuid(), nullable=False),
{% if has_accounts %}
        sa.Column("organization_id", sa.Uuid(), nullable=False),
{% endif %}
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
{% if has_accounts %}
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["accounts_organizations.id"],
            name=op.f("fk_{{ module }}_organization_id_accounts_organizations"),
        ),
{% endif %}
        sa.PrimaryKeyConstraint("id", name=op.f("pk_{{ module }}")),
    )
    op.create_index(
        op.f("ix_{{ module }}_{{ 'organization_id_' if has_accounts else '' }}created_at_id"),
        "{{ module }}",
        [{{ '"organization_id", ' if has_accounts else '' }}"created_at", "id"],
    )
