"""Tenancy: the rows of an organization, the tenant, are for its members only."""

from typing import Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column


class Tenant(Protocol):
    """Anything with an `organization_id`, such as the actor."""

    @property
    def organization_id(self) -> UUID: ...


class TenantMixin:
    """Base class of models whose rows belong to a tenant. Let their indexes start with `organization_id`."""

    organization_id: Mapped[UUID] = mapped_column(sa.ForeignKey("accounts_organizations.id"))


Row = TypeVar("Row", bound=TenantMixin)


def select_for(actor: Tenant, model: type[Row]) -> sa.Select[Row]:
    """Return a SELECT of the rows that belong to the actor's tenant."""
    return sa.select(model).where(model.organization_id == actor.organization_id)
