"""What a mail repeats of the message it answers or forwards, as mail programs do, so that the customer keeps the context.

A line says who wrote it and when, in the desk's language and time zone; below it stands the message with what it quoted
itself. A long history loses its oldest part. A comment is never in it: it is not answered, and no mail quoted it.
Pictures of the earlier mail appear by their description, they are not sent back.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import formats, translation
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from helpdesk import html as safe_html
from inbox.addressing.typed import written
from inbox.models import MailKind, Message

MOST_TEXT = 30_000
MOST_HTML = 100_000
MOST_EDITED = 500_000


@dataclass(frozen=True)
class Quote:
    """The HTML is clean, as `helpdesk.html.clean` leaves it."""

    text: str
    html: str


NONE = Quote("", "")


def quote(message: Message) -> Quote:
    attribution = _attribution(message)
    return Quote(text=_quoted_text(message, attribution), html=_quoted_html(message, attribution))


def forwarded(message: Message) -> Quote:
    """The message as a forward passes it on: a line for each thing its header said, then the whole of it, unquoted."""
    header = _header(message)
    said = message.text or safe_html.to_text(message.html)
    if message.quoted_text and len(said) + len(message.quoted_text) <= MOST_TEXT:
        said = f"{said.rstrip()}\n\n{message.quoted_text}"
    text = "\n".join([*header, "", said[:MOST_TEXT].strip("\n")])
    lines = "<br>".join(escape(line) for line in header)
    return Quote(text=text, html=f"<p>{lines}</p><div>{_whole_html(message)}</div>")


def history(kind: str, answered: Message | None, edited: str | None = None) -> Quote:
    """What goes along below the words of a mail of this kind (see MailKind). `edited`: what somebody made of it instead,
    cleaned here; "" for nothing; None for the usual.
    """
    if edited is not None:
        clean = cleaned_history(edited)
        text = safe_html.to_text(clean, links=True).strip("\n")
        if kind != MailKind.FORWARD:
            text = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
        return Quote(text=text, html=str(clean)) if safe_html.has_words(clean) else NONE
    if answered is None:
        return NONE
    return forwarded(answered) if kind == MailKind.FORWARD else quote(answered)


def cleaned_history(edited: str) -> SafeString:
    return safe_html.describe_images(safe_html.clean(edited[:MOST_EDITED]))


def _header(message: Message) -> list[str]:
    at = message.at.astimezone(ZoneInfo(settings.TIME_ZONE))
    with translation.override(settings.LANGUAGE_CODE):
        name = " ".join((message.from_name or message.sender_name).split())
        date = formats.date_format(at, pgettext("date format", "j N Y"))
        time = formats.time_format(at, pgettext("date format", "H:i"))
        rows = [
            (_("From"), f"{name} <{message.from_address}>" if message.from_address else name),
            (_("Date"), f"{date} {time}"),
            (_("Subject"), " ".join(message.subject.split())),
            (_("To"), ", ".join(written(entry) for entry in message.to)),
            (_("Cc"), ", ".join(written(entry) for entry in message.cc)),
        ]
        return [f"---------- {_('Forwarded message')} ----------", *(f"{word}: {said}" for word, said in rows if said)]


def _attribution(message: Message) -> str:
    at = message.at.astimezone(ZoneInfo(settings.TIME_ZONE))
    with translation.override(settings.LANGUAGE_CODE):
        name = message.sender_name if message.author_id is None else (message.from_name or message.sender_name)
        return _("On %(date)s at %(time)s, %(name)s wrote:") % {
            "date": formats.date_format(at, pgettext("date format", "j N Y")),
            "time": formats.time_format(at, pgettext("date format", "H:i")),
            "name": " ".join(name.split()),
        }


def _quoted_text(message: Message, attribution: str) -> str:
    said = message.text or safe_html.to_text(message.html)
    if message.quoted_text and len(said) + len(message.quoted_text) <= MOST_TEXT:
        said = f"{said.rstrip()}\n\n{message.quoted_text}"
    lines = said[:MOST_TEXT].strip("\n").split("\n")
    return "\n".join(
        [attribution, "", *(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines)]
    )


def _quoted_html(message: Message, attribution: str) -> str:
    return f'<p>{escape(attribution)}</p><blockquote type="cite">{_whole_html(message)}</blockquote>'


def _whole_html(message: Message) -> str:
    """With what it quotes itself, as far as that fits; its pictures as words."""
    said = safe_html.mark_clean(message.html)
    if not said or len(said) > MOST_HTML:
        said = safe_html.from_text((message.text or safe_html.to_text(said))[:MOST_TEXT])
    earlier = safe_html.mark_clean(message.quoted_html)
    if not earlier and len(message.quoted_text) <= MOST_TEXT:
        earlier = safe_html.from_text(message.quoted_text)
    if len(said) + len(earlier) <= MOST_HTML:
        said += earlier
    return str(safe_html.describe_images(said))
