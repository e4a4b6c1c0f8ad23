"""Fetches what is new in a mailbox. The mailbox itself is never changed, not even the mark that a mail was read.

The position is (UIDVALIDITY, last UID). It moves only in the commit that stores the mails it passes, so a fetch that
ends anywhere goes on there. A UID that the server would not give is noted as a gap, which is tried again.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from inbox import receiving
from inbox.channels.imap.connection import BROKEN, opened, select
from inbox.channels.steps import cut
from inbox.errors import LeaseLost
from inbox.models import FetchGap, Incoming, Mailbox, MailFolder
from inbox.receiving import FetchedMail

logger = logging.getLogger(__name__)

ASKED_AT_ONCE = 500
MOST_MAILS = 50
MOST_BYTES = 8 * 1024 * 1024
PART = 4 * 1024 * 1024
# Then the task ends and the next poll goes on: a first import must not keep a worker for hours.
SECONDS = 600
LOST_IN_A_ROW = 3


@dataclass
class Fetched:
    """The new rows, in the order of the mailbox. `busy`: another worker is at it. `unfinished`: there is more."""

    rows: list[Incoming] = field(default_factory=list)
    busy: bool = False
    unfinished: bool = False


@dataclass(frozen=True)
class _Listed:
    uid: int
    size: int
    received_at: datetime


@dataclass(frozen=True)
class Reconciled:
    on_server: int
    stored: int
    missing: list[int]


def begin(mailbox: Mailbox) -> None:
    """Note the position at the moment of connecting: what is there by now is left alone, unless it is to be imported.

    Without it, the first fetch goes by the dates of arrival. Raises what `opened` raises.
    """
    folder = _folder_of(mailbox)
    if folder.uidvalidity is None:
        # A worker that was faster has noted it by dates.
        with contextlib.suppress(LeaseLost), opened(mailbox) as client:
            _take_position(folder, mailbox, client, at_connecting=True)


def fetch(mailbox: Mailbox, *, stored: Callable[[list[Incoming]], None] | None = None) -> Fetched:
    """Everything new, in batches; `stored` hears of each one after its commit. Raises what `opened` raises.

    What was stored before an error stays stored.
    """
    folder = _folder_of(mailbox)
    token = MailFolder.objects.lease(folder.pk, now=timezone.now())
    if token is None:
        return Fetched(busy=True)
    folder.refresh_from_db()  # as whoever had it before has left it
    run = _Run(mailbox, folder, token, stored)
    try:
        run.go()
    except LeaseLost:
        logger.warning("Mailbox %d: another worker has taken over the fetch", mailbox.pk)
        run.result.busy = True
    finally:
        MailFolder.objects.filter(pk=folder.pk, lease_token=token).update(lease_token=None, lease_until=None)
    return run.result


def reconcile(mailbox: Mailbox) -> Reconciled:
    """What the server lists since the point of import, against what is stored. What is missing is noted, and fetched next."""
    folder = _folder_of(mailbox)
    with opened(mailbox) as client:
        state = select(client, folder.name)
        uidvalidity = int(state[b"UIDVALIDITY"])
        known = folder.uidvalidity == uidvalidity
        uids = sorted(client.search(["UNDELETED"]))
        if folder.uidvalidity is not None and known:
            uids = [uid for uid in uids if uid >= folder.first_uid] + [
                one.uid
                for one in _list(client, [uid for uid in uids if uid < folder.first_uid])
                if _wanted(folder, one)
            ]
        elif folder.uidvalidity is None and not mailbox.import_all:
            since = mailbox.import_since or mailbox.created_at.replace(microsecond=0)
            uids = [one.uid for one in _list(client, uids) if one.received_at >= since]
    rows = Incoming.objects.filter(folder=folder, uidvalidity=uidvalidity)
    have = set(rows.values_list("uid", flat=True)) & set(uids)
    missing = sorted(set(uids) - have)
    if known:
        now = timezone.now()
        for uid in missing:
            if uid <= folder.last_uid:
                FetchGap.objects.update_or_create(
                    folder=folder,
                    uidvalidity=uidvalidity,
                    uid=uid,
                    defaults={"reason": "found missing by reconcile", "tries": 0, "next_try_at": now},
                )
    return Reconciled(len(uids), len(have), missing)


class _Run:
    """One fetch by the worker that holds the folder's lease."""

    def __init__(
        self, mailbox: Mailbox, folder: MailFolder, token: uuid.UUID, stored: Callable[[list[Incoming]], None] | None
    ) -> None:
        self.mailbox, self.folder, self.token, self.stored = mailbox, folder, token, stored
        self.result = Fetched()
        self.ends = time.monotonic() + SECONDS
        self.stack = contextlib.ExitStack()
        self.client: IMAPClient
        self.lost_in_a_row = 0

    def go(self) -> None:
        with self.stack:
            self._connect()
            self._retry_gaps()
            # "n:*" names the last mail even when its UID is lower.
            found = self.client.search(["UNDELETED", "UID", f"{self.folder.last_uid + 1}:*"])
            new = sorted(uid for uid in found if uid > self.folder.last_uid)
            for start in range(0, len(new), ASKED_AT_ONCE):
                for batch, last_uid in self._batches(new[start : start + ASKED_AT_ONCE]):
                    if time.monotonic() > self.ends:
                        self.result.unfinished = True
                        return
                    self._take(batch, last_uid)

    def _connect(self) -> None:
        self.stack.close()
        self.client = self.stack.enter_context(opened(self.mailbox))
        _take_position(self.folder, self.mailbox, self.client, token=self.token)

    def _batches(self, uids: list[int]) -> Iterator[tuple[list[_Listed], int]]:
        """What to fetch in one go, and the UID up to which everything is then done."""
        batch: list[_Listed] = []
        size = 0
        for one in _list(self.client, uids):
            if not _wanted(self.folder, one):
                continue
            weight = MOST_BYTES if one.size > _most_bytes() else one.size  # too large: it comes alone, by its header
            if batch and (len(batch) >= MOST_MAILS or size + weight > MOST_BYTES):
                yield batch, batch[-1].uid
                batch, size = [], 0
            batch.append(one)
            size += weight
        # The rest of these UIDs are older than the point of import, or gone.
        yield batch, uids[-1]

    def _take(self, batch: list[_Listed], last_uid: int) -> None:
        self._renew()
        mails, gaps = self._read(batch)
        rows = receiving.store_fetched(self.folder, self.token, mails, last_uid=last_uid, gaps=gaps, now=timezone.now())
        self.result.rows += rows
        if self.stored:
            self.stored(rows)

    def _retry_gaps(self) -> None:
        due = self.folder.gaps.filter(next_try_at__lte=timezone.now())
        uids = list(due.order_by("uid").values_list("uid", flat=True)[:ASKED_AT_ONCE])
        if not uids:
            return
        listed = _list(self.client, uids)
        # Gone from the server in the meantime: there is nothing left to fetch.
        due.filter(uid__in=set(uids) - {one.uid for one in listed}).delete()
        for one in listed:
            self._take([one], 0)

    def _read(self, batch: list[_Listed]) -> tuple[list[FetchedMail], list[tuple[int, str]]]:
        """The mails, and for those that the server would not give the reason."""
        if len(batch) > 1 and all(one.size <= min(MOST_BYTES, _most_bytes()) for one in batch):
            try:
                answers = self.client.fetch([one.uid for one in batch], ["BODY.PEEK[]"])
                mails = [_mail(one, answers.get(one.uid, {}).get(b"BODY[]")) for one in batch]
                if all(mails):
                    return [mail for mail in mails if mail], []
            except BROKEN:
                self._connect()
            except IMAPClientError as problem:
                logger.info("Mailbox %d: fetching one by one after: %s", self.mailbox.pk, cut(problem))
        found: list[FetchedMail] = []
        gaps: list[tuple[int, str]] = []
        for one in batch:
            try:
                mail = self._read_one(one)
                self.lost_in_a_row = 0
            except BROKEN as problem:
                self.lost_in_a_row += 1
                if self.lost_in_a_row >= LOST_IN_A_ROW:
                    raise
                gaps.append((one.uid, cut(problem) or type(problem).__name__))
                self._connect()
                continue
            except IMAPClientError as problem:
                gaps.append((one.uid, cut(problem)))
                continue
            if mail:
                found.append(mail)
            elif self._is_there(one.uid):
                gaps.append((one.uid, "The server lists it, but gives nothing."))
        return found, gaps

    def _read_one(self, one: _Listed) -> FetchedMail | None:
        if one.size > _most_bytes():
            header = self._section(one.uid, "BODY.PEEK[HEADER]", b"BODY[HEADER]")
            return FetchedMail(one.uid, header, one.received_at, one.size, headers_only=True) if header else None
        if one.size > MOST_BYTES:
            return _mail(one, self._in_parts(one))
        return _mail(one, self._section(one.uid, "BODY.PEEK[]", b"BODY[]"))

    def _in_parts(self, one: _Listed) -> bytes:
        """A literal is in memory three times while it is read, so a large mail comes in pieces."""
        whole = bytearray()
        while len(whole) < _most_bytes() + PART:
            self._renew()
            at = len(whole)
            part = self._section(one.uid, f"BODY.PEEK[]<{at}.{PART}>", f"BODY[]<{at}>".encode())
            whole += part or b""
            if not part or len(part) < PART:
                break
        return bytes(whole)

    def _section(self, uid: int, asked: str, key: bytes) -> bytes | None:
        answer = self.client.fetch([uid], [asked]).get(uid, {}).get(key)
        return bytes(answer) if isinstance(answer, bytes) else None

    def _is_there(self, uid: int) -> bool:
        return bool(self.client.fetch([uid], ["UID"]).get(uid))

    def _renew(self) -> None:
        if not MailFolder.objects.renew(self.folder.pk, self.token, now=timezone.now()):
            raise LeaseLost


