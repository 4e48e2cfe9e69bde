    "django.middleware.csp.ContentSecurityPolicyMiddleware",
