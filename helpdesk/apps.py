from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.utils.translation import gettext_lazy as _


class HelpdeskConfig(AppConfig):
    default = True  # there are two kinds of AppConfig in this file
    name = "helpdesk"
    verbose_name = _("Help desk")

    def ready(self) -> None:
        # Importing registers: the checks, and the Celery app that every task is queued by.
        from helpdesk import celery, checks  # noqa: F401


class OurStaticFiles(StaticFilesConfig):
    # django-htmx brings an htmx of its own, which is not the one we vendor, and whose parts do not find each other.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "django_htmx"]
