"""Users, organizations, invitations and the audit trail in the admin.

Superusers see all rows. Other staff see the rows of their organizations, as far as their permissions allow,
and change those of organizations that they own. Nothing is deleted; users are deactivated instead.
"""

from collections.abc import Callable
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import BaseInlineFormSet, ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..core.problems import Problem
from . import invitations, members, queries, services
from .contracts import Actor, Role
from .errors import LastOwnerError
from .models import AuditEntry, Invitation, Membership, Organization, User
from .tenant_admin import TenantAdmin, user_id_of


def _organizations(request: HttpRequest) -> list[UUID]:
    return queries.organizations_of(user_id_of(request))


def _users(request: HttpRequest) -> QuerySet[User]:
    return User.objects.all() if request.user.is_superuser else queries.users_in(_organizations(request))


def _owned(request: HttpRequest) -> set[UUID]:
    roles = queries.roles_of(user_id_of(request))
    return {organization_id for organization_id, role in roles.items() if role is Role.OWNER}


def _actor(request: HttpRequest, organization_id: UUID) -> Actor:
    actor = queries.acting_for(user_id_of(request), organization_id)
    if actor is None:
        raise PermissionDenied
    return actor


def _record(
    request: HttpRequest, *, organization_id: UUID, action: str, target: Model, changes: dict[str, object]
) -> None:
    services.record(
        organization_id=organization_id,
        action=action,
        target=action.partition(".")[0],
        target_id=target.pk,
        actor=queries.acting_for(user_id_of(request), organization_id),
        changes=changes,
    )


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """For superusers: a group belongs to no organization."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    has_add_permission = has_module_permission
    has_change_permission = has_delete_permission = has_view_permission


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active", "last_login", "created_at")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request) & _users(request)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if request.user.is_superuser:
            return self.readonly_fields
        # Only superusers grant permissions; others could grant them to themselves.
        return (*self.readonly_fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A new user has no organization yet, so only superusers could see them.
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Allow owners of all organizations of the user, since the password works in each."""
        if not super().has_change_permission(request, obj):
            return False
        if obj is None or request.user.is_superuser:
            return True
        return not obj.is_superuser and _owned(request).issuperset(queries.organizations_of(obj.pk))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Change the password and write the audit entry in one transaction."""
        return super().user_change_password(request, id, form_url)

    def log_change(self, request: HttpRequest, obj: User, message: list[dict[str, object]]) -> LogEntry:
        """Write an audit entry for each of the user's organizations besides Django's history."""
        for organization_id in queries.organizations_of(obj.pk) if message else ():
            changes = {key: value for part in message for key, value in part.items()}
            _record(
                request, organization_id=organization_id, action="user.changed", target=obj, changes=changes
            )
        return super().log_change(request, obj, message)


class MembershipFormSet(BaseInlineFormSet):
    def add_fields(self, form: ModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        # A membership stays with its user.
        form.fields["user"].disabled = index is not None and index < self.initial_form_count()

    def clean(self) -> None:
        """Check that the organization keeps an owner; the service checks it again."""
        super().clean()
        had_owner = any(form.initial["role"] == Role.OWNER for form in self.initial_forms)
        kept = (form for form in self.forms if form not in self.deleted_forms)
        if had_owner and all(form.cleaned_data.get("role") != Role.OWNER for form in kept):
            raise ValidationError(LastOwnerError().detail)


class MembershipInline(admin.TabularInline):
    """The members of an organization, on its form, which owners may change."""

    model = Membership
    formset = MembershipFormSet
    extra = 0
    fields = ("user", "role", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField | None:
        """Offer and accept only users that staff may see."""
        if db_field.name == "user":
            kwargs["queryset"] = _users(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    ordering = ("name",)
    list_display = ("name", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        organizations = super().get_queryset(request)
        if request.user.is_superuser:
            return organizations
        return organizations.filter(id__in=_organizations(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or request.user.is_superuser or obj.pk in _owned(request)

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Organization, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            action = "organization.changed" if change else "organization.created"
            _record(request, organization_id=obj.pk, action=action, target=obj, changes={"name": obj.name})

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: BaseInlineFormSet, change: bool
    ) -> None:
        """Change the members with the services, new owners first."""
        formset.save(commit=False)
        if not (formset.new_objects or formset.changed_objects or formset.deleted_objects):
            return
        actor = _actor(request, form.instance.pk)
        for new in formset.new_objects:
            members.add(actor=actor, user=new.user, role=Role(new.role))
        changed = sorted(formset.changed_objects, key=lambda change: change[0].role != Role.OWNER)
        for membership, _fields in changed:
            members.change_role(actor=actor, membership_id=membership.pk, role=Role(membership.role))
        for membership in formset.deleted_objects:
            members.remove(actor=actor, membership_id=membership.pk)


@admin.register(Invitation)
class InvitationAdmin(TenantAdmin):
    """Invitations, which owners send again and revoke."""

    actions = ("resend", "revoke")
    ordering = ("-created_at",)
    list_display = ("email", "organization", "role", "expires_at", "accepted_at", "revoked_at")
    list_filter = (("organization", admin.RelatedOnlyFieldListFilter), "role")
    list_select_related = ("organization",)
    search_fields = ("email",)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Return whether the actions are offered; the services check the role."""
        return request.user.has_perm("accounts.change_invitation")

    @admin.action(permissions=["send"], description=_("Send selected invitations again"))
    def resend(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        self._each(request, queryset, invitations.resend)

    @admin.action(permissions=["send"], description=_("Revoke selected invitations"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        self._each(request, queryset, invitations.revoke)

    def _each(self, request: HttpRequest, queryset: QuerySet[Invitation], write: Callable[..., None]) -> None:
        for invitation in queryset:
            try:
                write(actor=self.actor(request, invitation.organization_id), invitation_id=invitation.id)
            except Problem as problem:
                self.message_user(request, f"{invitation}: {problem.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{invitation}: {_('done')}.", messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(TenantAdmin):
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    list_display = ("created_at", "organization", "actor", "action", "target_id", "request_id")
    list_filter = (("organization", admin.RelatedOnlyFieldListFilter), "action")
    list_select_related = ("organization", "actor")
    search_fields = ("actor__email", "=target_id", "=request_id")
