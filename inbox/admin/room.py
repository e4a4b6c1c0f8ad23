from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from inbox.models import RoomMail
from people.admin_bases import ReadOnly


@admin.register(RoomMail)
class RoomMailAdmin(ReadOnly):
    """What passed through the mail room, where there is one. How a customer sees it is shown on the room's own page."""

    list_display = ["id", "at", "from_address", "to_addresses", "subject", "size"]
    search_fields = ["subject", "from_address", "=message_id"]
    date_hierarchy = "at"
    ordering = ["-pk"]
    fields = [
        "at",
        "from_name",
        "from_address",
        "to_addresses",
        "subject",
        "message_id",
        "sender",
        "size",
        "is_from_desk",
    ]
    readonly_fields = ["to_addresses"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return settings.HELPDESK_MAIL_ROOM and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return settings.HELPDESK_MAIL_ROOM and super().has_view_permission(request, obj)

    @admin.display(description=gettext_lazy("to"))
    def to_addresses(self, mail: RoomMail) -> str:
        return ", ".join(mail.recipients)
