from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"


class DeskAdminConfig(admin.AdminConfig):
    """Django's admin, opened to admins by our own sign-in page."""

    default_site = "people.admin_site.DeskAdmin"
    default = False

    def ready(self) -> None:
        super().ready()
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        site.unregister(Group)  # roles and rights stand on the user
