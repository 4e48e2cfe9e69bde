"""The admin: Flask-Admin below /admin, for staff, limited to the tenants that they are members of.

Three rules hold however a view is written. Every path below /admin is behind the check in `init_app`. Views
read through a session that adds the `scope` of each model to every query, and refuses models without one.
Only `ROUTES` and the routes of views are served: nothing is created or deleted, and nothing is changed by
GET. The templates replace Flask-Admin's, which need inline scripts.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from http import HTTPStatus
from typing import Any, ClassVar, cast
from uuid import UUID

from apiflask import APIFlask
from flask import Response, g, request
from flask_admin import Admin, BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.theme import Theme
from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, ScalarResult, Select, Table, event, false, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    InstrumentedAttribute,
    ORMExecuteState,
    Query,
    Session,
    joinedload,
    with_loader_criteria,
)
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.visitors import iterate

from ..extensions import db
from .browsers import NO_STORE, go, reject_foreign_forms, sentence
from .problems import Problem

PATH = "/admin"
ROUTES = frozenset({"index_view", "details_view", "edit_view"})
MAX_PAGE = 100_000
MAX_SEARCH_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff: the organizations that they see, with their names, and those that they own."""

    user_id: UUID
    email: str
    organizations: Mapping[UUID, str]
    owned: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Button:
    """A button that sends a POST to a route of the view."""

    label: str
    path: str


FindStaff = Callable[[], Staff | Response]


def current_staff() -> Staff:
    """Return the member of staff who sent the request."""
    staff: Staff = g.staff
    return staff


class ScopedSession(Session):
    """A session that adds the criteria to every query, in the transaction of the request."""

    def __init__(self, criteria: Mapping[type[Any], ExecutableOption]) -> None:
        # Not the request's session, whose identity map has rows that were read without the criteria.
        super().__init__(db.session.connection(), join_transaction_mode="rollback_only")
        self.criteria = criteria


@event.listens_for(ScopedSession, "do_orm_execute")
def _limit(state: ORMExecuteState) -> None:
    criteria = cast("ScopedSession", state.session).criteria
    known = {model.__table__ for model in criteria}
    if not isinstance(state.statement, Select) or not state.is_orm_statement:
        raise RuntimeError(f"The admin only reads models, but this is: {state.statement}")
    # All tables of the query, also those in joins and subqueries.
    if not {each for each in iterate(state.statement) if isinstance(each, Table)} <= known:
        raise RuntimeError(f"The admin has no scope for a table of: {state.statement}")
    state.statement = state.statement.options(*criteria.values())


class _Database:
    """The session that Flask-Admin uses: the scoped session of the current request."""

    @property
    def session(self) -> "_Database":
        return self

    def query(self, *entities: Any) -> Query[Any]:  # noqa: ANN401 (what a session takes)
        query: Query[Any] = self._current().query(*entities)
        return query

    def scalars(self, statement: Select[Any]) -> ScalarResult[Any]:
        return self._current().scalars(statement)

    @staticmethod
    def _current() -> ScopedSession:
        if "admin_session" not in g:
            g.admin_session = ScopedSession(g.admin_criteria)
        session: ScopedSession = g.admin_session
        return session


_database = _Database()


def _moment(_: BaseView, value: datetime, __: str) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _yes_or_no(_: BaseView, value: bool, __: str) -> str:
    return "yes" if value else "no"


def _as_json(_: BaseView, value: dict[str, Any], __: str) -> str:
    return json.dumps(value, ensure_ascii=False)


