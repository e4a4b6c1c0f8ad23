from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from people.models import User

# What a bell can show beside it.
MOST_COUNTED = 100
# What waits for longer is no news any more: the bell has it.
STALE_HOURS = 24


class NotificationKind(models.TextChoices):
    MENTION = "mention", _("Mentioned")
    ASSIGNMENT = "assignment", _("Given a ticket")
    ANSWER = "answer", _("New message")
    TEAM_TICKET = "team_ticket", _("New ticket of the team")
    SENDING = "sending", _("A mail was not sent")


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> NotificationQuerySet:
        """Those of `user` whose ticket they see now. The others wait, unseen and uncounted, until they see it again."""
        return self.filter(user=user, withdrawn=False, ticket__in=Ticket.objects.visible_to(user).values("pk"))

    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)

    def counted(self) -> int:
        """How many there are, up to MOST_COUNTED."""
        return self.order_by().values("pk")[:MOST_COUNTED].count()

    def for_list(self) -> NotificationQuerySet:
        """Everything that _notification.html prints, so a row costs no query of its own."""
        return self.select_related("actor", "ticket__contact", "ticket__team")

    def mark_read(self, now: datetime) -> int:
        """Says how many were unread. What was read is not mailed any more."""
        return self.filter(read_at=None).update(read_at=now, mail_due_at=None)

    def to_mail(self, now: datetime) -> NotificationQuerySet:
        return self.filter(mail_due_at__lte=now, mailed_at=None, read_at=None, withdrawn=False)


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
    times = models.PositiveSmallIntegerField(
        _("times"), default=1, help_text=_("So many messages that nobody looked at yet; it tells of the newest.")
    )
    at = models.DateTimeField(_("at"))
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    mail_due_at = models.DateTimeField(_("mail due"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)

    withdrawn = models.BooleanField(
        _("withdrawn"), default=False, help_text=_("What it tells of was deleted; it comes back when that is restored.")
    )

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index("user", models.F("at").desc(), models.F("id").desc(), name="notification_newest"),
            models.Index("user", "ticket", name="notification_unread", condition=models.Q(read_at=None)),
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

    @property
    def is_unread(self) -> bool:
        return self.read_at is None

    @property
    def message_number(self) -> int | None:
        """The message it is about."""
        number = self.anchor.removeprefix("m")
        return int(number) if number != self.anchor and number.isdecimal() else None

    @property
    def is_of_status(self) -> bool:
        """Of a mail that was sent, whose status could not be set with it; it is about that line of the history."""
        return self.kind == NotificationKind.SENDING and self.anchor.startswith("e")

    def get_absolute_url(self) -> str:
        """The exact place. The message is named twice: a long thread folds its middle, and opens where it is asked to."""
        address, number = self.ticket.get_absolute_url(), self.message_number
        return f"{address}?message={number}#{self.anchor}" if number else address
