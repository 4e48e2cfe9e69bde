    "django_htmx",
