from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class NotificationKind(models.TextChoices):
    MENTION = "mention", _("Mentioned")
    ASSIGNMENT = "assignment", _("Given a ticket")
    ANSWER = "answer", _("New message")
    TEAM_TICKET = "team_ticket", _("New ticket of the team")
    SENDING = "sending", _("A mail was not sent")


class Notification(models.Model):
    """Something that one user should look at: what happened on which ticket, and where exactly.

    What it is about is read from the ticket when it is shown, through `visible_to`: a notification never shows more than
    its user may see now.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications", verbose_name=_("user")
    )
    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="notifications", verbose_name=_("ticket")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=NotificationKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    anchor = models.CharField(
        _("where"),
        max_length=40,
        blank=True,
        help_text=_("The part of the ticket's page it is about: m12 is a message."),
    )
    at = models.DateTimeField(_("at"))
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    mail_due_at = models.DateTimeField(_("mail due"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index("user", models.F("at").desc(), models.F("id").desc(), name="notification_newest"),
            models.Index("user", name="notification_unread", condition=models.Q(read_at=None)),
            models.Index("mail_due_at", name="notification_to_mail", condition=models.Q(mailed_at=None)),
        ]
        constraints = [
            # One per person and comment, however often a task runs.
            models.UniqueConstraint(
                fields=["user", "kind", "ticket", "anchor"],
                condition=~models.Q(anchor=""),
                name="notification_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.get_kind_display()} · #{self.ticket_id}"
