"""The permission class of views for members."""

from collections.abc import Mapping

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .contracts import Actor, Role
from .roles import require


class RolePermission(BasePermission):
    """Allow an action of a view to members with the role that the view's `required_roles` names for it.

    An action that is not named is for owners.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Actor):
            return False
        roles: Mapping[str, Role] = getattr(view, "required_roles", {})
        action = getattr(view, "action", None) or (request.method or "").lower()
        require(request.auth, roles.get(action, Role.OWNER))
        return True
