"""Users, organizations, memberships and the audit trail in the admin."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, select

from ..core.admin import Button, StaffView, current_staff, organization_name
from ..core.schemas import TrimmedText
from .contracts import Role
from .members import role_changed
from .models import AuditEntry, Membership, Organization, User
from .services import acting_for, record
from .staff import find_staff, owns_all_of, set_active


class OrganizationForm(BaseModel):
    name: Annotated[TrimmedText, Field(max_length=200)]


class MembershipForm(BaseModel):
    role: Role


class OrganizationView(StaffView):
    model = Organization
    title = "Organizations"
    path = "organization"
    columns = ["name", "created_at"]
    search_columns = ["name"]
    sort_columns = columns
    form_model = OrganizationForm

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Organization.id.in_(organizations)

    def organization_of(self, row: Organization) -> UUID:
        return row.id

    def save(self, row: Organization, changes: Mapping[str, object]) -> None:
        record(
            organization_id=row.id,
            action="organization.changed",
            target="organization",
            target_id=row.id,
            actor=acting_for(current_staff().user_id, row.id),
            changes=changes,
        )


class UserView(StaffView):
    """Users are deactivated, not deleted, so that the audit trail stays."""

    model = User
    title = "Users"
    path = "user"
    columns = ["email", "is_active", "is_staff", "created_at"]
    search_columns = ["email"]
    sort_columns = columns
    choice_columns = ["is_active", "is_staff"]
    actions = ("activate", "deactivate")

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return User.id.in_(select(Membership.user_id).where(Membership.organization_id.in_(organizations)))

    def buttons(self, row: User) -> Sequence[Button]:
        if not owns_all_of(current_staff(), row.id):
            return ()
        return (Button("Deactivate", "deactivate") if row.is_active else Button("Activate", "activate"),)

    def activate(self, row: User) -> None:
        set_active(current_staff(), row.id, is_active=True)

    def deactivate(self, row: User) -> None:
        set_active(current_staff(), row.id, is_active=False)


class MembershipView(StaffView):
    model = Membership
    title = "Memberships"
    path = "membership"
    columns = ["user.email", "organization_id", "role", "created_at"]
    labels = {"organization_id": "Organization", "user.email": "User"}
    formatters = {"organization_id": organization_name}
    search_columns = ["user.email"]
    sort_columns = ["user.email", "role", "created_at"]
    choice_columns = ["role"]
    related = [Membership.user]
    form_model = MembershipForm

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Membership.organization_id.in_(organizations)

    def save(self, row: Membership, changes: Mapping[str, object]) -> None:
        actor = acting_for(current_staff().user_id, row.organization_id)
        role_changed(row, changes, actor=actor)


class AuditEntryView(StaffView):
    model = AuditEntry
    title = "Audit trail"
    path = "audit-entry"
    columns = ["created_at", "organization_id", "actor.email", "action", "target", "target_id"]
    detail_columns = [*columns, "changes", "request_id"]
    labels = {
        "organization_id": "Organization",
        "actor.email": "User",
        "created_at": "Time",
    }
    formatters = {"organization_id": organization_name}
    search_columns = ["action", "request_id"]
    sort_columns = ["created_at", "action"]
    newest_first = True
    choice_columns = ["action"]
    related = [AuditEntry.actor]

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return AuditEntry.organization_id.in_(organizations)


VIEWS = (OrganizationView, UserView, MembershipView, AuditEntryView)
FIND_STAFF = find_staff
