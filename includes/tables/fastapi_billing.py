    op.create_table(
        "billing_payment_events",
        sa.Column("webhook_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_billing_payment_events")),
    )
    op.create_index(
        op.f("ix_billing_payment_events_invoice_id"),
        "billing_payment_events",
        ["invoice_id"],
    )
    op.create_index(
        op.f("ix_billing_payment_events_status_next_attempt_at"),
        "billing_payment_events",
        ["status", "next_attempt_at"],
    )
