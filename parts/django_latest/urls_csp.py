SWAGGER_CSP = {"style-src": ["'self'", "'unsafe-inline'"], "img-src": ["'self'", "data:"]}
swagger_csp = csp_override({**settings.SECURE_CSP, **SWAGGER_CSP})