class StaffView(ModelView):
    """The view of a model: the rows of the staff's organizations, and the columns that are listed.

    Owners of a row's organization can change the columns that are fields of `form_model`, which validates
    them. Without a `form_model` nothing can be changed.
    """

    can_view_details = True
    can_create = can_delete = can_export = False
    list_template = "core/admin/list.html"
    details_template = "core/admin/details.html"
    edit_template = "core/admin/edit.html"
    page_size = 25
    column_type_formatters = {
        type(None): lambda *_: "",
        bool: _yes_or_no,
        datetime: _moment,
        dict: _as_json,
    }
    column_type_formatters_detail = column_type_formatters

    _urls: list[tuple[str, str, Sequence[str]]]

    model: type[Any]
    column_list: list[str] = []
    column_details_list: list[str] | None = None
    # The title of the list, and its path below /admin.
    title: ClassVar[str]
    path: ClassVar[str]
    # Columns with a filter.
    choice_columns: ClassVar[Sequence[str]] = ()
    form_model: ClassVar[type[BaseModel]] = BaseModel
    # The relationships that columns such as `user.email` go through.
    related: ClassVar[Sequence[InstrumentedAttribute[Any]]] = ()

    def __init__(self) -> None:
        # Otherwise Flask-Admin looks for a route that is `/`.
        self._default_view = "index_view"
        self.column_details_list = self.column_details_list or self.column_list
        self.form_columns = list(self.form_model.model_fields)
        self.can_edit = bool(self.form_columns)
        # No module has a hyphen in the name of its blueprint.
        endpoint = f"admin-{self.path}"
        super().__init__(self.model, _database, name=self.title, endpoint=endpoint, url=self.path)

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        """Return the criterion for rows of these organizations."""
        # Required: without a scope the admin fails instead of showing other tenants.
        raise NotImplementedError

    def scaffold_list_columns(self) -> list[str]:
        """Return no columns. Flask-Admin's default is all of them."""
        return []

    def save(self, row: Any, changes: Mapping[str, object]) -> None:  # noqa: ANN401 (a row of the view's model)
        """Record a change in the audit trail, in the transaction that makes it."""
        # Required with a `form_model`: every change is audited.
        raise NotImplementedError

    def buttons(self, row: Any) -> Sequence[Button]:  # noqa: ANN401
        """Return the buttons of a row."""
        return ()

    def organization_of(self, row: Any) -> UUID:  # noqa: ANN401
        """Return the organization of a row."""
        organization_id: UUID = row.organization_id
        return organization_id

    def is_owned(self, row: Any) -> bool:  # noqa: ANN401
        """Return whether the staff own the organization of a row."""
        return self.organization_of(row) in current_staff().owned

    def path_of(self, row: Any, action: str) -> str:  # noqa: ANN401
        """Return the path of an action, such as `details`."""
        return f"{PATH}/{self.path}/{action}/{row.id}"

    def back_to(self, row: Any) -> Response:  # noqa: ANN401
        """Redirect to the details of a row, after an action."""
        return go(self.path_of(row, "details"))

    def get_column_name(self, field: str) -> str:
        return (self.column_labels or {}).get(field) or field.replace("_", " ").capitalize()

    def get_query(self) -> Query[Any]:
        return self._narrowed(super().get_query()).options(*map(joinedload, self.related))

    def get_count_query(self) -> Query[Any]:
        return self._narrowed(super().get_count_query())

    def get_one(self, id: UUID) -> Any:  # noqa: A002, ANN401 (Flask-Admin calls it so)
        """Return the row with this id.

        Raises:
            Problem: 404, there is no such row, or it belongs to another tenant.
        """
        rows = select(self.model).where(self.model.id == id).options(*map(joinedload, self.related))
        row = _database.scalars(rows).one_or_none()
        if row is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is nothing at this path.")
        return row

    @expose("/list")
    def index_view(self) -> str:
        g.admin_choices = {name: self._choices(name) for name in self.choice_columns}
        listed: str = super().index_view()
        return listed

    @expose("/details/<uuid:pk>")
    def details_view(self, pk: UUID) -> str:
        row = self.get_one(pk)
        return self.render(
            self.details_template,
            row=row,
            columns=self._details_columns,
            get_value=self.get_detail_value,
            may_edit=self.can_edit and self.is_owned(row),
            buttons=self.buttons(row),
        )

    @expose("/edit/<uuid:pk>", methods=("GET", "POST"))
    def edit_view(self, pk: UUID) -> Response | tuple[str, int]:
        """Show the form of a row, or save it.

        Raises:
            Problem: 403, the view has no form, or the staff do not own the organization.
        """
        row = self.get_one(pk)
        if not self.can_edit or not self.is_owned(row):
            raise Problem(HTTPStatus.FORBIDDEN, "Only owners of the organization may change this.")
        form = self.edit_form(row)
        status = HTTPStatus.OK
        if request.method == "POST":
            if not self.validate_form(form):
                status = HTTPStatus.UNPROCESSABLE_ENTITY
            elif self.update_model(form, row):
                return self.back_to(row)
            else:
                status = HTTPStatus.CONFLICT
        errors = {field.name: field.errors[0] for field in form if field.errors}
        if form.form_errors:
            errors[""] = form.form_errors[0]
        page = self.render(
            self.edit_template,
            row=row,
            form=form,
            labels={field.name: field.label.text for field in form},
            options=self._options(),
            errors=errors,
        )
        return page, status

    def validate_form(self, form: Any) -> bool:  # noqa: ANN401 (a form of WTForms)
        """Return whether `form_model` accepts the form. Add its errors to the fields."""
        try:
            self.form_model.model_validate(form.data)
        except ValidationError as error:
            for each in error.errors():
                form[str(each["loc"][0])].errors = [sentence(each)]
            return False
        return True

    def update_model(self, form: Any, model: Any) -> bool:  # noqa: ANN401
        """Save the changes of a valid form with their audit entry; the request commits.

        Returns:
            Whether they are saved. If not, the form has the error.
        """
        valid = self.form_model.model_validate(form.data).model_dump()
        try:
            with db.session.begin_nested():
                self._update(model.id, valid)
        except Problem as problem:
            form.form_errors.append(problem.detail)
        except IntegrityError:
            form.form_errors.append("This conflicts with other data.")
        return not form.form_errors

    def create_blueprint(self, admin: Admin) -> Any:  # noqa: ANN401 (Flask-Admin's own blueprint)
        """Register the routes in `ROUTES`, and those that a view adds."""
        self._urls = [
            (url, name, methods)
            for url, name, methods in self._urls
            if name in ROUTES or not hasattr(ModelView, name)
        ]
        return super().create_blueprint(admin)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        # Flask-Admin calls again after a TypeError, which hides its cause.
        return fn(self, *args, **kwargs)

    def _get_list_extra_args(self) -> Any:  # noqa: ANN401 (Flask-Admin's ViewArgs)
        asked = super()._get_list_extra_args()
        # They become arguments of `url_for`, which gives other names a meaning.
        asked.extra_args = {
            name: asked.extra_args[name] for name in self.choice_columns if asked.extra_args.get(name)
        }
        asked.page = min(max(asked.page or 0, 0), MAX_PAGE)
        # PostgreSQL rejects a pattern that ends with a backslash; `_` matches any character.
        asked.search = (asked.search or "")[:MAX_SEARCH_LENGTH].replace("\\", "_") or None
        return asked

    def _choices(self, name: str) -> dict[str, object]:
        """Return the values of a filter by their labels."""
        column = getattr(self.model, name)
        values = _database.scalars(select(column).distinct().order_by(column)).all()
        return {
            _yes_or_no(self, value, name) if isinstance(value, bool) else str(value): value
            for value in values
        }

    def _options(self) -> dict[str, list[str]]:
        """Return the choices of the fields that are enumerations in `form_model`."""
        types = {name: field.annotation for name, field in self.form_model.model_fields.items()}
        return {
            name: [str(each.value) for each in choices]
            for name, choices in types.items()
            if isinstance(choices, type) and issubclass(choices, Enum)
        }

    def _narrowed(self, query: Query[Any]) -> Query[Any]:
        for name, values in g.admin_choices.items():
            if asked := request.args.get(name):
                column = getattr(self.model, name)
                query = query.filter(column == values[asked] if asked in values else false())
        return query

    def _update(self, pk: UUID, valid: Mapping[str, Any]) -> None:
        belongs = self.scope(current_staff().organizations.keys())
        rows = select(self.model).where(self.model.id == pk, belongs).with_for_update()
        row = db.session.scalars(rows, execution_options={"populate_existing": True}).one()
        before = {name: getattr(row, name) for name in valid}
        changes = {name: [before[name], value] for name, value in valid.items() if before[name] != value}
        for name in changes:
            setattr(row, name, valid[name])
        if changes:
            self.save(row, changes)


