"""The base class of a tenant's rows in the admin of any module."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from . import queries
from .contracts import Actor, Role
from .roles import at_least


def user_id_of(request: HttpRequest) -> UUID:
    """Return the id of the user of an admin view, who is signed in."""
    return cast("UUID", cast("AbstractBaseUser", request.user).pk)


class TenantAdmin(admin.ModelAdmin):
    """Shows staff the rows of their own organizations, superusers all.

    `organization_path` is the lookup from the model to its organization. `required_roles` names the role
    there that `add`, `change` and `delete` need besides Django's permission; others are not offered. Save and
    delete through the services of the module, with the `actor`.
    """

    organization_path = "organization"
    required_roles: Mapping[str, Role] = {}
    show_full_result_count = False

    def actor(self, request: HttpRequest, organization_id: UUID) -> Actor:
        """Return the user as an actor for the organization.

        Raises:
            PermissionDenied: the user is not a member.
        """
        actor = queries.acting_for(user_id_of(request), organization_id)
        if actor is None:
            raise PermissionDenied
        return actor

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.organization_path}__in": queries.organizations_of(user_id_of(request))})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "add" in self.required_roles and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401 (the model)
        return self._may("change", request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401 (the model)
        return self._may("delete", request, obj) and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ANN401 (the model)
        fields = [*super().get_readonly_fields(request, obj)]
        # A row stays in its organization.
        return [*fields, "organization"] if obj else fields

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField | None:
        """Offer and accept only organizations in which the user may add rows."""
        if db_field.name == "organization" and not request.user.is_superuser:
            role = self.required_roles.get("add", Role.OWNER)
            actors = [self.actor(request, each) for each in queries.organizations_of(user_id_of(request))]
            allowed = [actor.organization_id for actor in actors if at_least(actor, role)]
            kwargs["queryset"] = db_field.related_model._default_manager.filter(pk__in=allowed)  # noqa: SLF001
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def _may(self, action: str, request: HttpRequest, obj: Any) -> bool:  # noqa: ANN401 (the model)
        role = self.required_roles.get(action)
        if obj is None or role is None:
            return role is not None
        return at_least(self.actor(request, obj.organization_id), role)
