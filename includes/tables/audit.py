    op.create_table(
        "accounts_sign_in_attempts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_accounts_sign_in_attempts")),
    )
    op.create_index(
        op.f("ix_accounts_sign_in_attempts_expires_at"),
        "accounts_sign_in_attempts",
        ["expires_at"],
    )
    op.create_table(
        "accounts_audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("target", sa.String(length=100), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["accounts_users.id"],
            name=op.f("fk_accounts_audit_actor_id_accounts_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["accounts_organizations.id"],
            name=op.f("fk_accounts_audit_organization_id_accounts_organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_audit")),
    )
    op.create_index(op.f("ix_accounts_audit_created_at"), "accounts_audit", ["created_at"])
    op.create_index(op.f("ix_accounts_audit_organization_id"), "accounts_audit", ["organization_id"])
