from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inbox.errors import AlreadyReplaced, CannotTryAgain, MayNotReply, NotYours, TicketInTrash
from inbox.models.mailbox import Mailbox
from inbox.models.message import Message
from inbox.models.outgoing import lease
from inbox.models.outgoing.due import HELD_AT_MOST, OutgoingQuerySet, queue
from inbox.models.outgoing.judging import pause_after, said_of_unknown, state_after
from inbox.models.outgoing.news import show_how_it_fared, tell_colleagues, tell_writer
from inbox.models.outgoing.states import (
    FAILED,
    LEAVING,
    NOT_DELIVERED,
    PENDING,
    RETRYABLE,
    NotSent,
    OutgoingState,
    RecipientState,
)
from tickets.models import Ticket

if TYPE_CHECKING:
    from inbox.channels.smtp.sending import Outcome
    from people.models import User

logger = logging.getLogger(__name__)

A_LITTLE_LATER = 0.1
"""Seconds after the undo window, so that a worker whose clock is a little ahead does not come too early."""


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
    scheduled = models.BooleanField(
        _("sent later"), default=False, help_text=_("Its writer chose when it leaves, beyond the undo window.")
    )
    cancel_if_answered = models.BooleanField(_("not sent if the contact writes first"), default=False)
    on_leaving: models.JSONField[dict[str, Any]] = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text=_("What it does to the ticket when it leaves, for one that is sent later."),
    )
    before: models.JSONField[dict[str, Any]] = models.JSONField(
        default=dict, blank=True, editable=False, help_text=_("The ticket as it was, for undoing.")
    )
    replaced_by = models.ForeignKey(
        Message,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("replaced by"),
        help_text=_("Written anew, because this one did not arrive."),
    )
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
            models.Index("mime", name="outgoing_file"),
            models.Index(
                "due_at",
                name="outgoing_waiting",
                condition=models.Q(
                    state__in=[
                        OutgoingState.HELD,
                        OutgoingState.QUEUED,
                        OutgoingState.DEFERRED,
                        OutgoingState.SENDING,
                    ]
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.get_state_display()}"

    # Questions

    @property
    def can_be_tried_again(self) -> bool:
        """By a person: for `unknown` that person has asked the customer, or takes the risk of a second copy."""
        return self.state in RETRYABLE

    @property
    def is_leaving(self) -> bool:
        """Whoever wrote it hears within seconds how it went."""
        return self.state in LEAVING or self.is_held_back

    @property
    def is_held_back(self) -> bool:
        """For the seconds in which its writer can undo that they sent it."""
        return self.state == OutgoingState.HELD and not self.scheduled

    @property
    def is_scheduled(self) -> bool:
        return self.state == OutgoingState.HELD and self.scheduled

    @property
    def seconds_left(self) -> int:
        """Until what is held leaves."""
        left = self.due_at - timezone.now()
        if self.is_held_back and left > HELD_AT_MOST:
            return 0
        return max(0, math.ceil(left.total_seconds()))

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING

    @property
    def is_failed(self) -> bool:
        return self.state in FAILED

    @property
    def is_cancelled(self) -> bool:
        return self.state == OutgoingState.CANCELLED

    @property
    def reached(self) -> list[str]:
        """Whose server has it: they do not get it again, however it goes with the others."""
        return [one.address for one in self.recipients.all() if one.state == RecipientState.ACCEPTED]

    @property
    def why_not_sent(self) -> str:
        """Of one that was cancelled."""
        return str(dict(NotSent.choices).get(self.last_answer, ""))

    # Verbs

    def send_later(self) -> None:
        """Hand it to a worker after commit, or when its time comes.

        What is to leave hours from now is left to the sweeper: a queue forgets, and delivers twice what it holds long.
        """
        from inbox.tasks import deliver

        if self.state != OutgoingState.HELD:
            deliver.delay_on_commit(self.pk)
        elif not self.scheduled:
            seconds = (self.due_at - timezone.now()).total_seconds()
            deliver.apply_async_on_commit((self.pk,), countdown=max(0.0, seconds) + A_LITTLE_LATER)

    def let_go(self, *, by: User, now: datetime) -> bool:
        """Let what is held leave now. False when it has left, or was taken back, already.

        Raises NotYours for whoever has not written it, and TicketInTrash.
        """
        if self.message.author_id != by.pk:
            raise NotYours
        if self.message.ticket is not None and self.message.ticket.trashed_at is not None:
            raise TicketInTrash
        released = Outgoing.objects.held().filter(pk=self.pk).update(due_at=now, scheduled=False)
        if released:
            self.refresh_from_db(fields=["due_at", "scheduled"])
            self.send_later()
        return bool(released)

    def stop(self) -> bool:
        """Take it back from whoever would send it: of this and a claim exactly one wins. False when the claim did."""
        return bool(Outgoing.objects.held().filter(pk=self.pk).update(state=OutgoingState.CANCELLED))

    def keep_unsent(self, why: NotSent) -> None:
        """What was stopped stays in the conversation with its text, for whoever may reply to write it anew."""
        Outgoing.objects.filter(pk=self.pk, state=OutgoingState.CANCELLED).update(
            last_answer=why, scheduled=False, before={}, on_leaving={}
        )
        self.refresh_from_db()
        # The form it was written in has sent nothing after all.
        Message.objects.filter(pk=self.message_id).update(form_key=None)

    def send_now(self, *, now: datetime | None = None) -> None:
        """Try once, if it is due, nobody else does, nothing of the ticket goes before it and its server is free for it.
        Ends with the outcome stored, and with what waited for that queued.

        Never inside a transaction: what happens between us and the server must stand in the database at once.
        """
        from inbox.channels.smtp.sending import send
        from inbox.channels.smtp.turns import turn

        if not Outgoing.objects.due(now or timezone.now()).filter(pk=self.pk).exists():
            return  # and takes the turn of no other
        with turn(self.mailbox) as ours:
            if not ours or not self._claim(now or timezone.now()):
                return
            with lease.renewed(self):
                outcome = send(self)
            self._settle(outcome, now or timezone.now())
        for pk in Outgoing.objects.waiting_for(self, timezone.now()):
            queue(pk)

    @transaction.atomic
    def bounced(self, recipients: Iterable[OutgoingRecipient], answer: str, *, now: datetime | None = None) -> None:
        """A server that had taken the mail gave it back, for `recipients`."""
        ticket = self._locked_ticket()
        for one in recipients:
            one.state, one.answer = RecipientState.BOUNCED, answer
            one.save(update_fields=["state", "answer"])
        mine = Outgoing.objects.filter(pk=self.pk).exclude(state=OutgoingState.SENDING)
        noted = mine.update(state=OutgoingState.BOUNCED, last_answer=answer)
        if noted and ticket and self.state not in NOT_DELIVERED:
            ticket.not_delivered(at=now or timezone.now())
            tell_writer(self, ticket, now or timezone.now())

    @transaction.atomic
    def call_unknown(self, *, now: datetime) -> bool:
        """Its sender died after the server may have had it. False when that sender, or another sweeper, was faster."""
        ticket = self._locked_ticket()
        lost = Outgoing.objects.abandoned(now).filter(pk=self.pk, handed_over=True)
        unknown = lost.update(
            state=OutgoingState.UNKNOWN,  # the token stays: a sender that comes back knows better
            lease_until=None,
            last_answer=said_of_unknown(gettext("The connection ended before the server answered.")),
        )
        if unknown and ticket:
            self.state = OutgoingState.UNKNOWN
            ticket.mark_undelivered(True)
            tell_colleagues(self, ticket, now)
        return bool(unknown)

    @transaction.atomic
    def give_up(self, *, now: datetime) -> bool:
        """Not tried again by itself. False when a sender has it, or nothing waits for a next try."""
        ticket = self._locked_ticket()
        given_up = Outgoing.objects.filter(pk=self.pk, state=OutgoingState.DEFERRED).update(state=OutgoingState.FAILED)
        if given_up:
            self.refresh_from_db()
            if ticket:
                ticket.not_delivered(at=now)
        return bool(given_up)

    @transaction.atomic
    def try_again(self, *, by: User, now: datetime | None = None) -> None:
        """Send the same bytes under the same Message-ID, to whoever has not got them. Raises CannotTryAgain."""
        now = now or timezone.now()
        if not by.may_reply:
            raise MayNotReply
        if self.message.ticket is not None and self.message.ticket.trashed_at is not None:
            raise TicketInTrash
        ticket, failed = self._locked_ticket(), self.state == OutgoingState.FAILED
        if Outgoing.objects.filter(pk=self.pk).exclude(replaced_by=None).exists():
            raise AlreadyReplaced  # or the customer gets it twice
        if not Outgoing.objects.filter(pk=self.pk, state__in=RETRYABLE).update(
            state=OutgoingState.QUEUED, due_at=now, tries=0, handed_over=False, lease_token=None, last_answer=""
        ):
            raise CannotTryAgain
        self.recipients.exclude(state=RecipientState.ACCEPTED).update(state=RecipientState.PENDING, answer="")
        self.refresh_from_db()
        if ticket and failed and not self._was_answered(ticket):
            ticket.sent_again(by=by, at=now)
        show_how_it_fared(self, ticket, now)
        logger.info("Outgoing %d: tried again by user %d", self.pk, by.pk)
        self.send_later()

    def hand_over(self) -> bool:
        """Write down that the server may have the mail from now on. False when the claim was lost: then it must not."""
        self.handed_over = True
        return bool(
            Outgoing.objects.filter(
                pk=self.pk, state=OutgoingState.SENDING, lease_token=self.lease_token, lease_until__gt=timezone.now()
            ).update(handed_over=True)
        )

    # How send_now goes, in the order called

    @transaction.atomic
    def _claim(self, now: datetime) -> bool:
        # Whoever sends for this ticket decides one after the other who is next.
        ticket = self._locked_ticket()
        if ticket and ticket.trashed_at is not None and Outgoing.objects.due(now).held().filter(pk=self.pk).exists():
            from inbox.undoing import stop_in_trash

            stop_in_trash(self, ticket, now=now)
            return False
        if ticket and self.scheduled and self._is_due_without_writer(now):
            from inbox.undoing import stop_without_writer

            stop_without_writer(self, ticket, now=now)
            return False
        token = uuid.uuid4()
        claimed = (
            Outgoing.objects.due(now)
            .next_of_their_ticket()
            .filter(pk=self.pk)
            .update(
                state=OutgoingState.SENDING,
                tries=models.F("tries") + 1,
                handed_over=False,
                lease_token=token,
                lease_until=timezone.now() + lease.LEASE,
            )
        )
        if claimed:
            self.refresh_from_db()
            if self.on_leaving:
                from inbox.replying.leaving import leave

                leave(self, ticket, now)
        return bool(claimed)

    def _is_due_without_writer(self, now: datetime) -> bool:
        """Nobody stands behind what somebody scheduled who has been switched off, or deleted, since."""
        mine = Outgoing.objects.due(now).held().filter(pk=self.pk, scheduled=True)
        return mine.exclude(message__author__is_active=True).exists()

    @transaction.atomic
    def _settle(self, outcome: Outcome, now: datetime) -> None:
        """Store how it went, also when the sweeper gave this sender up for dead and called the mail unknown."""
        ticket = self._locked_ticket()
        states = [OutgoingState.SENDING, OutgoingState.UNKNOWN]
        mine = Outgoing.objects.select_for_update().filter(pk=self.pk, state__in=states, lease_token=self.lease_token)
        was = mine.values_list("state", flat=True).first()
        if was is None:
            logger.warning("Outgoing %d: its claim was lost while it was sent", self.pk)
            return
        for address, (state, answer) in outcome.recipients.items():
            self.recipients.filter(address=address).update(state=state, answer=answer)
        self.state, self.last_answer = state_after(self, outcome), outcome.answer
        self.lease_token = self.lease_until = None
        self.handed_over = self.state in (OutgoingState.SENT, OutgoingState.UNKNOWN)
        if self.state == OutgoingState.SENT:
            self.sent_at = now
        elif self.state == OutgoingState.DEFERRED:
            self.due_at = now + pause_after(self.tries)
        self.save(
            update_fields=[
                "state", "last_answer", "lease_token", "lease_until", "handed_over", "sent_at", "due_at"
            ]
        )  # fmt: skip
        show_how_it_fared(self, ticket, now)
        if was != OutgoingState.UNKNOWN:
            tell_colleagues(self, ticket, now)
        if outcome.account_fault:
            self.mailbox.sending_failed(outcome.answer, until=self.due_at)
        elif outcome.reached_server:
            self.mailbox.sending_works(now=now)
        logger.info("Outgoing %d: %s after %d tries", self.pk, self.state, self.tries)

    def _locked_ticket(self) -> Ticket | None:
        """The ticket it answers, before any row of outgoing mail is locked: everybody in the same order."""
        return Ticket.objects.select_for_update(of=("self",)).filter(messages=self.message_id).first()

    def _was_answered(self, ticket: Ticket) -> bool:
        """Whether the contact wrote after it was written."""
        return ticket.last_inbound_at is not None and ticket.last_inbound_at > self.message.at


class OutgoingRecipient(models.Model):
    """How it went for one address: one server may take some and refuse others."""

    outgoing = models.ForeignKey(
        Outgoing, on_delete=models.CASCADE, related_name="recipients", verbose_name=_("outgoing mail")
    )
    address = models.CharField(_("address"), max_length=320)
    state = models.CharField(_("state"), max_length=12, choices=RecipientState.choices, default=RecipientState.PENDING)
    answer = models.TextField(_("the server's answer"), blank=True)

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        constraints = [models.UniqueConstraint(fields=["outgoing", "address"], name="outgoing_recipient_once")]

    def __str__(self) -> str:
        return self.address
