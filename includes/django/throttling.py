AUTHENTICATION_BACKENDS = [
    # First, to refuse locked out clients before the password is hashed.
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]

# The rate limit of failed sign-ins, counted in the database that all processes share. Behind a proxy it
# needs PROXY_HOPS; without it every client has the proxy's address.
AXES_HANDLER = "{{ package }}.accounts.throttling.SignInHandler"
AXES_FAILURE_LIMIT = env.sign_in_failures_per_account
SIGN_IN_FAILURES_PER_CLIENT = env.sign_in_failures_per_client
AXES_COOLOFF_TIME = timedelta(seconds=env.sign_in_window_seconds)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "{{ package }}.accounts.{{ 'limits' if use.pages else 'throttling' }}.locked_out"
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "{{ package }}.accounts.throttling.username"
AXES_RESET_ON_SUCCESS = True
# Further attempts do not extend the time, so that Retry-After is true.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# The access log would write a row for every sign-in.
AXES_DISABLE_ACCESS_LOG = True
# `manage.py axes_reset_username` ends a lock; attempts belong to no organization.
AXES_ENABLE_ADMIN = False
