from ..core.openapi import api
