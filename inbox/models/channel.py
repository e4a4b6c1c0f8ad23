from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Team
from tickets.models import Pipeline, Status


class ChannelKind(models.TextChoices):
    EMAIL = "email", _("Email")
    CHAT = "chat", _("Chat")
    FORM = "form", _("Form")
    CALL = "call", _("Call")


class Channel(models.Model):
    """What every way to reach us shares: a name, whether it is on, and what becomes of what comes in."""

    name = models.CharField(_("name"), max_length=100, help_text=_("Shown to customers as the sender."))
    enabled = models.BooleanField(_("on"), default=True)
    makes_tickets = models.BooleanField(
        _("make a ticket for every new conversation"),
        default=True,
        help_text=_("When off, conversations are kept without a ticket until somebody makes one."),
    )
    pipeline = models.ForeignKey(
        Pipeline,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("pipeline for new tickets"),
    )
    status = models.ForeignKey(
        Status,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("status of new tickets"),
    )
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("team")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name
