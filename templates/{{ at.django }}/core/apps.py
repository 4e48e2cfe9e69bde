"""The core as a Django app, with a system check of foreign keys between modules."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, register
from django.db.models import Field, ForeignObjectRel, Model

DECLARATION = "config/modules.py: DEPENDENCIES"

_PACKAGE = __name__.partition(".")[0]


class CoreConfig(AppConfig):
    name = __package__


@register(Tags.models)
def check_relations_between_modules(
    *, app_configs: Sequence[AppConfig] | None, **_options: object
) -> list[CheckMessage]:
    """Return an error for each relation to a module that `settings.MODULE_DEPENDENCIES` does not name.

    The import contracts do not see `ForeignKey("billing.Invoice")`. Any module may refer to users.
    """
    dependencies: Mapping[str, Sequence[str]] = settings.MODULE_DEPENDENCIES
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        return [Error(f"{DECLARATION} has a cycle: {' <- '.join(error.args[1])}.", id="core.E001")]
    shared = {"core", _module(get_user_model())}
    errors: list[CheckMessage] = []
    for config in apps.get_app_configs() if app_configs is None else app_configs:
        for field, source, target in _relations(config):
            if source == target or target in {*shared, *dependencies.get(source, ())}:
                continue
            message = f"Module '{source}' may not depend on module '{target}', to which the field refers."
            hint = (
                f"Store the id and use the public.py of '{target}'; if the dependency is intended, "
                f"add '{target}' to '{source}' in {DECLARATION}."
            )
            errors.append(Error(message, hint=hint, obj=field, id="core.E002"))
    return errors


def _relations(config: AppConfig) -> Iterator[tuple["Field[Any, Any]", str, str]]:
    """Yield each relation between modules: the field, its module, and the module that it refers to."""
    for model in config.get_models():
        source = _module(model)
        for field in model._meta.get_fields(include_parents=False):  # noqa: SLF001
            # A reverse relation is checked at its other end.
            if isinstance(field, ForeignObjectRel) or not isinstance(field.related_model, type):
                continue
            target = _module(field.related_model)
            if source and target:
                yield field, source, target


def _module(model: type[Model]) -> str | None:
    """Return the name of the model's module; None for a library's model."""
    package, _, rest = model._meta.app_config.name.partition(".")  # noqa: SLF001
    return rest.partition(".")[0] if package == _PACKAGE else None
