"""The pages of accounts: sign-up, sign-in, invitations, password reset and profile."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.contrib.messages.views import SuccessMessageMixin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django.views.generic import FormView

from . import forms, invitations, password_resets, queries, services, sessions, throttling
from .errors import InvalidCredentialsError

BACKEND = "django.contrib.auth.backends.ModelBackend"

# Rate limit of sign-ups of a client.
SIGN_UPS_PER_HOUR = 20
# Rate limit of checks of the password by a signed-in user.
CHECKS_PER_HOUR = 20

_INVITATION = "invitation"

form_page = require_http_methods(["GET", "HEAD", "POST"])


class SignInPage(auth.LoginView):
    authentication_form = forms.SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True
    extra_context = {"title": _("Sign in"), "submit": _("Sign in")}  # noqa: RUF012 (Django's style)


class PasswordResetPage(FormView):
    form_class = forms.ResetForm
    template_name = "accounts/password_reset.html"
    success_url = reverse_lazy("password-reset-sent")
    extra_context = {"title": _("Reset your password"), "submit": _("Send the link")}  # noqa: RUF012

    def form_valid(self, form: forms.ResetForm) -> HttpResponse:
        """Send the link if a user has the address; the response is the same for any address."""
        password_resets.send(self.request, **form.cleaned_data)
        return super().form_valid(form)


class PasswordResetSentPage(auth.PasswordResetDoneView):
    template_name = "accounts/password_reset_sent.html"
    extra_context = {"title": _("Check your mailbox")}  # noqa: RUF012


@require_safe
@never_cache
def password_reset_link(request: HttpRequest) -> HttpResponse:
    """Store the token of the mail's link in the session, so that no log has it."""
    user_id, token = password_resets.split(request.GET.get("token", ""))
    request.session[auth.INTERNAL_RESET_SESSION_TOKEN] = token
    return redirect("password-reset-confirm", user_id or "-")


class NewPasswordPage(SuccessMessageMixin, auth.PasswordResetConfirmView):
    form_class = forms.NewPasswordForm
    template_name = "accounts/password_reset_confirm.html"
    # The sign-in page may be locked after too many failures.
    post_reset_login = True
    post_reset_login_backend = BACKEND
    success_url = reverse_lazy(settings.LOGIN_REDIRECT_URL)
    success_message = _("Your password is changed, and you are signed in.")
    extra_context = {"submit": _("Save the password")}  # noqa: RUF012


@require_safe
@never_cache
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    found, current = sessions.memberships(request)
    return render(request, "accounts/profile.html", {"memberships": found, "current": current})


@form_page
@never_cache
@sensitive_post_parameters("password")
@login_required
def change_email(request: HttpRequest) -> HttpResponse:
    user = sessions.user_of(request)
    form = forms.EmailForm(request.POST or None, user=user)
    if request.method == "POST":
        throttling.count("own-password", str(user.id), limit=CHECKS_PER_HOUR)
    if form.is_valid():
        try:
            services.change_email(user=user, email=form.cleaned_data["email"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Your e-mail address is changed."))
            return redirect("profile")
    context = {"form": form, "title": _("Change your e-mail address"), "submit": _("Change it")}
    return render(request, "core/form.html", context)


class ChangePasswordPage(SuccessMessageMixin, auth.PasswordChangeView):
    form_class = forms.ChangePasswordForm
    template_name = "core/form.html"
    success_url = reverse_lazy("profile")
    success_message = _("Your password is changed. You are signed out everywhere else.")
    extra_context = {"title": _("Change your password"), "submit": _("Change it")}  # noqa: RUF012

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change the password if the old one is right.

        Raises:
            Problem: 429, too many attempts.
        """
        throttling.count("own-password", str(sessions.user_of(request).id), limit=CHECKS_PER_HOUR)
        return super().post(request)


@form_page
@never_cache
@sensitive_post_parameters("password")
def sign_up(request: HttpRequest) -> HttpResponse:
    """Create a user and their organization, and sign them in."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = forms.SignUpForm(request.POST or None)
    if request.method == "POST":
        throttling.count("sign-up", throttling.client_of(request), limit=SIGN_UPS_PER_HOUR)
    if form.is_valid():
        try:
            user = services.sign_up(**form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            login(request, user, BACKEND)
            return redirect(settings.LOGIN_REDIRECT_URL)
    context = {"form": form, "title": _("Sign up"), "submit": _("Sign up")}
    return render(request, "accounts/sign_up.html", context)


@form_page
@never_cache
@sensitive_post_parameters("password")
def accept_invitation(request: HttpRequest) -> HttpResponse:
    """Join an organization with the token of the mail's link, which moves to the session: no log has it."""
    if "token" in request.GET:
        request.session[_INVITATION] = request.GET["token"]
        return redirect("accept-invitation")
    token = request.session.get(_INVITATION, "")
    invitation = invitations.find(token)
    form = forms.AcceptForm(request.POST or None, new=queries.user_by_email(invitation.email) is None)
    if form.is_valid():
        try:
            membership = invitations.accept(request, token=token, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        except InvalidCredentialsError:
            form.add_error("password", _("This is not your password."))
        else:
            login(request, membership.user, BACKEND)
            sessions.choose(request, membership.organization_id)
            return redirect(settings.LOGIN_REDIRECT_URL)
    title = _("Join %(organization)s") % {"organization": invitation.organization}
    context = {"form": form, "title": title, "submit": _("Join"), "invitation": invitation}
    return render(request, "accounts/accept_invitation.html", context)


@form_page
@never_cache
@login_required
def organization(request: HttpRequest) -> HttpResponse:
    """Choose the organization of the session."""
    found, current = sessions.memberships(request)
    form = forms.OrganizationForm(request.POST or None, memberships=found, current=current)
    if form.is_valid():
        sessions.choose(request, form.cleaned_data["organization"])
        return redirect(settings.LOGIN_REDIRECT_URL)
    context = {"form": form, "title": _("Choose an organization"), "submit": _("Work for it")}
    return render(request, "core/form.html", context)


urlpatterns = [
    path("sign-in", SignInPage.as_view(), name="sign-in"),
    path("sign-out", auth.LogoutView.as_view(), name="sign-out"),
    path("password-reset", PasswordResetPage.as_view(), name="password-reset"),
    path("password-reset/sent", PasswordResetSentPage.as_view(), name="password-reset-sent"),
    path("reset-password", password_reset_link, name="password-reset-link"),
    path(
        "password-reset/<uidb64>/new",
        NewPasswordPage.as_view(),
        {"token": NewPasswordPage.reset_url_token},
        name="password-reset-confirm",
    ),
    path("profile", profile, name="profile"),
    path("profile/email", change_email, name="profile-email"),
    path("profile/password", ChangePasswordPage.as_view(), name="profile-password"),
    path("sign-up", sign_up, name="sign-up"),
    path("accept-invitation", accept_invitation, name="accept-invitation"),
    path("organization", organization, name="organization"),
]
