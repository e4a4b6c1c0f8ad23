"""What passes between the two processes: JSON and frames of bytes, so that nothing a mail says can become code."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any

from inbox.mime.bounces import Bounce
from inbox.mime.parse import ParsedAttachment, ParsedMail


class Unreadable(Exception):
    """The mail could not be read, and trying again would end the same way. `str()` says what happened."""


class TooMuchTime(Unreadable):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"Reading it took longer than {seconds:g} seconds and was stopped.")


class TooMuchMemory(Unreadable):
    def __init__(self) -> None:
        super().__init__("Reading it took more memory than one mail may have and was stopped.")


@dataclass(frozen=True)
class Reading:
    """A mail, its new part apart from what it quotes, its HTML safe.

    `automatic` is a kind of inbox.mime.automatic, "" for a mail that a person wrote. `mail.text` and `mail.html` are empty:
    what they said is here.
    """

    mail: ParsedMail
    text: str = ""
    quoted_text: str = ""
    html: str = ""
    quoted_html: str = ""
    remote_images: int = 0
    automatic: str = ""
    bounce: Bounce | None = None


def pack(reading: Reading) -> list[bytes]:
    """JSON first, then the bytes of each attachment."""
    mail = _plain(reading.mail)
    mail["attachments"] = [
        {item.name: getattr(one, item.name) for item in fields(one) if item.name != "data"}
        for one in reading.mail.attachments
    ]
    said = {item.name: getattr(reading, item.name) for item in fields(reading)}
    said["mail"] = mail
    said["bounce"] = _plain(reading.bounce) if reading.bounce else None
    return [json.dumps(said, default=_write).encode(), *(one.data for one in reading.mail.attachments)]


def unpack(frames: list[bytes]) -> Reading:
    said: dict[str, Any] = json.loads(frames[0])
    mail = said.pop("mail")
    mail["date"] = datetime.fromisoformat(mail["date"]) if mail["date"] else None
    for name in ("to", "cc", "reply_to"):
        mail[name] = [(str(person), str(address)) for person, address in mail[name]]
    for name in ("headers", "returned_headers"):
        mail[name] = MappingProxyType(mail[name])
    mail["attachments"] = [
        ParsedAttachment(**one, data=data) for one, data in zip(mail["attachments"], frames[1:], strict=True)
    ]
    bounce = said.pop("bounce")
    return Reading(mail=ParsedMail(**mail), bounce=Bounce(**bounce) if bounce else None, **said)


def _plain(value: Any) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in fields(value)}


def _write(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(type(value).__name__)
