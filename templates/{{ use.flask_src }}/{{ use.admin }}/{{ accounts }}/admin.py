"""Users, organizations, memberships and the audit trail in the admin."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated
from uuid import UUID

from flask import Response
from flask_admin import expose
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, select

from ..core.admin import Button, StaffView, current_staff, organization_name
from ..core.schemas import TrimmedText
from .contracts import Role
from .models import AuditEntry, Membership, Organization, User
from .services import record
from .staff import acting_for, keep_an_owner, owns_all_of, set_active


class OrganizationForm(BaseModel):
    name: Annotated[TrimmedText, Field(max_length=200)]


class MembershipForm(BaseModel):
    role: Role


class OrganizationView(StaffView):
    model = Organization
    title = "Organizations"
    path = "organization"
    column_list = ["name", "created_at"]
    column_searchable_list = ["name"]
    column_sortable_list = column_list
    column_default_sort = "name"
    form_model = OrganizationForm

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Organization.id.in_(organizations)

    def organization_of(self, row: Organization) -> UUID:
        return row.id

    def save(self, row: Organization, changes: Mapping[str, object]) -> None:
        _record(row.id, "organization", row.id, changes)


class UserView(StaffView):
    """Users are deactivated, never deleted, because the audit trail refers to them."""

    model = User
    title = "Users"
    path = "user"
    column_list = ["email", "is_active", "is_staff", "created_at"]
    column_searchable_list = ["email"]
    column_sortable_list = column_list
    column_default_sort = "email"
    choice_columns = ["is_active", "is_staff"]

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return User.id.in_(select(Membership.user_id).where(Membership.organization_id.in_(organizations)))

    def buttons(self, row: User) -> Sequence[Button]:
        if not owns_all_of(current_staff(), row.id):
            return ()
        label, action = ("Deactivate", "deactivate") if row.is_active else ("Activate", "activate")
        return (Button(label, self.path_of(row, action)),)

    @expose("/activate/<uuid:pk>", methods=("POST",))
    def activate(self, pk: UUID) -> Response:
        return self._set_active(pk, is_active=True)

    @expose("/deactivate/<uuid:pk>", methods=("POST",))
    def deactivate(self, pk: UUID) -> Response:
        return self._set_active(pk, is_active=False)

    def _set_active(self, pk: UUID, *, is_active: bool) -> Response:
        user = self.get_one(pk)
        set_active(current_staff(), user.id, is_active=is_active)
        return self.back_to(user)


class MembershipView(StaffView):
    model = Membership
    title = "Memberships"
    path = "membership"
    column_list = ["user.email", "organization_id", "role", "created_at"]
    column_labels = {"organization_id": "Organization", "user.email": "User"}
    column_formatters = {"organization_id": organization_name}
    column_searchable_list = ["user.email"]
    column_sortable_list = ["user.email", "role", "created_at"]
    column_default_sort = "user.email"
    choice_columns = ["role"]
    related = [Membership.user]
    form_model = MembershipForm

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Membership.organization_id.in_(organizations)

    def save(self, row: Membership, changes: Mapping[str, object]) -> None:
        keep_an_owner(row.organization_id)
        _record(row.organization_id, "membership", row.id, changes)


class AuditEntryView(StaffView):
    model = AuditEntry
    title = "Audit trail"
    path = "audit-entry"
    column_list = ["created_at", "organization_id", "actor.email", "action", "target", "target_id"]
    column_details_list = [*column_list, "changes", "request_id"]
    column_labels = {
        "organization_id": "Organization",
        "actor.email": "Who",
        "created_at": "When",
    }
    column_formatters = {"organization_id": organization_name}
    column_searchable_list = ["action", "request_id"]
    column_sortable_list = ["created_at", "action"]
    column_default_sort = [("created_at", True), ("id", True)]
    choice_columns = ["action"]
    related = [AuditEntry.actor]

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return AuditEntry.organization_id.in_(organizations)


VIEWS = (OrganizationView, UserView, MembershipView, AuditEntryView)


def _record(organization_id: UUID, target: str, target_id: UUID, changes: Mapping[str, object]) -> None:
    record(
        organization_id=organization_id,
        action=f"{target}.changed",
        target=target,
        target_id=target_id,
        actor=acting_for(current_staff(), organization_id),
        changes=changes,
    )
