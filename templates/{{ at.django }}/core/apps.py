"""The core as a Django app, what it finds in the modules, and a check of the foreign keys between them."""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from django.apps import AppConfig, apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import module_has_submodule

_PACKAGE = __name__.partition(".")[0]


class CoreConfig(AppConfig):
    name = __package__


def domain_modules() -> dict[str, AppConfig]:
    """Return the apps of config/modules.py by their name."""
    configs = (config for config in apps.get_app_configs() if config.name != __package__)
    return {config.label: config for config in configs if config.name.startswith(f"{_PACKAGE}.")}


def files(name: str) -> Iterator[ModuleType]:
    """Import the file of this name, such as `api` for api.py, of each module that has one."""
    for config in domain_modules().values():
        if config.module and module_has_submodule(config.module, name):
            yield import_module(f"{config.name}.{name}")


@register(Tags.models)
def check_relations_between_modules(**_options: object) -> list[CheckMessage]:
    """Return an error for each relation to a module that is not in the `depends_on` of the AppConfig.

    The import contracts do not see `ForeignKey("billing.Invoice")`. Any module may refer to users, and two
    modules must not depend on each other.
    """
    modules = domain_modules()
    dependencies = {name: getattr(config, "depends_on", ()) for name, config in modules.items()}
    errors: list[CheckMessage] = []
    for name, config in modules.items():
        allowed = {name, get_user_model()._meta.app_label, *dependencies[name]}  # noqa: SLF001 (a public API)
        hint = f'Store the id and use its public.py, or declare `depends_on = ("…",)` in {name}/apps.py.'
        for model in config.get_models():
            options = model._meta  # noqa: SLF001 (a public API)
            for field in (*options.local_fields, *options.local_many_to_many):
                if not isinstance(field.related_model, type):
                    continue
                target = field.related_model._meta.app_label  # noqa: SLF001 (a public API)
                if target in modules and (target not in allowed or name in dependencies[target]):
                    message = f"Module '{name}' may not depend on '{target}', to which the field refers."
                    errors.append(Error(message, hint=hint, obj=field, id="core.E002"))
    return errors
