    op.create_table(
        "accounts_users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
{% if use.admin %}
        sa.Column("is_staff", sa.Boolean(), nullable=False),
{% endif %}
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_accounts_users_email_is_lower_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_users")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_users_email")),
    )
    op.create_table(
        "accounts_organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_organizations")),
    )
    op.create_table(
        "accounts_memberships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('viewer', 'member', 'owner')", name=op.f("ck_accounts_memberships_role_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["accounts_organizations.id"],
            name=op.f("fk_accounts_memberships_organization_id_accounts_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["accounts_users.id"],
            name=op.f("fk_accounts_memberships_user_id_accounts_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_memberships")),
        sa.UniqueConstraint(
            "user_id", "organization_id", name=op.f("uq_accounts_memberships_user_id_organization_id")
        ),
    )
    op.create_index(
        op.f("ix_accounts_memberships_organization_id"),
        "accounts_memberships",
        ["organization_id"],
    )