def _folder_of(mailbox: Mailbox) -> MailFolder:
    folder, _made = MailFolder.objects.get_or_create(mailbox=mailbox, name=mailbox.imap_folder)
    return folder


def _take_position(
    folder: MailFolder,
    mailbox: Mailbox,
    client: IMAPClient,
    *,
    token: uuid.UUID | None = None,
    at_connecting: bool = False,
) -> None:
    """Open the folder, and note where to begin when it was never seen or the server has numbered it anew.

    After a new UIDVALIDITY everything since the point of import is listed again; what we have is known by its hash.
    """
    state = select(client, folder.name)
    uidvalidity = int(state[b"UIDVALIDITY"])
    if folder.uidvalidity == uidvalidity:
        return
    uid_next = int(state.get(b"UIDNEXT") or max(client.search(["ALL"]), default=0) + 1)
    position: dict[str, object] = {"uidvalidity": uidvalidity, "last_uid": 0, "first_uid": uid_next}
    if mailbox.import_all:
        position |= {"first_uid": 1, "import_from": None}
    elif at_connecting and not mailbox.import_since:
        position |= {"last_uid": uid_next - 1, "import_from": None}
    else:
        # A server's dates have no fractions of a second.
        position["import_from"] = mailbox.import_since or mailbox.created_at.replace(microsecond=0)
    held = MailFolder.objects.filter(pk=folder.pk, lease_token=token)
    if not held.update(**position):
        raise LeaseLost
    if folder.uidvalidity is not None:
        logger.warning("Mailbox %d: the server has numbered its mails anew, they are compared", mailbox.pk)
        folder.gaps.exclude(uidvalidity=uidvalidity).delete()
    folder.refresh_from_db()


