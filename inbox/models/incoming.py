from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from inbox.errors import LeaseLost, NotInQuarantine
from inbox.models.mailbox import Mailbox, MailFolder

if TYPE_CHECKING:
    from people.models import User

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
OVERLOOKED = timedelta(seconds=15)
# A mail whose worker died or that failed for no reason that passes; and one that met a fault that does pass.
MOST_TRIES = 3
MOST_TRIES_OF_PASSING_FAULTS = 5
_PAUSES = [5, 30, 120, 600]
_GAP_PAUSES = [60, 300, 1800, 7200]


class IncomingState(models.TextChoices):
    STORED = "stored", _("Stored")
    PROCESSING = "processing", _("Being processed")
    DONE = "done", _("Done")
    QUARANTINED = "quarantined", _("In quarantine")


class IncomingQuerySet(models.QuerySet["Incoming"]):
    def waiting(self, now: datetime) -> IncomingQuerySet:
        """Stored and due, or taken by a worker whose lease ran out."""
        stored = models.Q(state=IncomingState.STORED) & (models.Q(next_try_at=None) | models.Q(next_try_at__lte=now))
        lost = models.Q(state=IncomingState.PROCESSING, lease_until__lt=now)
        return self.filter(stored | lost)

    def overlooked(self, now: datetime) -> IncomingQuerySet:
        """Waiting for so long that its task must have been lost."""
        return self.waiting(now).exclude(state=IncomingState.STORED, tries=0, stored_at__gt=now - OVERLOOKED)

    @transaction.atomic
    def claim(self, incoming_id: int, *, now: datetime) -> Incoming | None:
        """Take a waiting mail for `LEASE`, its try counted before the work begins. None when it is not to be had."""
        found = self.select_for_update(skip_locked=True, of=("self",)).waiting(now)
        incoming = found.select_related("mailbox").filter(pk=incoming_id).first()
        if incoming is None:
            return None
        incoming.worker_died = incoming.state == IncomingState.PROCESSING
        incoming.state = IncomingState.PROCESSING
        incoming.tries += 1
        incoming.lease_token, incoming.lease_until = uuid.uuid4(), now + LEASE
        incoming.save(update_fields=["state", "tries", "lease_token", "lease_until"])
        return incoming


