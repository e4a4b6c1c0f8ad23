"""Which address a team answers from, and whose remote images a user wants to see."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inbox.models.mailbox import Mailbox
from people.models import Team


class ReplyAddress(models.Model):
    """From where a team answers unless a conversation has an address of its own (SPEC S-21a)."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="reply_address", verbose_name=_("team"))
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="default_of", verbose_name=_("mailbox"))

    class Meta:
        verbose_name = _("default reply address")
        verbose_name_plural = _("default reply addresses")

    def __str__(self) -> str:
        return f"{self.team}: {self.mailbox}"


class TrustedSender(models.Model):
    """A user asked for the remote images of this sender once and for all."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    address = models.CharField(_("address"), max_length=320)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("trusted sender")
        verbose_name_plural = _("trusted senders")
        constraints = [models.UniqueConstraint(fields=["user", "address"], name="trusted_sender_once")]

    def __str__(self) -> str:
        return self.address
