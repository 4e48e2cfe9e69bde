"""The base class of a tenant's rows in the admin of any module."""

from typing import cast
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from . import queries


def user_id_of(request: HttpRequest) -> UUID:
    """Return the id of the user of an admin view, who is signed in."""
    return cast("UUID", cast("AbstractBaseUser", request.user).pk)


class TenantAdmin(admin.ModelAdmin):
    """Shows staff the rows of their own organizations, superusers all; nobody edits or deletes them.

    `organization_path` is the lookup from the model to its organization.
    """

    organization_path = "organization"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.organization_path}__in": queries.organizations_of(user_id_of(request))})

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
