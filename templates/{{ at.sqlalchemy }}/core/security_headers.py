"""Security headers for every response. A view may set its own value; the middleware then keeps it."""

CSP_HEADER = "Content-Security-Policy"
CSP = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

SECURITY_HEADERS = {
    CSP_HEADER: CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Production only: browsers remember it for the host, and all projects share localhost.
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
