from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.utils.translation import gettext_lazy as _


class HelpdeskConfig(AppConfig):
    name = "helpdesk"
    verbose_name = _("Help desk")

    def ready(self) -> None:
        from helpdesk import checks  # noqa: F401  (importing them registers them)


class OurStaticFiles(StaticFilesConfig):
    # django-htmx brings an htmx of its own, which is not the one we vendor, and whose parts do not find each other.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "django_htmx"]
