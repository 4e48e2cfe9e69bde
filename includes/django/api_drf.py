REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "{{ package }}.accounts.authentication.BearerAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["{{ package }}.core.rest.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "{{ package }}.core.rest.AnyAccept",
    "DEFAULT_SCHEMA_CLASS": "{{ package }}.core.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "{{ package }}.core.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}

about = metadata("{{ project_slug }}")
SPECTACULAR_SETTINGS = {
    "TITLE": "{{ project_name }}",
    "DESCRIPTION": about["Summary"],
    "VERSION": about["Version"],
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": env.root_path}] if env.root_path else [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "{{ package }}.core.openapi.add_problems",
    ],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
