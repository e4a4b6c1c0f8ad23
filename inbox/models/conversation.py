from __future__ import annotations

from datetime import datetime

from django.db import models, transaction
from django.db.models.functions import Left
from django.utils.translation import gettext_lazy as _

from inbox.errors import MayNotReply
from inbox.models.channel import ChannelKind
from inbox.models.mailbox import Mailbox
from people.models import Contact, User
from tickets.models import Pipeline, Source, Ticket


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: User) -> ConversationQuerySet:
        """Those of visible tickets; those without a ticket for whoever sees everything unassigned and may make one."""
        seen = models.Q(ticket__in=Ticket.objects.visible_to(user).values("pk"))
        if user.may_reply and (user.is_admin or user.sees_unassigned):
            seen |= models.Q(ticket=None)
        return self.filter(seen)

    def for_list(self) -> ConversationQuerySet:
        """Everything that the list of conversations without a ticket prints, so a row costs no query of its own."""
        from inbox.models.message import Message

        newest = Message.objects.filter(conversation=models.OuterRef("pk")).order_by("-at", "-pk")
        return (
            self.select_related("mailbox", "contact")
            .prefetch_related("contact__addresses")
            .annotate(
                newest_at=models.Subquery(newest.values("at")[:1]),
                preview=Left(models.Subquery(newest.values("text")[:1]), 200),
            )
        )


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

    @transaction.atomic
    def make_ticket(self, *, by: User, now: datetime) -> Ticket:
        """Open a ticket of what was said so far, by the rules of the mailbox. One that has a ticket keeps it.

        Raises MayNotReply.
        """
        if not by.may_reply:
            raise MayNotReply
        self.refresh_from_db(
            from_queryset=Conversation.objects.select_for_update(no_key=True, of=("self",)).select_related("ticket")
        )
        if self.ticket is not None:
            return self.ticket

        box = self.mailbox
        pipeline = (box.pipeline if box else None) or Pipeline.first()
        status = box.status if box and box.status and box.status.pipeline_id == pipeline.pk else None
        ticket = Ticket.objects.begin(
            str(self),
            pipeline=pipeline,
            status=status,
            source=Source(self.kind),
            contact=self.contact,
            owner=box.owner if box and box.owner and box.owner.may_reply else None,
            team=box.team if box else None,
            by=by,
            now=now,
        )
        self.ticket = ticket
        self.save(update_fields=["ticket"])
        for message in self.messages.order_by("at", "pk"):
            message.ticket = message.origin = ticket
            message.save(update_fields=["ticket", "origin"])
            ticket.heard(
                at=message.at,
                preview=message.text,
                has_attachments=message.attachments.filter(inline=False).exists(),
            )
        return ticket
