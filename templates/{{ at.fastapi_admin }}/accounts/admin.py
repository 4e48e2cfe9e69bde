"""Users, organizations, memberships and the audit trail in the admin."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqladmin import expose
from sqladmin.fields import SelectField
from sqladmin.filters import AllUniqueStringValuesFilter, BooleanFilter, StaticValuesFilter
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.admin import Button, StaffView, organization_name
from ..core.schemas import TrimmedText
from .contracts import Role
from .members import keep_an_owner
from .models import AuditEntry, Membership, Organization, User
from .services import record
from .staff import acting_for, owns_all_of, set_active

ROLES = [(role.value, role.value) for role in Role]


class OrganizationForm(BaseModel):
    name: Annotated[TrimmedText, Field(max_length=200)]


class MembershipForm(BaseModel):
    role: Role


class OrganizationView(StaffView, model=Organization):
    column_list = (Organization.name, Organization.created_at)
    column_searchable_list = (Organization.name,)
    column_sortable_list = column_list
    column_default_sort = "name"
    can_edit = True
    form_model = OrganizationForm
    form_columns = (Organization.name,)

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Organization.id.in_(organizations)

    def organization_of(self, row: Organization) -> UUID:
        return row.id

    async def save(
        self, session: AsyncSession, request: Request, row: Organization, changes: dict[str, object]
    ) -> None:
        await _record(session, request, row.id, "organization", row.id, changes)


class UserView(StaffView, model=User):
    """Users are deactivated, not deleted: the audit trail refers to them."""

    column_list = (User.email, User.is_active, User.is_staff, User.created_at)
    column_searchable_list = (User.email,)
    column_sortable_list = column_list
    column_default_sort = "email"
    column_filters = (BooleanFilter(User.is_active), BooleanFilter(User.is_staff))

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return User.id.in_(select(Membership.user_id).where(Membership.organization_id.in_(organizations)))

    async def buttons(self, request: Request, row: User) -> Sequence[Button]:
        async with request.state.read_sessions() as session:
            if not await owns_all_of(session, request.state.staff, row.id):
                return ()
        label, action = ("Deactivate", "deactivate") if row.is_active else ("Activate", "activate")
        return (Button(label, self.path_of(row, action)),)

    @expose("/activate/{pk}", methods=["POST"])
    async def activate(self, request: Request) -> Response:
        return await self._set_active(request, is_active=True)

    @expose("/deactivate/{pk}", methods=["POST"])
    async def deactivate(self, request: Request) -> Response:
        return await self._set_active(request, is_active=False)

    async def _set_active(self, request: Request, *, is_active: bool) -> Response:
        user = await self.get_object_for_details(request)
        async with request.state.sessions.begin() as session:
            await set_active(session, request.state.staff, user.id, is_active=is_active)
        return self.back_to(user)


class MembershipView(StaffView, model=Membership):
    column_list = (Membership.organization_id, "user.email", Membership.role, Membership.created_at)
    column_labels: ClassVar[dict[Any, str]] = {
        Membership.organization_id: "Organization",
        "user.email": "User",
    }
    related = (Membership.user,)
    column_formatters: ClassVar[dict[Any, Any]] = {Membership.organization_id: organization_name}
    column_formatters_detail = column_formatters
    column_searchable_list = ("user.email",)
    column_sortable_list = ("user.email", Membership.role, Membership.created_at)
    column_default_sort = "user.email"
    column_filters = (StaticValuesFilter(Membership.role, ROLES),)
    can_edit = True
    form_model = MembershipForm
    form_columns = (Membership.role,)
    form_overrides: ClassVar[dict[Any, Any]] = {"role": SelectField}
    form_args: ClassVar[dict[str, dict[str, Any]]] = {"role": {"choices": ROLES}}

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Membership.organization_id.in_(organizations)

    async def save(
        self, session: AsyncSession, request: Request, row: Membership, changes: dict[str, object]
    ) -> None:
        await keep_an_owner(session, row.organization_id)
        await _record(session, request, row.organization_id, "membership", row.id, changes)


class AuditEntryView(StaffView, model=AuditEntry):
    name_plural = "Audit trail"
    column_list = (
        AuditEntry.created_at,
        AuditEntry.organization_id,
        "actor.email",
        AuditEntry.action,
        AuditEntry.target,
        AuditEntry.target_id,
    )
    column_details_list = (*column_list, AuditEntry.changes, AuditEntry.request_id)
    column_labels: ClassVar[dict[Any, str]] = {
        AuditEntry.organization_id: "Organization",
        "actor.email": "Who",
        AuditEntry.created_at: "When",
    }
    related = (AuditEntry.actor,)
    column_formatters: ClassVar[dict[Any, Any]] = {AuditEntry.organization_id: organization_name}
    column_formatters_detail = column_formatters
    column_searchable_list = (AuditEntry.action, AuditEntry.request_id)
    column_sortable_list = (AuditEntry.created_at, AuditEntry.action)
    column_default_sort = ("created_at", True)
    column_filters = (AllUniqueStringValuesFilter(AuditEntry.action),)

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return AuditEntry.organization_id.in_(organizations)


VIEWS = (OrganizationView, UserView, MembershipView, AuditEntryView)


async def _record(  # noqa: PLR0913, PLR0917
    session: AsyncSession,
    request: Request,
    organization_id: UUID,
    target: str,
    target_id: UUID,
    changes: dict[str, object],
) -> None:
    await record(
        session,
        organization_id=organization_id,
        action=f"{target}.changed",
        target=target,
        target_id=target_id,
        actor=await acting_for(session, request.state.staff, organization_id),
        changes=changes,
    )
