    op.create_table(
        "billing_invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("customer", sa.String(length=200), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=4), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'paid', 'void')", name=op.f("ck_billing_invoices_status_is_known")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_billing_invoices_amount_is_positive")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["accounts_organizations.id"],
            name=op.f("fk_billing_invoices_organization_id_accounts_organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_invoices")),
        sa.UniqueConstraint(
            "organization_id", "number", name=op.f("uq_billing_invoices_organization_id_number")
        ),
    )
    op.create_index(
        op.f("ix_billing_invoices_organization_id_status_number"),
        "billing_invoices",
        ["organization_id", "status", "number"],
    )
    op.create_table(
        "billing_counters",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["accounts_organizations.id"],
            name=op.f("fk_billing_counters_organization_id_accounts_organizations"),
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_billing_counters")),
    )
    op.create_table(
        "billing_idempotency",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["accounts_organizations.id"],
            name=op.f("fk_billing_idempotency_organization_id_accounts_organizations"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "key", name=op.f("pk_billing_idempotency")),
    )
