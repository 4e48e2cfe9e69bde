about = metadata("{{ project_slug }}")
API = {
    "title": "{{ project_name }}",
    "description": about["Summary"],
    "version": about["Version"],
}
# The files of Swagger UI.
STATICFILES_DIRS = [("offapi", str(distribution("offapi").locate_file("offapi")))]
