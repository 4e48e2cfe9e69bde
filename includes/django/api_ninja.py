{% if accounts %}
# How an API operation recognizes who calls, unless it says `auth=None`.
API_AUTHENTICATION = ["{{ package }}.accounts.authentication.OAuth2PasswordBearer"]
{% else %}
# Nobody can sign in to the API yet, so it only reads. What writes brings a way to sign in along.
API_AUTHENTICATION: list[str] = []
{% endif %}

about = metadata("{{ project_slug }}")
API: dict[str, Any] = {
    "title": "{{ project_name }}",
    "description": about["Summary"],
    "version": about["Version"],
}
