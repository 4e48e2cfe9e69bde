AUTHENTICATION_BACKENDS = [
    # First, so that who failed too often is refused before a password is looked at.
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]

# Failures count per e-mail and IP address, in the database, which all processes share. Behind a proxy every
# client has the proxy's address, unless PROXY_HOPS says whom to believe.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "{{ package }}.accounts.throttling.locked_out"
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "{{ package }}.accounts.throttling.username"
AXES_RESET_ON_SUCCESS = True
# Who goes on trying does not extend the time, so that Retry-After holds.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# It writes a row for every sign-in, and starts a session for one that needs none.
AXES_DISABLE_ACCESS_LOG = True
# Attempts belong to no organization. `manage.py axes_reset_username` lets somebody in again.
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
