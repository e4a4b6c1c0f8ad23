"""Names that stand for something about the ticket at hand: `{{ contact.first_name|there }}` is "Elina", or "there".

A closed list, replaced by a search for these names and nothing else: no template engine ever sees what people write.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, unquote

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people.models import Contact, User

if TYPE_CHECKING:
    from tickets.models import Ticket


class Sender(Protocol):
    """What is asked of a mailbox, which belongs to an app above this one."""

    name: str
    address: str


NAMES: dict[str, str | Promise] = {
    "contact.name": _("Contact's name"),
    "contact.first_name": _("Contact's first name"),
    "contact.email": _("Contact's email"),
    "company.name": _("Company's name"),
    "ticket.number": _("Ticket's number"),
    "ticket.name": _("Ticket's name"),
    "ticket.status": _("Ticket's status"),
    "agent.name": _("Your name"),
    "agent.first_name": _("Your first name"),
    "agent.email": _("Your email"),
    "mailbox.name": _("Mailbox's name"),
    "mailbox.address": _("Mailbox's address"),
}

_SPACE = r"(?:\s|&nbsp;|&#160;)*+"
_PLACEHOLDER = re.compile(
    rf"\{{\{{{_SPACE}(?P<name>[a-z_]+\.[a-z_]+){_SPACE}(?:\|(?P<usual>[^{{}}<>|]{{0,200}}))?\}}\}}", re.IGNORECASE
)
# In the address of a link spaces and brackets may be written otherwise.
_IN_ADDRESS = re.compile(
    r"(?:\{|%7B){2}(?:\s|&nbsp;|%20)*+(?P<name>[a-z_]+\.[a-z_]+)(?:\s|&nbsp;|%20)*+"
    r"(?:(?:\||%7C)(?P<usual>(?:(?!%7D)[^{}<>|]){0,200}))?(?:\}|%7D){2}",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"<[a-zA-Z][^<>]*>")
_ADDRESS = re.compile(r'(?<= href=")[^"]*')
_LEFT = re.compile(r"\{\{[^{}\n]{0,200}\}\}")
_EDGES = re.compile(rf"^{_SPACE}|(?:\s|&nbsp;|&#160;)+$")


def values_for(ticket: Ticket, user: User, mailbox: Sender | None = None) -> dict[str, str]:
    """What each name stands for on this ticket; a name that stands for nothing here is left out."""
    contact, company = ticket.contact, ticket.company
    found = {
        "contact.name": contact.name if contact else "",
        "contact.first_name": first_name(contact.name) if contact else "",
        "contact.email": _address(contact),
        "company.name": company.name if company else "",
        "ticket.number": str(ticket.number),
        "ticket.name": ticket.name,
        "ticket.status": ticket.status.name,
        "agent.name": user.name,
        "agent.first_name": first_name(user.name),
        "agent.email": user.email,
        "mailbox.name": mailbox.name if mailbox else "",
        "mailbox.address": mailbox.address if mailbox else "",
    }
    return {name: " ".join(value.split()) for name, value in found.items() if value.strip()}


def fill(html: str, values: Mapping[str, str], *, mark: bool = False) -> str:
    """Clean `html` with each placeholder replaced by its value, else by its default; what has neither stays as it is.

    Values are text and are escaped. With `mark` each stands in a `<span data-filled="name">`, for the editor to show.
    A value that looks like a placeholder is not filled in turn. In attributes nothing is marked, and in the address of a
    link a value is quoted as addresses are.
    """

    def words_of(match: re.Match[str]) -> str:
        name = match["name"].lower()
        if name not in NAMES:
            return ""
        return entities.escape(values.get(name, "")) or _EDGES.sub("", match["usual"] or "")

    def in_words(match: re.Match[str]) -> str:
        words = words_of(match)
        return f'<span data-filled="{match["name"].lower()}">{words}</span>' if words and mark else words or match[0]

    def in_attribute(match: re.Match[str]) -> str:
        return words_of(match) or match[0]

    def in_address(match: re.Match[str]) -> str:
        return quote(unquote(entities.unescape(words_of(match))).strip(), safe="@") or match[0]

    def in_element(element: re.Match[str]) -> str:
        done, rest = "", element[0]
        if address := _ADDRESS.search(rest):
            done = _PLACEHOLDER.sub(in_attribute, rest[: address.start()]) + _IN_ADDRESS.sub(in_address, address[0])
            rest = rest[address.end() :]
        return done + _PLACEHOLDER.sub(in_attribute, rest)

    filled, position = [], 0
    for element in _ELEMENT.finditer(html):
        filled += [_PLACEHOLDER.sub(in_words, html[position : element.start()]), in_element(element)]
        position = element.end()
    return "".join(filled) + _PLACEHOLDER.sub(in_words, html[position:])


def unresolved(text: str) -> list[str]:
    """The placeholders that still stand in `text` (plain), each once, as they are written."""
    return list(dict.fromkeys(_LEFT.findall(text)))


def first_name(name: str) -> str:
    """ "Elina" of "Elina Saarinen" and of "Saarinen, Elina"."""
    family, comma, given = name.partition(",")
    words = (given if comma and given.strip() else family).split()
    return words[0] if words else ""


def _address(contact: Contact | None) -> str:
    return contact.address if contact else ""
