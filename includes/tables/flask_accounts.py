    op.create_table(
        "accounts_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=100), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["accounts_memberships.id"],
            name=op.f("fk_accounts_tokens_membership_id_accounts_memberships"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_accounts_tokens_token_hash")),
    )
    op.create_index(op.f("ix_accounts_tokens_membership_id"), "accounts_tokens", ["membership_id"])
