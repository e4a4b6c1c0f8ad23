"""Mail in: stored first, read later.

`store` makes the bytes durable and writes down that they came; nothing has looked at them yet. `process` claims one
stored mail, has it read in a process that can be killed, and lets it land in one transaction. A worker may die between
any two steps: the row then waits until its lease runs out, and the sweeper finds it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from helpdesk.storage import discard, kept_with_commit
from inbox import landing, reading
from inbox.errors import LeaseLost
from inbox.mime.parse import content_hash
from inbox.models import FetchGap, Incoming, Mailbox, MailFolder
from inbox.refusing import StillSending

logger = logging.getLogger(__name__)

# Faults that say nothing about the mail: the database or the storage is away, a disk is full, no process can start.
PASSING = (OperationalError, InterfaceError, OSError, StillSending)


LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class FetchedMail:
    """One mail as an IMAP server gave it. `size` is the server's figure; `raw` is only the header of a mail too large."""

    uid: int
    raw: bytes
    received_at: datetime
    size: int
    headers_only: bool = False


def store(mailbox: Mailbox, raw: bytes, *, source: str, now: datetime, received_at: datetime | None = None) -> Incoming:
    """Keep a mail that was handed to us ("pipe" or "room"): when this comes back it is on the disk and in the database.

    The same mail handed in twice to one mailbox is one row; `incoming.was_known` tells. The caller queues
    inbox.tasks.process_incoming or calls `process`.
    """
    digest = content_hash(raw)
    known = Incoming.objects.filter(mailbox=mailbox, content_hash=digest, folder=None)
    row = known.first()
    if row is None:
        row = Incoming(
            mailbox=mailbox,
            source=source,
            content_hash=digest,
            size=len(raw),
            headers_only=len(raw) > settings.HELPDESK_MAX_MAIL_MB * 1024 * 1024,
            received_at=received_at or now,
        )
        try:
            with kept_with_commit() as files, transaction.atomic():
                row.raw.name = _keep(raw, files, now)
                row.save()
            return row
        except IntegrityError:
            row = known.get()  # handed in by two at once: the other one's row stands
    row.was_known = True
    return row


def store_fetched(
    folder: MailFolder,
    token: uuid.UUID,
    mails: Sequence[FetchedMail],
    *,
    last_uid: int,
    now: datetime,
    gaps: Sequence[tuple[int, str]] = (),
) -> list[Incoming]:
    """Keep what was fetched and move the fetch position, both or neither. Returns the new rows that await processing.

    `gaps` are the (uid, reason) that the server would not give. Raises LeaseLost when another worker has the folder.
    """
    uidvalidity = folder.uidvalidity
    if uidvalidity is None:
        raise ValueError("The folder has no position yet.")
    rows: dict[int, Incoming] = {}
    with kept_with_commit() as files:
        for mail in mails:
            row = Incoming(
                mailbox_id=folder.mailbox_id,
                source="imap",
                folder=folder,
                uidvalidity=uidvalidity,
                uid=mail.uid,
                content_hash=content_hash(mail.raw),
                size=mail.size,
                headers_only=mail.headers_only,
                received_at=mail.received_at,
            )
            row.raw.name = _keep(mail.raw, files, now)
            rows[mail.uid] = row
        with transaction.atomic():
            held = MailFolder.objects.select_for_update().filter(
                pk=folder.pk, lease_token=token, uidvalidity=uidvalidity
            )
            position = held.first()
            if position is None:
                raise LeaseLost
            # Whoever writes here holds the folder's row, so what is not there now will not be.
            there = Incoming.objects.filter(folder=folder, uidvalidity=uidvalidity, uid__in=rows)
            known = set(there.values_list("uid", flat=True))
            new = [row for uid, row in rows.items() if uid not in known]
            Incoming.objects.bulk_create(new)
            FetchGap.objects.filter(folder=folder, uidvalidity=uidvalidity, uid__in=rows).delete()
            _note_gaps(folder, uidvalidity, gaps, now)
            if last_uid > position.last_uid:
                held.update(last_uid=last_uid)
    for uid in rows.keys() & known:
        discard(str(rows[uid].raw.name))
    folder.last_uid = max(folder.last_uid, last_uid)
    return new


