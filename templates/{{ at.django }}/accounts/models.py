"""Users, organizations (the tenants), memberships, invitations, and the audit trail."""

from typing import Any
from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from ..core.tenancy import TenantModel
from .contracts import Actor, Role


class UserManager(BaseUserManager["User"]):
    """Create users, and find them by their e-mail address in any case."""

    def create_user(
        self,
        email: str,
        password: str | None = None,
        **extra_fields: Any,  # noqa: ANN401 (of any field)
    ) -> "User":
        """Create a user, who cannot sign in with a password if none is given."""
        user = self.model(email=self.model.normalize_username(email), **extra_fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self,
        email: str,
        password: str | None = None,
        **extra_fields: Any,  # noqa: ANN401 (of any field)
    ) -> "User":
        """Create a user with every permission."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **extra_fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this e-mail address.

        Raises:
            User.DoesNotExist: there is none.
        """
        return self.get(email=self.model.normalize_username(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May use the admin."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("May sign in."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    # Sessions and tokens from before have ended.
    signed_out_at = models.DateTimeField(_("signed out everywhere at"), null=True, editable=False)

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = (
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"),
        )

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the address in lower case, so that no two users differ in case only."""
        return super().normalize_username(username).lower()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return the fingerprint in sessions and tokens: they end with a new one."""
        value = f"{self.password}{self.signed_out_at}"
        return salted_hmac("accounts.sessions", value, secret, algorithm="sha256").hexdigest()


class Organization(models.Model):
    """A tenant."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user in an organization, with a role."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="memberships"
    )
    organization = models.ForeignKey(
        Organization, verbose_name=_("organization"), on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=20, choices=Role)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (
            models.UniqueConstraint(fields=("user", "organization"), name="one_membership_per_organization"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    def actor(self) -> Actor:
        """Return the user as an actor for the organization."""
        return Actor(
            user_id=self.user_id,
            organization_id=self.organization_id,
            role=Role(self.role),
            email=self.user.email,
        )


class Invitation(TenantModel):
    """An invitation by mail, with the hash of its token; it is open until it is accepted or revoked."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    invited_by = models.ForeignKey(
        User, verbose_name=_("invited by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = (
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_is_known"),
        )
        indexes = (models.Index(fields=("organization", "created_at"), name="invitation_by_tenant"),)

    def __str__(self) -> str:
        return self.email


class AuditEntry(TenantModel):
    """The audit trail: who changed what, when. Entries are never changed or deleted."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    actor = models.ForeignKey(
        User, verbose_name=_("actor"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    action = models.CharField(_("action"), max_length=100)
    target = models.CharField(_("target"), max_length=100)
    target_id = models.UUIDField(_("target id"), db_index=True)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    request_id = models.CharField(_("request id"), max_length=64)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = (models.Index(fields=("organization", "-created_at"), name="audit_entry_by_tenant"),)

    def __str__(self) -> str:
        return f"{self.action} {self.target_id}"
