"""The admin: SQLAdmin below /admin, for staff, limited to the tenants that they are members of.

Three rules hold however a view is written. Everything but static files is behind `Gate`. Views read through
a session that adds the `scope` of each model to every query, and refuses models without one. Only `ROUTES`
and the POST routes of views are served: nothing is created or deleted, and nothing is changed by GET.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import UUID

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ValidationError
from sqladmin import Admin, ModelView
from sqladmin.helpers import get_object_identifier
from sqlalchemy import ColumnElement, Select, Table, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import (
    InstrumentedAttribute,
    ORMExecuteState,
    Session,
    selectinload,
    with_loader_criteria,
)
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.visitors import iterate
from starlette.applications import Starlette
from starlette.datastructures import URL, FormData, MutableHeaders
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import discovery
from .browsers import NO_STORE, TEMPLATES, Link, go, root_of, same_origin, sentence
from .database import Base
from .middleware import INTERNAL_ERROR
from .problems import Problem
from .security_headers import CSP, CSP_HEADER
from .settings import Settings

PATH = "/admin"
ROUTES = frozenset({"index", "list", "details", "edit", "export", "ajax_lookup"})
# SQLAdmin's styles embed their icons.
HEADERS = {**NO_STORE, CSP_HEADER: f"{CSP}; img-src 'self' data:"}
MAX_EXPORT_ROWS = 10_000
# A spreadsheet would run a cell that starts with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff: the organizations that they see, with their names, and those that they own."""

    user_id: UUID
    email: str
    organizations: Mapping[UUID, str]
    owned: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Button:
    """An action on a row: a POST to a route of its view."""

    label: str
    path: str


@dataclass(frozen=True, slots=True)
class _Access:
    """The criteria that limit what the views read for a member of staff."""

    sessions: async_sessionmaker[AsyncSession]
    criteria: Mapping[type[Base], ExecutableOption]


_access: ContextVar[_Access] = ContextVar("access")


class _ScopedSession(Session):
    """A session whose queries are all limited by the criteria."""


@event.listens_for(_ScopedSession, "do_orm_execute")
def _limit(state: ORMExecuteState) -> None:
    criteria = _access.get().criteria
    known = {model.__table__ for model in criteria}
    if not isinstance(state.statement, Select) or not state.is_orm_statement:
        raise RuntimeError(f"The admin only reads models: {state.statement}")
    # Tables may be anywhere in the query, such as in a subquery.
    if not {each for each in iterate(state.statement) if isinstance(each, Table)} <= known:
        raise RuntimeError(f"The admin has no scope for a model of: {state.statement}")
    state.statement = state.statement.options(*criteria.values())


class _ScopedSessions(async_sessionmaker[AsyncSession]):
    """Creates the sessions of the views, for the staff of the current request."""

    def __call__(self, **options: Any) -> AsyncSession:  # noqa: ANN401 (those of a session)
        return _access.get().sessions(sync_session_class=_ScopedSession, **options)


_sessions = _ScopedSessions()