def process(incoming_id: int, *, now: datetime | None = None, hurried: bool = False) -> Incoming:
    """Work on one stored mail, once. What becomes of it stands on the row; a mail that is taken or settled is left alone.

    `hurried` tries again without a pause what failed for no reason that passes. Raises nothing that the mail is to blame for. While the database is away it raises that, and the row is tried again.
    """
    with reading.readers:  # before it is claimed, or the claim would run out while it waits
        return _process(incoming_id, _clock(now), hurried)


def _process(incoming_id: int, clock: Callable[[], datetime], hurried: bool) -> Incoming:
    incoming = Incoming.objects.claim(incoming_id, now=clock())
    if incoming is None:
        return Incoming.objects.select_related("mailbox").get(pk=incoming_id)
    try:
        if incoming.is_beyond_hope:
            landing.land_unreadable(incoming, "Its worker died each time it was tried.", now=clock())
        else:
            _work_on(incoming, clock, hurried)
    except LeaseLost:
        logger.warning("Incoming %d: another worker has taken over", incoming.pk)
    logger.info("Incoming %d: %s %s", incoming.pk, incoming.state, incoming.outcome)
    return incoming


def settle(incoming_id: int) -> Incoming:
    """`process` until it is settled, for a command that waits: its tries follow each other without pauses.

    Faults that pass are waited for, for half a minute; then, or when another worker has it for as long, the row comes
    back as it is and the sweeper goes on with it.
    """
    ends = time.monotonic() + LONGEST_WAIT
    while True:
        incoming = process(incoming_id, hurried=True)
        if incoming.is_settled or time.monotonic() > ends:
            return incoming
        time.sleep(0.2)


def process_again(incoming: Incoming) -> Incoming:
    """Try a mail in quarantine anew and wait for what becomes of it. Raises NotInQuarantine."""
    incoming.release()
    return settle(incoming.pk)


def _work_on(incoming: Incoming, clock: Callable[[], datetime], hurried: bool) -> None:
    try:
        raw = incoming.raw_bytes()
        incoming.renew(now=clock())
        mail = reading.read(raw, headers_only=incoming.headers_only)
        incoming.renew(now=clock())
        landing.land(incoming, mail, now=clock())
    except LeaseLost:
        raise
    except reading.Unreadable as problem:
        _fail(incoming, str(problem), pause=not hurried, now=clock())
    except Exception as problem:
        # The edge of the worker: whatever this is, the next mail goes on.
        passing = _passes(problem)
        if not passing:
            logger.exception("Incoming %d could not be processed", incoming.pk)
        _fail(
            incoming,
            f"{type(problem).__name__}: {problem}",
            passing=passing,
            pause=passing or not hurried,
            now=clock(),
        )


def _passes(problem: Exception) -> bool:
    # Whatever an S3 storage raises comes from botocore, which is not loaded for a folder.
    return isinstance(problem, PASSING) or type(problem).__module__.partition(".")[0] == "botocore"


def _fail(incoming: Incoming, error: str, *, pause: bool, now: datetime, passing: bool = False) -> None:
    logger.warning("Incoming %d, try %d: %s", incoming.pk, incoming.tries, error.split("\n")[0])
    if not incoming.give_back(error, passing=passing, pause=pause, now=now):
        landing.land_unreadable(incoming, error, now=now)


def _note_gaps(folder: MailFolder, uidvalidity: int, gaps: Sequence[tuple[int, str]], now: datetime) -> None:
    for uid, reason in gaps:
        gap, _made = FetchGap.objects.get_or_create(
            folder=folder, uidvalidity=uidvalidity, uid=uid, defaults={"reason": reason, "tries": 0}
        )
        gap.missed(reason, now=now)


def _keep(raw: bytes, files: list[str], now: datetime) -> str:
    name = default_storage.save(f"raw/{now:%Y/%m/%d}/{uuid.uuid4().hex}.eml", ContentFile(raw))
    files.append(name)
    return name


def _clock(now: datetime | None) -> Callable[[], datetime]:
    """The time, or the time that a test has set."""
    return (lambda: now) if now else timezone.now
