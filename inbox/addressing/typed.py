"""What people type and paste where an address belongs: names, brackets, and many at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inbox.errors import LettersBeforeAt, NotAMailAddress
from inbox.mime.compose import InvalidAddress, NonAsciiLocalPart, check_address
from inbox.mime.headers import one_line
from inbox.models.message import Address

MOST_TYPED = 10_000
"""Characters that are looked at: a hundred recipients take fewer."""

_NAMED = re.compile(r"^(?P<name>[^<]*)<(?P<address>[^<>]*)>?\s*$")


def read_addresses(text: str) -> list[Address]:
    """Everything between commas, semicolons and line ends, as a person would read it; what is no address too."""
    return [_split(piece) for piece in _pieces(text[:MOST_TYPED])]


def parse_address(text: str) -> Address:
    """“Name <address>” or an address alone. Raises NotAMailAddress."""
    found = read_addresses(text)
    if len(found) != 1:
        raise NotAMailAddress(text.strip())
    check(found[0]["address"])
    return found[0]


def check(address: str) -> None:
    """Raises NotAMailAddress, or LettersBeforeAt where a server with SMTPUTF8 would be needed (RFC 6531)."""
    try:
        check_address(address)
    except NonAsciiLocalPart:
        raise LettersBeforeAt(address) from None
    except InvalidAddress:
        raise NotAMailAddress(address) from None


def is_address(text: str) -> bool:
    """Whether mail can be sent there."""
    try:
        check_address(text)
    except InvalidAddress:
        return False
    return True


def written(entry: Address) -> str:
    """As a field of a form holds it, so that `read_addresses` gives the same again."""
    name = one_line(entry["name"]).replace("\\", "").replace('"', "'").strip()
    if not name or name == entry["address"]:
        return entry["address"]
    return f'"{name}" <{entry["address"]}>' if re.search(r"[,;<>@]", name) else f"{name} <{entry['address']}>"


def _pieces(text: str) -> Iterator[str]:
    """Cut where neither quotes nor brackets are open. A quote that is never closed is a letter like others."""
    quotes_close = text.count('"') % 2 == 0
    piece, quoted, bracketed = "", False, False
    for sign in text:
        if sign == '"' and quotes_close:
            quoted = not quoted
        elif sign in "<>" and not quoted:
            bracketed = sign == "<"
        if sign in "\r\n" or (sign in ",;" and not quoted and not bracketed):
            yield from _several(piece)
            piece, bracketed = "", False
        else:
            piece += sign
    yield from _several(piece)


def _several(piece: str) -> Iterator[str]:
    """Bare addresses with only spaces between them are several."""
    words = piece.split()
    if len(words) > 1 and all("@" in word.strip("@") and "<" not in word and '"' not in word for word in words):
        yield from words
    elif words:
        yield piece.strip()


def _split(piece: str) -> Address:
    piece = one_line(piece).strip()
    if match := _NAMED.match(piece):
        name = match["name"].strip().strip('"').strip()
        return Address(name=name[:300], address=_bare(match["address"]))
    return Address(name="", address=_bare(piece))


def _bare(address: str) -> str:
    return address.strip().removeprefix("mailto:").strip()[:320]
