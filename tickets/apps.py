from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from helpdesk.registry import register_live, register_unread_count
        from tickets.audience import audience, groups_of
        from tickets.notifying import unread_of

        register_live(audience, groups_of)
        register_unread_count("notifications", unread_of)
