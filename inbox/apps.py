from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    name = "inbox"
    verbose_name = _("Inbox")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from helpdesk.registry import (
            register_health_probe,
            register_profile_panel,
            register_row_mark,
            register_settings_alert,
        )
        from inbox import profile_panels, waiting

        register_health_probe("oldest_waiting_incoming_seconds", waiting.oldest_incoming_seconds)
        register_health_probe("oldest_waiting_outgoing_seconds", waiting.oldest_outgoing_seconds)
        register_health_probe("mailboxes_in_error", waiting.mailboxes_in_error)
        register_profile_panel("signature", profile_panels.signature)
        register_profile_panel("images", profile_panels.trusted_senders)
        register_row_mark("has_scheduled", waiting.tickets_with_scheduled)
        register_settings_alert("mailboxes", waiting.a_mailbox_is_in_error)
