# Mail
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
# Seconds that a token to reset a password is valid.
PASSWORD_RESET_TIMEOUT = 60 * 60
