"""What is looked at before a mail leaves: six things that are mistakes as a rule, each of which one may insist on."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.errors import EmptyMessage
from inbox.mime.quotes import split
from inbox.models import Direction, MailKind, Message
from library.placeholders import unresolved
from people.models.contact import normalised

if TYPE_CHECKING:
    from inbox.models import Draft, Outgoing
    from inbox.writing import Body

CHANGED, ATTACHMENT, PLACEHOLDER, STRANGER, EMPTY = "changed", "attachment", "placeholder", "stranger", "empty"
REPLACED = "replaced"
NAMES = (REPLACED, CHANGED, ATTACHMENT, PLACEHOLDER, STRANGER, EMPTY)

MOST_TEXT = 200_000
MOST_NAMED = 12

# As people speak of a file that goes along, in the languages that the desk writes in.
_ENGLISH = r"attached|attachments?|attaching|i attach|we attach|enclosed|enclosing"
_FINNISH = (
    r"liite|liitt(?:ee|ei)\w*|liitetiedosto\w*|liitän|liitin|liitämme|liitimme|liitet(?:ty|yt|tynä|tyinä|yn)\w*"
    r"|ohessa|ohei(?:nen|s\w+)"
)
_SWEDISH = r"bifog\w*|bilag\w*"
_GERMAN = (
    r"anhang|anhangs?|anhänge|anhängen|anhängend\w*|angehängt\w*|anbei|beigefügt\w*|beiliegend\w*|beigelegt\w*"
    r"|(?:in der|in den|als|siehe) anlagen?"
)
_SPEAKS_OF_A_FILE = re.compile(rf"(?<!\w)(?:{_ENGLISH}|{_FINNISH}|{_SWEDISH}|{_GERMAN})(?!\w)", re.IGNORECASE)
_LEFT_OPEN = re.compile(r"(?<!\w)X{3,}(?!\w)")
_QUOTED_HTML = re.compile(r"<blockquote\b[^>]*>.*?</blockquote\s*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Check:
    """Something that looks like a mistake: by which name one insists on it, and what to say."""

    name: str
    sentence: str
    message: int | None = None
    """The one to read first."""


def checks(
    draft: Draft,
    body: Body,
    recipients: Iterable[str],
    messages: Sequence[Message],
    *,
    known: Collection[str] = (),
    has_files: bool = False,
) -> list[Check]:
    """What looks wrong with sending `body` to `recipients`, in the order of what matters most. Asks no database.

    `messages` of the ticket, oldest first; `known` are further addresses that belong to it; `has_files`: some go along.
    """
    said = own_words(body)
    found = [
        _changed(draft, messages),
        _attachment(said, has_files),
        left_open(f"{draft.subject}\n{said}"),
        _stranger(recipients, messages, known) if draft.kind != MailKind.FORWARD else None,
        _empty(draft, body),
    ]
    return [check for check in found if check]


def replaced(outgoing: Outgoing) -> Check | None:
    """What is sent was written anew for `outgoing`, and somebody else was faster: the customer would get it twice."""
    if (anew := outgoing.replaced_by) is not None:
        words = {"name": anew.sender_name, "time": time_format(timezone.localtime(anew.at), "H:i")}
        return Check(REPLACED, _("%(name)s wrote this mail anew and sent it at %(time)s.") % words, anew.pk)
    if outgoing.is_failed or outgoing.is_cancelled:
        return None
    if outgoing.is_pending:
        sentence = _("The mail that you write anew is being sent after all: somebody tried it again.")
    else:
        sentence = _("The mail that you write anew has been sent after all.")
    return Check(REPLACED, sentence, outgoing.message_id)


def own_words(body: Body) -> str:
    """What was written now, without what the editor holds of others' words."""
    from helpdesk.html import to_text

    html = _QUOTED_HTML.sub(" ", body.html[:MOST_TEXT])
    text = to_text(html) if html != body.html[:MOST_TEXT] else body.text[:MOST_TEXT]
    new, _quoted = split(text)
    return "\n".join(line for line in new.splitlines() if not line.lstrip().startswith(">"))


def _changed(draft: Draft, messages: Sequence[Message]) -> Check | None:
    """Somebody wrote since the draft was begun: the customer, or a colleague who may have answered already."""
    if draft.begun_after is None:
        return None
    others = [one for one in messages if one.pk > draft.begun_after and one.author_id != draft.user_id]
    others = [one for one in others if one.deleted_at is None]
    if not others:
        return None
    newest = others[-1]
    words = {"name": newest.sender_name, "time": time_format(timezone.localtime(newest.at), "H:i")}
    if newest.direction == Direction.IN:
        sentence = _("%(name)s wrote at %(time)s, after you began. Read it first.")
    elif newest.is_internal:
        sentence = _("%(name)s commented at %(time)s, after you began. Read it first.")
    else:
        sentence = _("%(name)s answered at %(time)s, after you began. Read it first.")
    return Check(CHANGED, sentence % words, newest.pk)


def _attachment(said: str, has_files: bool) -> Check | None:
    match = None if has_files else _SPEAKS_OF_A_FILE.search(said)
    if match is None:
        return None
    return Check(ATTACHMENT, _("You write “%(word)s”, and no file is attached.") % {"word": match[0]})


def left_open(said: str) -> Check | None:
    """All that would go out as it stands, so that one who insists on it knows of what."""
    left = list(dict.fromkeys([*unresolved(said), *_LEFT_OPEN.findall(said)]))[:MOST_NAMED]
    if not left:
        return None
    sentence = ngettext(
        "%(words)s would go out just as it stands here. Fill it in first.",
        "%(words)s would go out just as they stand here. Fill them in first.",
        len(left),
    )
    return Check(PLACEHOLDER, sentence % {"words": ", ".join(_("“%(word)s”") % {"word": one} for one in left)})


def _stranger(recipients: Iterable[str], messages: Sequence[Message], known: Collection[str]) -> Check | None:
    """A typing mistake, or a name that was completed to somebody else's. Whom a forward goes to is always new."""
    seen = {normalised(address) for address in known}
    for message in messages:
        if message.is_internal or message.third_party:
            continue
        seen.add(normalised(message.from_address))
        for entry in (*message.to, *message.cc, *message.bcc, *message.reply_to):
            seen.add(normalised(entry["address"]))
    seen.discard("")
    domains = {_domain(address) for address in seen}
    strange = [one for one in dict.fromkeys(recipients) if normalised(one) not in seen and _domain(one) not in domains]
    if not strange or not seen:
        return None
    sentence = _("%(address)s has not been on this ticket before, nor anybody of that domain.")
    return Check(STRANGER, sentence % {"address": ", ".join(strange[:3])})


def _empty(draft: Draft, body: Body) -> Check | None:
    """A forward says enough by itself."""
    if draft.kind == MailKind.FORWARD or body.text.strip():
        return None
    if body.is_empty:
        return Check(EMPTY, str(EmptyMessage()))
    return Check(EMPTY, _("You wrote nothing: only the files would go."))


def _domain(address: str) -> str:
    return normalised(address).rpartition("@")[2]
