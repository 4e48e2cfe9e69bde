    op.create_table(
        "accounts_refresh_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=100), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["accounts_memberships.id"],
            name=op.f("fk_accounts_refresh_tokens_membership_id_accounts_memberships"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_accounts_refresh_tokens_token_hash")),
    )
    op.create_index(op.f("ix_accounts_refresh_tokens_family_id"), "accounts_refresh_tokens", ["family_id"])
    op.create_index(
        op.f("ix_accounts_refresh_tokens_membership_id"),
        "accounts_refresh_tokens",
        ["membership_id"],
    )
