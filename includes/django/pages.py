LOGIN_URL = LOGOUT_REDIRECT_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "{{ package }}.core.pages.csrf_failure"
# The header of every page.
SITE_NAME = "{{ project_name }}"
