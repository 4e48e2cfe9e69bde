about = metadata("{{ project_slug }}")
# What the contract of the health checks{{ ' and webhooks' if billing else '' }} begins with.
API = {
    "title": "{{ project_name }}",
    "description": about["Summary"],
    "version": about["Version"],
}
# The files of Swagger UI and Redoc.
STATICFILES_DIRS = [("offapi", str(distribution("offapi").locate_file("offapi")))]
