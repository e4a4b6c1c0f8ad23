from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from inbox.models.mailbox import Mailbox
from inbox.models.message import Message


class OutgoingState(models.TextChoices):
    HELD = "held", _("Held")
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DEFERRED = "deferred", _("Waiting for the next try")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    BOUNCED = "bounced", _("Bounced")
    CANCELLED = "cancelled", _("Cancelled")


class OutgoingQuerySet(models.QuerySet["Outgoing"]):
    def due(self, now: datetime) -> OutgoingQuerySet:
        states = [OutgoingState.QUEUED, OutgoingState.DEFERRED]
        return self.filter(state__in=states, due_at__lte=now)

    def abandoned(self, now: datetime) -> OutgoingQuerySet:
        """Claimed by a sender that died: whether the server has the mail depends on `handed_over`."""
        return self.filter(state=OutgoingState.SENDING, lease_until__lt=now)


class Outgoing(models.Model):
    """What is to be sent, and how it went. Written together with its message, claimed before anything is sent."""

    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="outgoing", verbose_name=_("message")
    )
    mailbox = models.ForeignKey(Mailbox, on_delete=models.PROTECT, related_name="outgoing", verbose_name=_("mailbox"))
    state = models.CharField(_("state"), max_length=12, choices=OutgoingState.choices, default=OutgoingState.QUEUED)
    mail_id = models.CharField(_("Message-ID"), max_length=400, unique=True)
    envelope_from = models.CharField(_("envelope sender"), max_length=320)
    mime = models.FileField(_("mail as sent"), upload_to="sent/%Y/%m/%d", max_length=500, blank=True)
    due_at = models.DateTimeField(_("due"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    handed_over = models.BooleanField(
        _("the server may have it"), default=False, help_text=_("Set before the final dot of DATA.")
    )
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_answer = models.TextField(_("the server's last answer"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        indexes = [
            models.Index(
                "due_at",
                name="outgoing_waiting",
                condition=models.Q(state__in=[OutgoingState.QUEUED, OutgoingState.DEFERRED, OutgoingState.SENDING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.get_state_display()}"


class OutgoingRecipient(models.Model):
    """How it went for one address: one server may take some and refuse others."""

    outgoing = models.ForeignKey(
        Outgoing, on_delete=models.CASCADE, related_name="recipients", verbose_name=_("outgoing mail")
    )
    address = models.CharField(_("address"), max_length=320)
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=[
            ("pending", _("Pending")),
            ("accepted", _("Accepted")),
            ("deferred", _("Deferred")),
            ("refused", _("Refused")),
            ("bounced", _("Bounced")),
        ],
        default="pending",
    )
    answer = models.TextField(_("the server's answer"), blank=True)

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        constraints = [models.UniqueConstraint(fields=["outgoing", "address"], name="outgoing_recipient_once")]

    def __str__(self) -> str:
        return self.address
