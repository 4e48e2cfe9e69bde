# The authentication of API operations, unless they say `auth=None`.
API_AUTHENTICATION = ["{{ package }}.accounts.authentication.OAuth2PasswordBearer"]

about = metadata("{{ project_slug }}")
API = {
    "title": "{{ project_name }}",
    "description": about["Summary"],
    "version": about["Version"],
}