class _Index(BaseView):
    """The start page of the admin."""

    @expose("/")
    def index(self) -> str:
        return self.render("core/admin/index.html")


def organization_name(_: BaseView, __: object, row: Any, column: str) -> str:  # noqa: ANN401
    """Format a column with the id of an organization as its name."""
    return current_staff().organizations[getattr(row, column)]


def init_app(app: APIFlask, views: Sequence[type[StaffView]], *, find_staff: FindStaff) -> None:
    """Serve the views below /admin.

    Args:
        app: the application, with its pages.
        views: the views, in the order of the navigation.
        find_staff: returns the member of staff who sent the request, or a redirect to the sign-in page.
    """

    @app.before_request
    def guard_admin() -> Response | None:
        if not _is_admin():
            return None
        reject_foreign_forms()
        if "\0" in request.path or b"%00" in request.query_string:
            raise Problem(HTTPStatus.BAD_REQUEST, "The URL contains a NUL character.")
        found = find_staff()
        if isinstance(found, Response):
            return found
        g.staff = found
        g.admin_criteria = {
            view.model: with_loader_criteria(
                view.model, view.scope(found.organizations.keys()), include_aliases=True
            )
            for view in views
        }
        return None

    @app.after_request
    def keep_out_of_caches(response: Response) -> Response:
        if _is_admin():
            response.headers.update(NO_STORE)
        return response

    index = _Index(name="Overview", endpoint="admin-index", url=PATH)
    theme = Theme(folder="bootstrap4", base_template="core/admin/base.html")
    admin = Admin(app, name=app.title, index_view=index, theme=theme)
    for view in views:
        admin.add_view(view())


def _is_admin() -> bool:
    return request.path == PATH or request.path.startswith(f"{PATH}/")