class Incoming(models.Model):
    """One mail received. The raw bytes are kept as they came; everything else can be made from them again.

    `outcome` is one of opened | appended | duplicate | refused:<name>; "" until done.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.PROTECT, related_name="incoming", verbose_name=_("mailbox"))
    source = models.CharField(
        _("came by"), max_length=10, choices=[("imap", _("IMAP")), ("pipe", _("Pipe")), ("room", _("Mail room"))]
    )
    folder = models.ForeignKey(
        MailFolder, on_delete=models.PROTECT, null=True, blank=True, related_name="incoming", verbose_name=_("folder")
    )
    uidvalidity = models.BigIntegerField(_("UIDVALIDITY"), null=True, blank=True)
    uid = models.BigIntegerField(_("UID"), null=True, blank=True)
    content_hash = models.CharField(
        _("hash"), max_length=64, help_text=_("SHA-256 of the mail without its trace headers.")
    )
    size = models.PositiveBigIntegerField(_("size in bytes"))
    raw = models.FileField(_("raw mail"), upload_to="raw/%Y/%m/%d", max_length=500)
    headers_only = models.BooleanField(
        _("larger than we read"), default=False, help_text=_("Only its header was read, the ticket says so.")
    )
    received_at = models.DateTimeField(
        _("received"), help_text=_("The server's date of arrival, else when it was stored.")
    )
    stored_at = models.DateTimeField(_("stored"), auto_now_add=True)

    state = models.CharField(_("state"), max_length=20, choices=IncomingState.choices, default=IncomingState.STORED)
    outcome = models.CharField(_("outcome"), max_length=60, blank=True)
    error = models.TextField(_("error"), blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="duplicates",
        verbose_name=_("duplicate of"),
    )

    objects = IncomingQuerySet.as_manager()

    worker_died = False  # set by a claim that took the mail over from a worker whose lease ran out
    was_known = False  # set by receiving.store when the same mail was handed in before

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("incoming mail")
        verbose_name_plural = _("incoming mail")
        constraints = [
            models.UniqueConstraint(fields=["folder", "uidvalidity", "uid"], name="incoming_once_in_folder"),
            models.UniqueConstraint(
                fields=["mailbox", "content_hash"], condition=models.Q(folder=None), name="incoming_once_by_pipe"
            ),
        ]
        indexes = [
            models.Index("mailbox", "content_hash", name="incoming_by_hash"),
            models.Index("raw", name="incoming_by_file"),
            models.Index(
                "id",
                name="incoming_waiting",
                condition=models.Q(state__in=[IncomingState.STORED, IncomingState.PROCESSING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.get_state_display()}"

    # Questions

    @property
    def is_settled(self) -> bool:
        return self.state in (IncomingState.DONE, IncomingState.QUARANTINED)

    @property
    def is_beyond_hope(self) -> bool:
        """Another worker died on it, and that was the last of its tries."""
        return self.worker_died and self.tries > MOST_TRIES

    def raw_bytes(self) -> bytes:
        with self.raw.open("rb") as file:
            return bytes(file.read())

    # Verbs of whoever holds the lease. Each raises LeaseLost when another worker has taken over.

    def renew(self, *, now: datetime) -> None:
        """Hold it for longer, once a third of the lease is over."""
        if self.lease_until is None or self.lease_until - now < LEASE * 2 / 3:
            self._write(lease_until=now + LEASE)

    def finish(self, outcome: str, *, duplicate_of: Incoming | None = None) -> None:
        self._settle(IncomingState.DONE, outcome=outcome, error="", duplicate_of=duplicate_of)

    def quarantine(self, error: str) -> None:
        self._settle(IncomingState.QUARANTINED, outcome="", error=error[:4_000])

    def give_back(self, error: str, *, passing: bool, now: datetime, pause: bool = True) -> bool:
        """Let it be tried again, after a pause that grows; False when it has had all its tries."""
        if self.tries >= (MOST_TRIES_OF_PASSING_FAULTS if passing else MOST_TRIES):
            return False
        seconds = _PAUSES[min(self.tries, len(_PAUSES)) - 1] if pause else 0
        self._settle(IncomingState.STORED, error=error[:4_000], next_try_at=now + timedelta(seconds=seconds))
        return True

    # Verbs of people

    @transaction.atomic
    def process_again(self, *, by: User | None = None) -> None:
        """Let a worker try a mail in quarantine anew, as if it had just come. Raises NotInQuarantine."""
        from inbox.tasks import process_incoming

        self.release()
        process_incoming.delay_on_commit(self.pk)
        logger.info("Incoming %d is processed again, asked for by user %s", self.pk, by.pk if by else None)

    def release(self) -> None:
        """Out of quarantine, with all its tries again; what it was told to be in the meantime stands on its ticket."""
        row = Incoming.objects.filter(pk=self.pk, state=IncomingState.QUARANTINED)
        if not row.update(state=IncomingState.STORED, tries=0, next_try_at=None):
            raise NotInQuarantine
        self.state, self.tries, self.next_try_at = IncomingState.STORED, 0, None

    def _settle(self, state: IncomingState, **fields: object) -> None:
        self._write(state=state, lease_token=None, lease_until=None, **fields)

    def _write(self, **fields: object) -> None:
        held = Incoming.objects.filter(pk=self.pk, state=IncomingState.PROCESSING, lease_token=self.lease_token)
        if self.lease_token is None or not held.update(**fields):
            raise LeaseLost
        for name, value in fields.items():
            setattr(self, name, value)


class FetchGap(models.Model):
    """A UID that the server lists but would not give us yet. The fetch position may pass it; it is tried again."""

    folder = models.ForeignKey(MailFolder, on_delete=models.CASCADE, related_name="gaps", verbose_name=_("folder"))
    uidvalidity = models.BigIntegerField(_("UIDVALIDITY"))
    uid = models.BigIntegerField(_("UID"))
    reason = models.TextField(_("reason"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=1)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)

    class Meta:
        verbose_name = _("fetch gap")
        verbose_name_plural = _("fetch gaps")
        constraints = [models.UniqueConstraint(fields=["folder", "uidvalidity", "uid"], name="fetch_gap_once")]

    def __str__(self) -> str:
        return f"{self.folder} · {self.uid}"

    def missed(self, reason: str, *, now: datetime) -> None:
        """The server would not give it, again: wait longer each time, and give up after five."""
        self.reason = reason[:2_000]
        self.tries += 1
        pause = timedelta(seconds=_GAP_PAUSES[self.tries - 1]) if self.tries <= len(_GAP_PAUSES) else None
        self.next_try_at = now + pause if pause else None
        self.save(update_fields=["reason", "tries", "next_try_at"])
