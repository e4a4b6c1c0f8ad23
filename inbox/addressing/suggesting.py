"""Who may be meant by what somebody types into To, Cc or Bcc."""

from __future__ import annotations

from collections.abc import Iterator

from inbox.addressing.desk import OwnAddresses
from inbox.addressing.typed import is_address
from inbox.models import Direction
from people.models import Contact, User
from people.models.contact import normalised
from tickets.models import Ticket

LATEST = 50
"""So many messages of a ticket are asked who is on it."""


def suggested(text: str, ticket: Ticket | None, *, by: User, most: int) -> list[dict[str, str]]:
    """Name, address and what else tells people apart: those on `ticket` first, then contacts. For no text the former."""
    words = " ".join(text.replace("\x00", "").split())[:100]
    own, found = OwnAddresses(), dict[str, dict[str, str]]()
    for name, address, detail in _candidates(words, ticket, by):
        key = normalised(address)
        if not is_address(address) or address in own:
            continue
        if key in found:
            found[key]["name"] = found[key]["name"] or name
        elif len(found) < most:
            found[key] = {"name": name, "address": address, "detail": detail}
    return list(found.values())


def _candidates(words: str, ticket: Ticket | None, by: User) -> Iterator[tuple[str, str, str]]:
    if ticket is not None:
        asked = words.lower().split()
        for name, address in _on(ticket):
            if all(word in f"{name} {address}".lower() for word in asked):
                yield name, address, ""
    if not words:
        return
    for contact in Contact.objects.visible_to(by).matching(words).for_picking()[:20]:
        company = contact.company.name if contact.company else ""
        rows = sorted(contact.addresses.all(), key=lambda row: (words.lower() not in row.address, not row.is_primary))
        for row in rows[:2]:
            yield contact.name, row.address, company


def _on(ticket: Ticket) -> Iterator[tuple[str, str]]:
    """Everybody on the mails of the ticket, the latest first, and its contact."""
    if ticket.contact is not None and ticket.contact.address:
        yield ticket.contact.name, ticket.contact.address
    rows = ticket.messages.exclude(direction=Direction.INTERNAL).order_by("-at", "-pk")
    for name, address, reply_to, to, cc in rows.values_list("from_name", "from_address", "reply_to", "to", "cc")[
        :LATEST
    ]:
        yield name, address
        for entry in [*reply_to, *to, *cc]:
            yield entry.get("name", ""), entry["address"]
