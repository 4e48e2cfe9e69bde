"""The forms of the pages."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib.auth import forms as auth
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from . import services
from .models import Membership, Organization, User

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MAX_PASSWORD_LENGTH = 1024


class AddressField(forms.EmailField):
    """An e-mail address, cleaned to the lower case in which it is stored."""

    def __init__(self) -> None:
        super().__init__(label=_("E-mail address"), max_length=254)

    def to_python(self, value: object) -> str:
        return User.normalize_username(super().to_python(value) or "")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"autocomplete": "username"}


class PasswordField(forms.CharField):
    """A password, not stripped."""

    def __init__(self, *, label: "StrOrPromise" = "", new: bool = False) -> None:
        autocomplete = "new-password" if new else "current-password"
        super().__init__(
            label=label or _("Password"),
            help_text=password_validators_help_text_html() if new else "",
            max_length=MAX_PASSWORD_LENGTH,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        )


class SignInForm(auth.AuthenticationForm):
    username = AddressField()
    password = PasswordField()


class ResetForm(forms.Form):
    email = AddressField()


class AcceptForm(forms.Form):
    """The form of an invited user; only a new one has a name to give."""

    name = forms.CharField(
        max_length=User._meta.get_field("name").max_length,  # noqa: SLF001
        label=_("Your name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, data: QueryDict | None, *, new: bool) -> None:
        super().__init__(data)
        self.fields["password"] = PasswordField(new=new)
        if not new:
            del self.fields["name"]


class EmailForm(forms.Form):
    email = AddressField()
    password = PasswordField(label=_("Your password"))

    def __init__(self, data: QueryDict | None, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean_password(self) -> str:
        """Check the user's password: an open browser is not enough to take over the account."""
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password


class NewPasswordForm(auth.SetPasswordForm):
    def save(self, commit: bool = True) -> User:
        user: User = self.user
        services.change_password(user=user, password=self.cleaned_data["new_password1"])
        return user


class ChangePasswordForm(NewPasswordForm, auth.PasswordChangeForm):
    pass


class SignUpForm(forms.Form):
    organization = forms.CharField(
        max_length=Organization._meta.get_field("name").max_length,  # noqa: SLF001
        label=_("Organization"),
        help_text=_("The name of your company or team."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    email = AddressField()
    password = PasswordField(new=True)

    def clean(self) -> dict[str, Any]:
        """Check the password with the validators."""
        values = super().clean() or {}
        if "password" in values:
            try:
                validate_password(values["password"], User(email=values.get("email", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values


class OrganizationForm(forms.Form):
    def __init__(
        self, data: QueryDict | None, *, memberships: list[Membership], current: Membership | None
    ) -> None:
        super().__init__(data, initial={"organization": current and current.organization_id})
        self.fields["organization"] = forms.TypedChoiceField(
            choices=[(one.organization_id, one.organization.name) for one in memberships],
            coerce=UUID,
            widget=forms.RadioSelect,
        )
