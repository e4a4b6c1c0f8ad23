from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from inbox.models.channel import ChannelKind
from inbox.models.mailbox import Mailbox
from people.models import Contact, User
from tickets.models import Ticket


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: User) -> ConversationQuerySet:
        """Those of visible tickets; those without a ticket for whoever sees everything unassigned and may make one."""
        seen = models.Q(ticket__in=Ticket.objects.visible_to(user).values("pk"))
        if user.may_reply and (user.is_admin or user.sees_unassigned):
            seen |= models.Q(ticket=None)
        return self.filter(seen)


class Conversation(models.Model):
    """One thread with a contact over one channel. A ticket has none, one, or after a merge several."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, null=True, blank=True, related_name="conversations", verbose_name=_("ticket")
    )
    kind = models.CharField(_("channel"), max_length=10, choices=ChannelKind.choices, default=ChannelKind.EMAIL)
    mailbox = models.ForeignKey(
        Mailbox,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="conversations",
        verbose_name=_("mailbox"),
    )
    contact = models.ForeignKey(
        Contact,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="conversations",
        verbose_name=_("contact"),
    )
    subject = models.CharField(_("subject"), max_length=998, blank=True)
    created_at = models.DateTimeField(_("begun"))

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")

    def __str__(self) -> str:
        return self.subject or str(_("(no subject)"))
