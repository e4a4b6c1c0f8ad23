"""In which states a mail and each of its recipients can be, and which of them mean the same to whom."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OutgoingState(models.TextChoices):
    HELD = "held", _("Held")
    QUEUED = "queued", _("Queued")
    SENDING = "sending", pgettext_lazy("state of a mail", "Sending")
    SENT = "sent", _("Sent")
    DEFERRED = "deferred", _("Waiting for the next try")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    BOUNCED = "bounced", _("Bounced")
    CANCELLED = "cancelled", _("Cancelled")


class NotSent(models.TextChoices):
    """Why one was cancelled that stays in the conversation, because its text would be lost otherwise."""

    TAKEN_BACK = "taken back", _("It was taken back.")
    ANSWERED = "answered", _("The customer wrote first.")
    IN_TRASH = "in trash", _("The ticket was in the trash when it was to leave.")
    STOPPED = "stopped", _("A colleague of its writer stopped it.")
    WRITER_GONE = "writer gone", _("Its writer was not with us any more when it was to leave.")


class RecipientState(models.TextChoices):
    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", _("Accepted")
    DEFERRED = "deferred", _("Deferred")
    REFUSED = "refused", _("Refused")
    BOUNCED = "bounced", _("Bounced")


# For a sender; at any moment; still on its way; what people should look at; what they may try again.
WAITING = (OutgoingState.QUEUED, OutgoingState.DEFERRED)
READY = (OutgoingState.HELD, *WAITING)
LEAVING = (OutgoingState.QUEUED, OutgoingState.SENDING)
PENDING = (OutgoingState.HELD, OutgoingState.SENDING, *WAITING)
FAILED = (OutgoingState.FAILED, OutgoingState.BOUNCED, OutgoingState.UNKNOWN)
RETRYABLE = (OutgoingState.FAILED, OutgoingState.UNKNOWN, OutgoingState.DEFERRED)
NOT_DELIVERED = [OutgoingState.FAILED, OutgoingState.BOUNCED]
NOT_KNOWN_TO_ARRIVE = [*NOT_DELIVERED, OutgoingState.UNKNOWN]
