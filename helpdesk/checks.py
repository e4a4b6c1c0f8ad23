"""What `manage.py check` says about this installation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

OLDEST_POSTGRES = 150000


@register(Tags.staticfiles, deploy=True)
def static_files_are_collected(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        return []
    return [
        Error(
            f"No collected static files lie in {settings.STATIC_ROOT}, so every page would fail.",
            hint="Run `python manage.py collectstatic --noinput` after each update.",
            id="helpdesk.E001",
        )
    ]


@register(Tags.database)
def postgres_is_new_enough(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for alias in databases or []:
        version = getattr(connections[alias], "pg_version", OLDEST_POSTGRES)
        if version < OLDEST_POSTGRES:
            found.append(
                Error(
                    f"The database is PostgreSQL {version // 10000}.",
                    hint="Use PostgreSQL 15 or newer.",
                    id="helpdesk.E002",
                )
            )
    return found
