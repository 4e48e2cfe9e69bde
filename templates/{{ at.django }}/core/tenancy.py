"""Tenancy: the rows of an organization, the tenant, are for its members only."""

from typing import Protocol, Self, TypeVar
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class Tenant(Protocol):
    """Anything with an `organization_id`, such as the actor."""

    @property
    def organization_id(self) -> UUID: ...


class TenantQuerySet(models.QuerySet[Row_co]):
    def for_actor(self, actor: Tenant) -> Self:
        """Return the rows that belong to the actor's tenant."""
        return self.filter(organization_id=actor.organization_id)


class TenantModel(models.Model):
    """Base class of models whose rows belong to a tenant. Let an index start with `organization`."""

    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, "+", verbose_name=_("organization"), db_index=False
    )
    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
