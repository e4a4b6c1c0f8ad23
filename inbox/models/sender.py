"""Which address a team answers from, and whose remote images a user wants to see."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inbox.models.mailbox import Mailbox
from people.models import Team, User


class ReplyAddress(models.Model):
    """From where a team answers unless a conversation has an address of its own (SPEC S-21a)."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="reply_address", verbose_name=_("team"))
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="default_of", verbose_name=_("mailbox"))

    class Meta:
        verbose_name = _("default reply address")
        verbose_name_plural = _("default reply addresses")

    def __str__(self) -> str:
        return f"{self.team}: {self.mailbox}"


class TrustedSenderQuerySet(models.QuerySet["TrustedSender"]):
    def visible_to(self, user: User) -> TrustedSenderQuerySet:
        """Whom one trusts is one's own affair."""
        return self.filter(user=user)

    def among(self, user: User, addresses: Iterable[str]) -> frozenset[str]:
        """Those of `addresses`, in small letters, whose images `user` wants to see."""
        asked = {address.lower() for address in addresses if address}
        return frozenset(self.visible_to(user).filter(address__in=asked).values_list("address", flat=True))

    def trust(self, user: User, address: str) -> None:
        """From now on; again changes nothing."""
        self.bulk_create([self.model(user=user, address=address.lower())], ignore_conflicts=True)


class TrustedSender(models.Model):
    """A user asked for the remote images of this sender once and for all."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    address = models.CharField(_("address"), max_length=320)  # in small letters
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TrustedSenderQuerySet.as_manager()

    class Meta:
        verbose_name = _("trusted sender")
        verbose_name_plural = _("trusted senders")
        constraints = [models.UniqueConstraint(fields=["user", "address"], name="trusted_sender_once")]

    def __str__(self) -> str:
        return self.address
