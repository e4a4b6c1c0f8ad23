"""The address of the mailing list that a mail came through."""

from __future__ import annotations

import re
from urllib.parse import unquote

from inbox.mime.parse import ParsedMail

_POST = re.compile(r"<mailto:([^>?]+)", re.IGNORECASE)
_ID = re.compile(r"<([^<>\s]+)>")


def list_address(mail: ParsedMail) -> str:
    """From List-Post (RFC 2369, 3.4), else the recipient whose address List-Id spells (RFC 2919), else ""."""
    if match := _POST.search(mail.headers.get("list-post", "")):
        return unquote(match[1]).strip()[:320]
    said = mail.headers.get("list-id", "")
    match = _ID.search(said)
    name = (match[1] if match else said).strip().lower()
    if not name:
        return ""
    for _name, address in [*mail.to, *mail.cc, *mail.reply_to]:
        if address.strip().lower().replace("@", ".", 1) == name:
            return address.strip()[:320]
    return ""
