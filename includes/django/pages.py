LOGIN_URL = LOGOUT_REDIRECT_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "{{ package }}.core.pages.csrf_failure"
# The header of every page.
SITE_NAME = "{{ project_name }}"

DEFAULT_FROM_EMAIL = env.email_from
{% if django_version == 'latest' %}
MAILERS = {"default": mailer(env.email_url)}
{% else %}
mail = mailer(env.email_url)
EMAIL_BACKEND, smtp = mail["BACKEND"], mail["OPTIONS"]
EMAIL_HOST, EMAIL_PORT = smtp.get("host"), smtp.get("port")
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = smtp.get("username"), smtp.get("password")
EMAIL_USE_TLS, EMAIL_USE_SSL = smtp.get("use_tls"), smtp.get("use_ssl")
EMAIL_TIMEOUT = smtp.get("timeout")
{% endif %}
