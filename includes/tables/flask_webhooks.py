    op.create_table(
        "webhooks_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=50), nullable=False),
        sa.Column("webhook_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'claimed', 'done', 'parked', 'ignored')",
            name=op.f("ck_webhooks_events_status_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks_events")),
        sa.UniqueConstraint("provider", "webhook_id", name=op.f("uq_webhooks_events_provider_webhook_id")),
    )
    op.create_index(op.f("ix_webhooks_events_due_at"), "webhooks_events", ["due_at"])
    op.create_index(op.f("ix_webhooks_events_invoice_id"), "webhooks_events", ["invoice_id"])
