REST_FRAMEWORK = {
{% if accounts %}
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "{{ package }}.accounts.authentication.BearerAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
{% else %}
    # Nobody can sign in to the API yet, so it only reads. What writes brings permissions along.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
{% endif %}
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "{{ package }}.core.rest.AutoSchema",
    "EXCEPTION_HANDLER": "{{ package }}.core.rest.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}

about = metadata("{{ project_slug }}")
SPECTACULAR_SETTINGS = {
    "TITLE": "{{ project_name }}",
    "DESCRIPTION": about["Summary"],
    "VERSION": about["Version"],
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "{{ package }}.core.rest.document_problems",
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
