"""How many lists of 50 invoices each kind of Django API answers against a bare view: medians, ratios, PASS or FAIL.

The bare view has no middleware and no API framework; token check, database and server are the generated project's.
"""

import argparse
import sys

from serving import compare, generated, options

PATH = "/api/v1/invoices?limit=50"
LIMITS = {"drf": 0.6, "ninja": 0.75}

# Run as a program, it starts the project's own server, only with another application: itself.
BARE = """
import os

if __name__ == "__main__":
    import granian

    start = granian.Granian
    granian.Granian = lambda _, **options: start("bare:application", **options)
    from shop.__main__ import main

    main()
else:
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.config.settings"
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, JsonResponse
    from django.urls import path

    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = __name__
    application = get_wsgi_application()
    from shop.accounts import tokens
    from shop.billing.models import Invoice

    COLUMNS = ("id", "number", "customer", "amount_cents", "currency", "status", "created_at")

    def invoices(request):
        membership = tokens.verify(request.headers["Authorization"].removeprefix("Bearer "))
        if membership is None:
            return HttpResponse(status=401)
        found = Invoice.objects.filter(organization_id=membership.organization_id).order_by("-number")
        return JsonResponse({"items": list(found.values(*COLUMNS)[:50])})

    urlpatterns = [path("api/v1/invoices", invoices), path("health/live", lambda _: HttpResponse("ok"))]
"""


def fast_enough(api: str, arguments: argparse.Namespace) -> bool:
    """Whether this kind of API is, after saying how fast it is."""
    with generated({"bare.py": BARE}, framework="django", api=api) as project:
        ports = project.serve(product=("just", "serve"), bare=("python", "bare.py"))
        project.sign_in(ports["product"])
        product, bare = (
            [row["id"] for row in project.get(ports[server], PATH).json()["items"]] for server in ("product", "bare")
        )
        if product != bare:
            raise SystemExit("The two servers list different invoices.")
        return compare(api, ports, project.message(PATH), arguments, at_least=LIMITS[api])


def main() -> int:
    parser = options(__doc__, rounds=15, seconds=2.0)
    parser.add_argument("--api", choices=LIMITS, help="one kind only")
    arguments = parser.parse_args()
    kinds = [arguments.api] if arguments.api else list(LIMITS)
    results = [fast_enough(api, arguments) for api in kinds]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