def _moment(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


class StaffView(ModelView):
    """A view of a model: the rows of the staff's tenants, and only the columns that are listed.

    With `can_edit`, owners of a row's tenant may change its `form_columns`; `form_model` validates them.
    """

    can_create = can_delete = can_import = can_edit = False
    details_template = "core/admin_details.html"
    page_size = 25
    page_size_options: ClassVar[Sequence[int]] = (25, 50, 100)
    search_auto_submit = False
    export_types: ClassVar[list[str]] = ["csv"]
    export_max_rows = MAX_EXPORT_ROWS
    use_pretty_export = True
    column_type_formatters: ClassVar[dict[type, Callable[[Any], Any]]] = {
        type(None): lambda _: "",
        bool: _yes_or_no,
        datetime: _moment,
        dict: json.dumps,
    }

    form_model: ClassVar[type[BaseModel]]
    # Relationships that columns such as `user.email` need.
    related: ClassVar[Sequence[InstrumentedAttribute[Any]]] = ()

    def __init__(self) -> None:
        super().__init__()
        for name in {*self._list_prop_names, *self._details_prop_names, *self._form_prop_names}:
            self._column_labels.setdefault(name, name.replace("_", " ").capitalize())

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        """Return the criterion for rows of these organizations."""
        # Abstract: a view without it must fail, not show the rows of other tenants.
        raise NotImplementedError

    async def save(self, session: AsyncSession, request: Request, row: Any, changes: dict[str, Any]) -> None:  # noqa: ANN401 (a row of the view's model)
        """Record a change in the audit trail, in the same transaction."""
        # Abstract: a change that is not recorded is not made.
        raise NotImplementedError

    async def buttons(self, request: Request, row: Any) -> Sequence[Button]:  # noqa: ANN401
        """Return the actions for a row, besides edit."""
        return ()

    def organization_of(self, row: Any) -> UUID:  # noqa: ANN401
        """Return the tenant of a row."""
        organization_id: UUID = row.organization_id
        return organization_id

    def is_owned(self, request: Request, row: Any) -> bool:  # noqa: ANN401
        """Return whether the staff may change a row."""
        return self.organization_of(row) in request.state.staff.owned

    def path_of(self, row: Any, action: str) -> str:  # noqa: ANN401
        """Return the path of an action, or of `details`."""
        return f"{PATH}/{self.identity}/{action}/{quote(str(get_object_identifier(row)), safe='')}"

    def back_to(self, row: Any) -> Response:  # noqa: ANN401
        """Redirect to the row after an action."""
        return go(self.path_of(row, "details"))

    def get_details_columns(self) -> list[str]:
        """Return the listed columns; SQLAdmin shows all by default."""
        return super().get_details_columns() if self.column_details_list else self.get_list_columns()

    def get_form_columns(self) -> list[str]:
        return super().get_form_columns() if self.form_columns else []

    def list_query(self, request: Request) -> Select[Any]:
        return super().list_query(request).options(*map(selectinload, self.related))

    def details_query(self, request: Request) -> Select[Any]:
        return super().details_query(request).options(*map(selectinload, self.related))

    async def get_object_for_details(self, request: Request) -> Any:  # noqa: ANN401
        """Return the row of a path.

        Raises:
            Problem: 404, there is no such row, or it is another tenant's.
        """
        try:
            row = await super().get_object_for_details(request)
        except ValueError:
            row = None
        if row is None:
            raise Problem(404, "There is nothing at this path.")
        return row

    async def check_can_edit(self, request: Request, model: Any) -> bool:  # noqa: ANN401
        return self.can_edit and self.is_owned(request, model)

    async def scaffold_form(self, rules: list[str] | None = None) -> type[Any]:
        """Return the form for `form_columns`, validated by `form_model`."""
        form_model = self.form_model

        def validate(form: Any) -> bool:  # noqa: ANN401 (a form of WTForms)
            try:
                form_model.model_validate(form.data)
            except ValidationError as error:
                for each in error.errors():
                    form[str(each["loc"][0])].errors = [sentence(each)]
                return False
            return True

        return type("ValidatedForm", (await super().scaffold_form(rules),), {"validate": validate})

    async def update_model(self, request: Request, pk: str, data: dict[str, Any]) -> Any:  # noqa: ANN401
        """Save a valid form and its audit entry in one transaction.

        Raises:
            RuntimeError: with the detail of a `Problem`, or a message without details.
        """
        try:
            return await self._update(request, pk, self.form_model.model_validate(data).model_dump())
        # SQLAdmin logs the error, and shows its message.
        except Problem as problem:
            raise RuntimeError(problem.detail) from problem
        except Exception as error:
            raise RuntimeError(INTERNAL_ERROR) from error

    async def _update(self, request: Request, pk: str, valid: Mapping[str, Any]) -> Any:  # noqa: ANN401
        async with _sessions.begin() as session:
            row = (await session.scalars(self._stmt_by_identifier(pk).with_for_update())).one()
            before = {name: getattr(row, name) for name in valid}
            changes = {name: [before[name], value] for name, value in valid.items() if before[name] != value}
            for name in changes:
                setattr(row, name, valid[name])
            if changes:
                await self.save(session, request, row, changes)
        return row

    async def get_list_value(self, obj: Any, prop: str, request: Request | None = None) -> tuple[Any, Any]:  # noqa: ANN401
        """Return the displayed value twice: exports use the first."""
        _, shown = await super().get_list_value(obj, prop, request)
        return shown, shown

    async def custom_export_cell(self, row: Any, name: str, value: Any) -> str | None:  # noqa: ANN401
        """Escape text that a spreadsheet would run."""
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else None


def organization_name(row: Any, column: str, request: Request) -> str:  # noqa: ANN401
    """Format a column that holds the id of an organization."""
    name: str = request.state.staff.organizations[getattr(row, column)]
    return name


FindStaff = Callable[[Request], Awaitable[Staff]]


class _Admin(Admin):
    @staticmethod
    def get_save_redirect_url(request: Request, form: FormData, model_view: ModelView, obj: Any) -> str | URL:  # noqa: ANN401
        """Redirect a saved form; the page to create a row is not served."""
        if form.get("save") != "Save and continue editing":
            form = FormData({"save": "Save"})
        return Admin.get_save_redirect_url(request, form, model_view, obj)


class Gate:
    """Require staff, and set the criteria of the views for the request."""

    def __init__(
        self, app: ASGIApp, *, find_staff: FindStaff, views: Sequence[type[StaffView]], production: bool
    ) -> None:
        self.app = app
        self.find_staff = find_staff
        self.views = views
        self.production = production

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(root_of(scope))
        if scope["type"] != "http" or path.startswith(f"{PATH}/statics/"):
            await self.app(scope, receive, send)
            return
        if self.production:
            # Links are absolute, and a proxy may not forward the scheme.
            scope = {**scope, "scheme": "https"}
        request = Request(scope)
        await same_origin(request)
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise Problem(400, "The address contains a NUL character.")
        staff = await self.find_staff(request)
        request.state.staff = staff
        criteria = {
            view.model: with_loader_criteria(
                view.model, view.scope(staff.organizations.keys()), include_aliases=True
            )
            for view in self.views
        }
        _access.set(_Access(request.state.sessions, criteria))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)


