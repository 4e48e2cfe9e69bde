from ..core import sentry