def _wanted(folder: MailFolder, one: _Listed) -> bool:
    return one.uid >= folder.first_uid or (folder.import_from is not None and one.received_at >= folder.import_from)


def _list(client: IMAPClient, uids: list[int]) -> list[_Listed]:
    """Size and date of those that are still there, by UID."""
    found: list[_Listed] = []
    asked = set(uids)
    for start in range(0, len(uids), ASKED_AT_ONCE):
        answers = client.fetch(uids[start : start + ASKED_AT_ONCE], ["RFC822.SIZE", "INTERNALDATE"])
        found += [
            _Listed(uid, int(said.get(b"RFC822.SIZE") or 0), _aware(said.get(b"INTERNALDATE")))
            for uid, said in answers.items()
            # Servers may speak of other mails in between: of a flag that changed.
            if uid in asked and b"RFC822.SIZE" in said
        ]
    return sorted(found, key=lambda one: one.uid)


def _most_bytes() -> int:
    return int(settings.HELPDESK_MAX_MAIL_MB) * 1024 * 1024


def _aware(date: datetime | None) -> datetime:
    if date is None:
        return timezone.now()
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _mail(one: _Listed, raw: object) -> FetchedMail | None:
    if not isinstance(raw, bytes) or (not raw and one.size):
        return None
    return FetchedMail(one.uid, raw, one.received_at, len(raw) or one.size)
