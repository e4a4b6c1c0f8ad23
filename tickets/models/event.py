from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class EventKind(models.TextChoices):
    CREATED = "created", _("Created")
    STATUS = "status", _("Status changed")
    REOPENED = "reopened", _("Reopened")
    OWNER = "owner", _("Owner changed")
    PRIORITY = "priority", _("Priority changed")
    UNDELIVERED = "undelivered", _("An answer could not be delivered")
    PROPERTIES = "properties", _("Properties changed")
    CONTACT = "contact", _("Contact changed")
    COMPANY = "company", _("Company changed")
    SENT_ANYWAY = "sent_anyway", _("Sent although a check warned")
    UNSENT = "unsent", _("A mail for later was not sent")
    RELEASED = "released", _("An answer to a forward was released")
    LINKED = "linked", _("Linked")
    TRASHED = "trashed", _("Moved to trash")
    RESTORED = "restored", _("Restored")


class Event(models.Model):
    """What happened to a ticket, by whom and when. Rows are written once and never changed: the timeline is read from them.

    `detail` holds names as they were then: {"from": ..., "to": ...}.
    """

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="events", verbose_name=_("ticket")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=EventKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"))
    detail: models.JSONField[dict[str, Any]] = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["ticket", "at"], name="event_timeline")]

    def __str__(self) -> str:
        return f"#{self.ticket_id} {self.get_kind_display()}"