async def _to_index(_: Request) -> Response:
    return go(f"{PATH}/")


def install(app: FastAPI, settings: Settings) -> None:
    """Serve the `VIEWS` of each `admin.py` below /admin, for whom `find_staff` of `staff.py` returns."""
    (find_staff,) = discovery.offered("staff", "find_staff")
    views: list[type[StaffView]] = [view for views in discovery.offered("admin", "VIEWS") for view in views]
    app.state.staff_navigation = [Link("Admin", f"{PATH}/")]
    # SQLAdmin mounts itself, with its own error pages and sessions; only its routes are used.
    admin = _Admin(
        Starlette(),
        session_maker=_sessions,
        base_url=PATH,
        title=app.title,
        favicon_url="/static/icon.svg",
        templates_dir=str(TEMPLATES),
    )
    for view in views:
        admin.add_view(view)
    routes: list[BaseRoute] = [
        route
        for route in admin.admin.routes
        if isinstance(route, Route) and (route.name in ROUTES or f"{route.name}".startswith("view-"))
    ]
    routes.append(Mount("/statics", StaticFiles(packages=["sqladmin"]), name="statics"))
    gate = Middleware(Gate, find_staff=find_staff, views=views, production=settings.production)
    app.router.routes.append(Route(PATH, _to_index))
    app.router.routes.append(Mount(PATH, routes=routes, name="admin", middleware=[gate]))
