    op.create_table(
        "accounts_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["accounts_memberships.id"],
            name=op.f("fk_accounts_sessions_membership_id_accounts_memberships"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_accounts_sessions_token_hash")),
    )
    op.create_index(op.f("ix_accounts_sessions_membership_id"), "accounts_sessions", ["membership_id"])
