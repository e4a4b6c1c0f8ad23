"""A mail as it came or as it went, byte for byte, and how it is shown to people."""

from __future__ import annotations

from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.policy import compat32

from django.db.models.fields.files import FieldFile

from helpdesk.attachments import opened
from inbox.models import Message
from inbox.previews import MOST_SHOWN, decoded


def file_of(message: Message) -> FieldFile | None:
    """As it was handed to the server, whatever came back under its name; else as it came in; None when there is no mail."""
    outgoing = getattr(message, "outgoing", None)
    if outgoing and outgoing.mime:
        mime: FieldFile = outgoing.mime
        return mime
    return message.incoming.raw if message.incoming and message.incoming.raw else None


@dataclass(frozen=True)
class Original:
    headers: list[tuple[str, str]]
    source: str
    size: int
    is_cut: bool


def read(file: FieldFile) -> Original:
    """The headers, readable, and the beginning of the source as it is."""
    with opened(file) as raw:
        data, size = raw.read(MOST_SHOWN), raw.size or 0
    headers = BytesHeaderParser(policy=compat32).parsebytes(data)
    return Original(
        headers=[(name, _readable(str(value))) for name, value in headers.items()],
        source=decoded(data),
        size=size,
        is_cut=size > len(data),
    )


def _readable(value: str) -> str:
    """Encoded words as what they say; a header that is broken as it stands."""
    unfolded = " ".join(value.split())
    try:
        return str(make_header(decode_header(unfolded)))
    except (HeaderParseError, MessageError, LookupError, ValueError):
        return unfolded
