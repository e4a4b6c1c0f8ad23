from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        user_logged_out.connect(_end_streams)


def _end_streams(sender: Any, request: HttpRequest, user: Any, **_rest: Any) -> None:
    """What a browser was told while somebody was signed in there ends with the session."""
    from helpdesk import live
    from helpdesk.sessions import fingerprint

    if user:
        live.ended(user.pk, fingerprint(request.session.session_key or ""))


class DeskAdminConfig(admin.AdminConfig):
    """Django's admin, opened to admins by our own sign-in page."""

    default_site = "people.admin_site.DeskAdmin"
    default = False

    def ready(self) -> None:
        super().ready()
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        site.unregister(Group)  # roles and rights stand on the user
