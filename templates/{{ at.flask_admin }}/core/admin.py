"""The admin at /admin: staff look up the rows of their tenants, and change some columns of them."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from http import HTTPStatus
from math import ceil
from typing import Any, ClassVar
from uuid import UUID

from apiflask import APIFlask
from flask import Blueprint, Response, current_app, g, request, url_for
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, contains_eager

from ..extensions import db
from .browsers import NO_STORE, go, page, read_form, reject_foreign_forms
from .discovery import files
from .problems import Problem

EXTENSION = "admin"
PATH = "/admin"
PAGE_SIZE = 25
MAX_PAGE = 100_000
MAX_SEARCH_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff user: the names of the organizations whose data they see, and those that they own."""

    user_id: UUID
    email: str
    organizations: Mapping[UUID, str]
    owned: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Button:
    """An action on a row."""

    label: str
    action: str


FindStaff = Callable[[], Staff | Response]
Formatter = Callable[[Any], str]


def current_staff() -> Staff:
    """Return the staff user of a request below /admin."""
    staff: Staff = g.staff
    return staff


def organization_name(row: Any) -> str:  # noqa: ANN401
    """Format the organization of a row."""
    return current_staff().organizations[row.organization_id]


class StaffView:
    """The list, the details and the form of a model. Only columns that are named are shown or changed."""

    model: ClassVar[type[Any]]
    title: ClassVar[str]
    # The part of the path below /admin.
    path: ClassVar[str]
    # Names such as `status`, or `user.email` through a relationship of `related`.
    columns: ClassVar[Sequence[str]] = ()
    detail_columns: ClassVar[Sequence[str]] = ()
    labels: ClassVar[Mapping[str, str]] = {}
    formatters: ClassVar[Mapping[str, Formatter]] = {}
    search_columns: ClassVar[Sequence[str]] = ()
    sort_columns: ClassVar[Sequence[str]] = ()
    # Columns that a list is filtered by.
    choice_columns: ClassVar[Sequence[str]] = ()
    newest_first: ClassVar[bool] = False
    related: ClassVar[Sequence[InstrumentedAttribute[Any]]] = ()
    # What owners can change; without fields, nothing.
    form_model: ClassVar[type[BaseModel]] = BaseModel
    # Methods that take a row, called by POST.
    actions: ClassVar[Sequence[str]] = ()

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        """Return the condition that limits every query to the rows of these tenants."""
        raise NotImplementedError

    def save(self, row: Any, changes: Mapping[str, object]) -> None:  # noqa: ANN401
        """Audit a change, in its transaction."""
        raise NotImplementedError

    def buttons(self, row: Any) -> Sequence[Button]:  # noqa: ANN401
        """Return the actions on a row that the staff user may take."""
        return ()

    def organization_of(self, row: Any) -> UUID:  # noqa: ANN401
        """Return the tenant of a row."""
        organization_id: UUID = row.organization_id
        return organization_id

    def may_edit(self, row: Any) -> bool:  # noqa: ANN401
        """Return whether the staff user may change a row."""
        return bool(self.form_model.model_fields) and self.is_owned(row)

    def is_owned(self, row: Any) -> bool:  # noqa: ANN401
        """Return whether the staff user owns the organization of a row."""
        return self.organization_of(row) in current_staff().owned

    def url(self, endpoint: str, **values: Any) -> str:  # noqa: ANN401
        """Return the path of a page of this view."""
        return url_for(f"admin-{self.path}.{endpoint}", **values)

    def label(self, name: str) -> str:
        """Return the heading of a column."""
        return self.labels.get(name) or name.replace("_", " ").capitalize()

    def value(self, row: Any, name: str) -> str:  # noqa: ANN401
        """Return a column of a row as text."""
        if name in self.formatters:
            return self.formatters[name](row)
        found = row
        for part in name.split("."):
            found = getattr(found, part, None)
        return _as_text(found)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        blueprint = Blueprint(f"admin-{self.path}", __name__, url_prefix=f"{PATH}/{self.path}")
        blueprint.add_url_rule("/list", "list", self.list_rows)
        blueprint.add_url_rule("/details/<uuid:pk>", "details", self.show_row)
        blueprint.add_url_rule("/edit/<uuid:pk>", "edit", self.edit_row, methods=["GET", "POST"])
        for action in self.actions:
            rule = f"/{action}/<uuid:pk>"
            blueprint.add_url_rule(rule, action, self._act, defaults={"action": action}, methods=["POST"])
        return blueprint

    def get_row(self, pk: UUID) -> Any:  # noqa: ANN401
        """Return a row of the staff user's tenants.

        Raises:
            Problem: 404, there is none.
        """
        row = db.session.scalars(self._select().where(self.model.id == pk)).one_or_none()
        if row is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is nothing at this path.")
        return row

    def list_rows(self) -> Response:
        """Show the rows, filtered, sorted and paged."""
        choices = {name: self._choices(name) for name in self.choice_columns}
        filters = {name: request.args[name] for name in choices if request.args.get(name)}
        search = request.args.get("search", "")[:MAX_SEARCH_LENGTH]
        sort = request.args.get("sort", "")
        number = min(max(request.args.get("page", 0, int), 0), MAX_PAGE)
        rows = self._select()
        for name, text in filters.items():
            rows = rows.where(self._column(name) == choices[name].get(text, None))
        if search and self.search_columns:
            columns = [cast(self._column(name), String) for name in self.search_columns]
            rows = rows.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
        count = db.session.scalars(
            rows.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
        ).one()
        found = db.session.scalars(self._sorted(rows, sort).limit(PAGE_SIZE).offset(number * PAGE_SIZE)).all()
        return page(
            "core/admin/list.html",
            view=self,
            rows=found,
            count=count,
            pages=ceil(count / PAGE_SIZE),
            number=number,
            choices=choices,
            query={**filters, **({"search": search} if search else {}), **({"sort": sort} if sort else {})},
        )

    def show_row(self, pk: UUID) -> Response:
        """Show the details of a row."""
        return page("core/admin/details.html", view=self, row=self.get_row(pk))

    def edit_row(self, pk: UUID) -> Response:
        """Show the form of a row, or save it.

        Raises:
            Problem: 403, the staff user does not own the organization.
        """
        row = self.get_row(pk)
        if not self.may_edit(row):
            raise Problem(HTTPStatus.FORBIDDEN, "Only an owner of the organization may change this.")
        if request.method == "GET":
            return self._form(
                row, {name: _as_text(getattr(row, name)) for name in self.form_model.model_fields}
            )
        form = read_form(self.form_model)
        if form.data is None:
            return self._form(row, form.values, form.errors, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            with db.session.begin_nested():
                self._update(pk, form.data.model_dump())
        except (Problem, IntegrityError) as error:
            reason = error.detail if isinstance(error, Problem) else "This conflicts with other rows."
            return self._form(row, form.values, {"": str(reason)}, HTTPStatus.CONFLICT)
        return go(f"{PATH}/{self.path}/details/{pk}")

    def _act(self, action: str, pk: UUID) -> Response:
        getattr(self, action)(self.get_row(pk))
        return go(f"{PATH}/{self.path}/details/{pk}")

    def _form(
        self,
        row: object,
        values: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        types = {name: field.annotation for name, field in self.form_model.model_fields.items()}
        options = {
            name: [str(each.value) for each in kind]
            for name, kind in types.items()
            if isinstance(kind, type) and issubclass(kind, Enum)
        }
        return page(
            "core/admin/edit.html",
            status_code=status,
            view=self,
            row=row,
            values=values,
            labels={name: self.label(name) for name in types},
            options=options,
            errors=errors or {},
        )

    def _update(self, pk: UUID, valid: Mapping[str, Any]) -> None:
        organizations = current_staff().organizations.keys()
        rows = select(self.model).where(self.model.id == pk, self.scope(organizations)).with_for_update()
        row = db.session.scalars(rows, execution_options={"populate_existing": True}).one()
        changes = {
            name: [getattr(row, name), value] for name, value in valid.items() if getattr(row, name) != value
        }
        for name in changes:
            setattr(row, name, valid[name])
        if changes:
            self.save(row, changes)

    def _select(self) -> Select[Any]:
        """Select the rows, and related ones as far as they belong to the same tenants."""
        organizations = current_staff().organizations.keys()
        rows = select(self.model).where(self.scope(organizations))
        for relation in self.related:
            scope = current_app.extensions[EXTENSION][relation.property.mapper.class_]
            rows = rows.outerjoin(relation.and_(scope(organizations))).options(contains_eager(relation))
        return rows.execution_options(populate_existing=True)

    def _column(self, name: str) -> Any:  # noqa: ANN401
        relation, _, attribute = name.rpartition(".")
        model = getattr(self.model, relation).property.mapper.class_ if relation else self.model
        return getattr(model, attribute)

    def _sorted(self, rows: Select[Any], sort: str) -> Select[Any]:
        """Sort by a column, descending if it begins with a minus."""
        name = sort.removeprefix("-")
        if name in self.sort_columns:
            column = self._column(name)
            rows = rows.order_by(column.desc() if sort.startswith("-") else column)
        if self.newest_first:
            return rows.order_by(self.model.created_at.desc(), self.model.id)
        return rows.order_by(self._column(self.columns[0]), self.model.id)

    def _choices(self, name: str) -> dict[str, object]:
        column = self._column(name)
        organizations = current_staff().organizations.keys()
        values = db.session.scalars(
            select(column).where(self.scope(organizations)).distinct().order_by(column)
        )
        return {_as_text(value): value for value in values}


def init_app(app: APIFlask) -> None:
    """Serve the `VIEWS` of every `admin.py` to staff.

    The `FIND_STAFF` of one of them returns the staff user, or a redirect to the sign-in page.
    """
    found = files(app, "admin")
    menu: list[StaffView] = [view() for file in found for view in file.VIEWS]
    find_staff: FindStaff
    (find_staff,) = (file.FIND_STAFF for file in found if hasattr(file, "FIND_STAFF"))
    app.extensions[EXTENSION] = {view.model: view.scope for view in menu}

    @app.before_request
    def require_staff() -> Response | None:
        if not _is_admin():
            return None
        reject_foreign_forms()
        if "\0" in request.path or b"%00" in request.query_string:
            raise Problem(HTTPStatus.BAD_REQUEST, "The address has a NUL character.")
        staff = find_staff()
        if isinstance(staff, Response):
            return staff
        g.staff, g.admin_views = staff, menu
        return None

    @app.after_request
    def forbid_caching(response: Response) -> Response:
        if _is_admin():
            response.headers.update(NO_STORE)
        return response

    index = Blueprint("admin", __name__)
    index.add_url_rule(f"{PATH}/", "index", lambda: page("core/admin/index.html"))
    for blueprint in (index, *(view.blueprint() for view in menu)):
        app.register_blueprint(blueprint)


def _is_admin() -> bool:
    return request.path == PATH or request.path.startswith(f"{PATH}/")


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
