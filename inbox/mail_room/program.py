"""A customer's mail program: writes mails as such programs do. For the mail room, the demo and trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from django.utils import timezone
from django.utils.html import escape

from helpdesk.html import clean, from_text
from inbox.mime.parse import ParsedMail

# A mail program keeps the first and the last ones when a thread grows long (RFC 5322, 3.6.4 lets it).
MOST_REFERENCES = 20


@dataclass(frozen=True)
class Enclosure:
    """A file that goes along; with a `content_id` the HTML shows it."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


def write(
    *,
    sender: tuple[str, str],
    to: tuple[str, str],
    subject: str,
    text: str,
    html: str | None,
    now: datetime,
    answers: ParsedMail | None = None,
    enclosures: Sequence[Enclosure] = (),
    message_id: str = "",
) -> bytes:
    """The bytes of a mail from `sender` to `to`, each (name, address), addresses well-formed and in ASCII.

    Without a `message_id` (no angle brackets) it gets one of its own. `html` None makes a plain mail. When it answers another mail, it names that one and quotes it below the new text.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_one_line(sender[0]), addr_spec=sender[1])
    mail["To"] = Address(_one_line(to[0]), addr_spec=to[1])
    mail["Subject"] = _one_line(subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message_id}>" if message_id else make_msgid(domain=sender[1].rpartition("@")[2])

    mail.set_content(_with_quote(text, answers), charset="utf-8")
    if html is not None:
        mail.add_alternative(_with_html_quote(html, answers), subtype="html", charset="utf-8")
        *_, shown = mail.iter_parts()
        for one in enclosures:
            if one.content_id:
                maintype, _slash, subtype = one.content_type.partition("/")
                shown.add_related(
                    one.data, maintype, subtype, cid=f"<{one.content_id}>", filename=one.name, disposition="inline"
                )
    for one in enclosures:
        if not one.content_id:
            maintype, _slash, subtype = one.content_type.partition("/")
            mail.add_attachment(one.data, maintype=maintype, subtype=subtype or "octet-stream", filename=one.name)
    return _threading(answers) + mail.as_bytes()


def answer_subject(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _threading(answers: ParsedMail | None) -> bytes:
    """The headers that name what is answered, one id a line: Python would encode a long id, and nobody could read it."""
    if answers is None or not answers.message_id:
        return b""
    chain = [*answers.references, answers.message_id]
    if len(chain) > MOST_REFERENCES:
        chain = [chain[0], *chain[-MOST_REFERENCES + 1 :]]
    references = "\r\n ".join(f"<{one}>" for one in chain)
    return f"In-Reply-To: <{answers.message_id}>\r\nReferences: {references}\r\n".encode()


def _attribution(answered: ParsedMail) -> str:
    date = answered.date or timezone.now()
    name = answered.from_name or answered.from_address
    return f"On {date:%d/%m/%Y %H:%M}, {name} <{answered.from_address}> wrote:"


def _with_quote(text: str, answers: ParsedMail | None) -> str:
    text = text.replace("\r\n", "\n").strip("\n")
    if answers is None:
        return f"{text}\n"
    quoted = "\n".join(f"> {line}".rstrip() for line in answers.text.strip().splitlines())
    return f"{text}\n\n{_attribution(answers)}\n{quoted}\n"


def _with_html_quote(html: str, answers: ParsedMail | None) -> str:
    quote = ""
    if answers is not None:
        original = str(clean(answers.html)) if answers.html else str(from_text(answers.text))
        quote = (
            f'<div class="moz-cite-prefix">{escape(_attribution(answers))}<br></div>'
            f'<blockquote type="cite" cite="mid:{escape(answers.message_id)}">{original}</blockquote>'
        )
    return f"<!DOCTYPE html>\n<html><body>{html}{quote}</body></html>\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
