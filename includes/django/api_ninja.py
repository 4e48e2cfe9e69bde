{% if accounts %}
# The authentication of API operations, unless they say `auth=None`.
API_AUTHENTICATION = ["{{ package }}.accounts.authentication.OAuth2PasswordBearer"]
{% else %}
# Nobody can sign in to the API yet, so it only reads.
API_AUTHENTICATION: list[str] = []
{% endif %}

about = metadata("{{ project_slug }}")
API = {
    "title": "{{ project_name }}",
    "description": about["Summary"],
    "version": about["Version"],
}
