"""Plain values that other modules receive."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """The roles of a member, from least to most; `roles.at_least` compares them."""

    VIEWER = "viewer", _("viewer")
    MEMBER = "member", _("member")
    OWNER = "owner", _("owner")


@dataclass(frozen=True, slots=True)
class Actor:
    """The user behind a request and the organization (the tenant) that they act for."""

    user_id: UUID
    organization_id: UUID
    role: Role
    email: str
