"""No tables: reports are made of what other modules have."""

from django.db import models


class Report(models.Model):
    """Gives the reports their place in the admin; there is nothing to save."""

    id = models.BigAutoField(primary_key=True)

    class Meta:
        managed = False
        default_permissions = ()
        verbose_name_plural = "reports"
