"""The mail room: where a newcomer's mails go when the help desk runs on its own machine only.

What is for a team address becomes a ticket like any mail; everything else is kept to be read on the page "Customer's
side". Nothing leaves the machine. It cannot be switched on beside a production setting (see `HELPDESK_MAIL_ROOM`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import receiving
from inbox.models import Incoming, Mailbox, RoomMail
from inbox.models.room import desk_address
from inbox.tasks import process_incoming
from people.models import User
from people.models.contact import normalised

logger = logging.getLogger(__name__)


class MailRoomClosed(Exception):
    """`str()` says why, and what to do."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The mail room is for trying out the help desk on one machine, so it is closed beside production "
                "settings like DATABASE_URL, REDIS_URL or a public address. Unset those and set HELPDESK_MAIL_ROOM=on "
                "to open it."
            )
        )


class NoSuchRecipient(Exception):
    """Nobody here has this address. `str()` is what the SMTP server answers."""


@dataclass(frozen=True)
class Delivered:
    kept: RoomMail
    incoming: list[Incoming]


def insist_on_open() -> None:
    """Raises MailRoomClosed."""
    if not settings.HELPDESK_MAIL_ROOM:
        raise MailRoomClosed


def mailboxes() -> list[Mailbox]:
    """The team addresses that the room delivers to; the others fetch their mail from a server of their own."""
    return list(Mailbox.objects.filter(enabled=True, imap_host="").order_by("pk"))


def check_recipient(recipient: str, *, sender: str) -> None:
    """Raise NoSuchRecipient where a mail server of the desk's domain would refuse.

    What the desk itself sends is taken whoever it is for, so that it is seen here and nowhere else.
    """
    recipient = normalised(recipient)
    if not sender or _is_ours(sender):
        return
    mailbox = Mailbox.objects.filter(address=recipient).first()
    if mailbox and not mailbox.enabled:
        raise NoSuchRecipient(f"<{recipient}>: this mailbox is switched off")
    if mailbox and mailbox.fetches:
        raise NoSuchRecipient(f"<{recipient}>: this mailbox fetches its mail from {mailbox.imap_host}, send it there")
    domain = recipient.rpartition("@")[2]
    our_domain = Mailbox.objects.filter(address__endswith=f"@{domain}").exists()
    if not mailbox and our_domain and not User.objects.filter(email=recipient).exists():
        raise NoSuchRecipient(f"<{recipient}>: no mailbox with this address")


def deliver(raw: bytes, *, sender: str, recipients: Sequence[str], now: datetime | None = None) -> Delivered:
    """Store the mail durably for every team address among the recipients, and keep it for everyone else to read.

    When it comes back, nothing can be lost; when it raises, the sender tries again and nothing comes twice.
    """
    now = now or timezone.now()
    wanted = {normalised(recipient) for recipient in recipients}
    incoming = [
        receiving.store(mailbox, raw, source="room", now=now) for mailbox in mailboxes() if mailbox.address in wanted
    ]
    # Last, since a second try would keep it twice.
    kept = RoomMail.objects.keep(raw, sender=sender, recipients=recipients, now=now)
    for one in incoming:
        process_incoming.delay_on_commit(one.pk)
    logger.info("Mail room: %d bytes taken, for %d mailboxes", len(raw), len(incoming))
    return Delivered(kept, incoming)


def _is_ours(sender: str) -> bool:
    sender = normalised(sender)
    return sender == desk_address() or Mailbox.objects.filter(address=sender).exists()
