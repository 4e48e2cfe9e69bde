from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Count on from the highest number of each organization that has invoices and no counter yet."""
    Invoice = apps.get_model("billing", "Invoice")
    InvoiceCounter = apps.get_model("billing", "InvoiceCounter")
    highest = Invoice.objects.values_list("organization_id").annotate(models.Max("number"))
    counters = [
        InvoiceCounter(organization_id=organization_id, last_number=number)
        for organization_id, number in highest.order_by()
    ]
    InvoiceCounter.objects.bulk_create(counters, batch_size=1000, ignore_conflicts=True)


def empty(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Forget the counters; `fill` makes them again from the invoices."""
    apps.get_model("billing", "InvoiceCounter").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_initial"),
    ]

    operations = [
        # A squashed history has no invoices from before it.
        migrations.RunPython(fill, empty, elidable=True),
    ]
