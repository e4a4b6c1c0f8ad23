"""Who an answer goes to, and from which mailbox. One pure function decides: `recipients`, in rules.py."""

from inbox.addressing.desk import (
    MOST_RECIPIENTS,
    OwnAddresses,
    Recipients,
    answered_by,
    check_recipients,
    newest_of_customer,
    recipients_for,
    recipients_of,
    why_not,
)
from inbox.addressing.rules import House, Letter, Person, Split, default_kind, recipients
from inbox.addressing.senders import sender_for, senders_for, usual_sender_of
from inbox.addressing.typed import is_address, parse_address, read_addresses, written

__all__ = [
    "MOST_RECIPIENTS",
    "House",
    "Letter",
    "OwnAddresses",
    "Person",
    "Recipients",
    "Split",
    "answered_by",
    "check_recipients",
    "default_kind",
    "is_address",
    "newest_of_customer",
    "parse_address",
    "read_addresses",
    "recipients",
    "recipients_for",
    "recipients_of",
    "sender_for",
    "senders_for",
    "usual_sender_of",
    "why_not",
    "written",
]
