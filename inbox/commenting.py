"""Writing among ourselves: comments, whom they name, and what becomes of them later.

A comment never becomes a mail to a customer, nor part of what a mail quotes. Whom it names stands in its HTML
(`data-mention="user-7"`, put there by the editor) and is read from there, so the rows say what the text says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from helpdesk import html as safe_html
from helpdesk.live import access_changed, publish
from inbox.errors import (
    CommentIsDeleted,
    EmptyMessage,
    MayNotChangeComment,
    MayNotShare,
    NamesWithoutAccess,
    NewerComment,
)
from inbox.models import Attachment, CommentVersion, Direction, Mention, Message, MessageKind, Upload
from inbox.writing import attach, once, read_body, says
from people.models import Membership, Team, User
from tickets import notifying
from tickets.models import NotificationKind, Share, Ticket

_MENTION = re.compile(r"(user|team)-(\d{1,18})")
_OWN_IMAGE = re.compile(r"/attachments/(\d{1,18})/$")
MOST_NAMED = 50


class Access(StrEnum):
    """What to do about those who are named and do not see the ticket. Without an answer nothing is written."""

    GIVE = "give"
    WITHHOLD = "withhold"


@dataclass(frozen=True)
class Named:
    """Whom a comment names, each once."""

    users: Sequence[User]
    teams: Sequence[Team]

    def __sub__(self, other: Named) -> Named:
        return Named(
            [user for user in self.users if user not in other.users],
            [team for team in self.teams if team not in other.teams],
        )

    @property
    def people(self) -> list[User]:
        """Everybody who is meant, the members of teams among them."""
        members = User.objects.active().filter(teams__in=self.teams).order_by("pk").distinct()
        return list(dict.fromkeys([*self.users, *(members if self.teams else [])]))

    def blind_on(self, ticket: Ticket) -> Named:
        """Those of them who do not see the ticket; a team when one of its members does not."""
        of_teams = Membership.objects.filter(team__in=self.teams, user__is_active=True).select_related("user")
        members = list(of_teams) if self.teams else []
        seeing = notifying.seeing([*self.users, *(member.user for member in members)], ticket)
        blind = {member.team_id for member in members if member.user_id not in seeing}
        return Named(
            [user for user in self.users if user.pk not in seeing], [team for team in self.teams if team.pk in blind]
        )


def named_in(clean_html: str) -> Named:
    """Active users and teams whom the HTML of a comment names."""
    marks = map(_MENTION.fullmatch, safe_html.mentions_in(clean_html))
    found = list(dict.fromkeys(mark.groups() for mark in marks if mark))[:MOST_NAMED]
    users = User.objects.active().in_bulk([int(pk) for kind, pk in found if kind == "user"])
    teams = Team.objects.in_bulk([int(pk) for kind, pk in found if kind == "team"])
    return Named(list(users.values()), list(teams.values()))


def comment(
    ticket: Ticket,
    *,
    by: User,
    html: str = "",
    text: str = "",
    uploads: Iterable[Upload | UUID | str] = (),
    form_key: UUID | str | None = None,
    access: Access | None = None,
    now: datetime | None = None,
) -> Message:
    """Write a comment and tell whom it names, the owner and the followers. Raises a ReplyError; then nothing is saved.

    NamesWithoutAccess when it names somebody who does not see the ticket and `access` does not say what to do.
    """
    now, files = now or timezone.now(), list(uploads)

    def write() -> Message:
        body = read_body(by, html, text, files, domain="comment.invalid")
        if body.is_empty:
            raise EmptyMessage
        named = named_in(body.html)
        _settle_access(ticket, named, access, by=by)
        message = Message.objects.create(
            ticket=ticket,
            origin=ticket,
            direction=Direction.INTERNAL,
            kind=MessageKind.COMMENT,
            author=by,
            from_name=by.name,
            text=body.text,
            html=body.html,
            at=now,
            form_key=form_key,
        )
        attach(message, body)
        tell_of_comment(message, named, by=by, now=now)
        return message

    return once(form_key, write, is_same=lambda message: says(message, html, text, files))


def tell_of_comment(message: Message, named: Named, *, by: User, now: datetime) -> None:
    """Write down whom a new comment names and tell them, and whoever else hears of this ticket."""
    assert message.ticket is not None  # noqa: S101 - a comment is on a ticket
    told = _mention(message, named, by=by, now=now)
    notifying.written_on(message.ticket, anchor=f"m{message.pk}", actor=by, now=now, told_already=told)
    message.ticket.changed()


@transaction.atomic
def edit(
    message: Message,
    *,
    by: User,
    html: str = "",
    text: str = "",
    uploads: Iterable[Upload | UUID | str] = (),
    access: Access | None = None,
    version: int | None = None,
    now: datetime | None = None,
) -> None:
    """Change what a comment says; how it read before is kept, and only who is newly named is told.

    `version` is how often it had been changed when its author began, see `version_of`. The same text again changes
    nothing. Raises a ReplyError, NewerComment when it was changed since; then nothing is saved.
    """
    now = now or timezone.now()
    ticket = _changeable(message, by, only_author=True)
    body = read_body(by, _with_cids(message, html), text, uploads, domain="comment.invalid")
    if body.is_empty and not message.attachments.exists():
        raise EmptyMessage
    if (body.html, body.uploads) == (message.html, []):
        return
    if version is not None and version != version_of(message):
        raise NewerComment
    named = named_in(body.html)
    new = named - Named(
        list(User.objects.filter(mentions__message=message)), list(Team.objects.filter(mentions__message=message))
    )
    _settle_access(ticket, new, access, by=by)
    CommentVersion.objects.create(message=message, text=message.text, html=message.html, until=now)
    message.text, message.html, message.edited_at = body.text, body.html, now
    message.save(update_fields=["text", "html", "edited_at"])
    attach(message, body)
    # Who is not named any more was told already; that they were stands in the version.
    _mention(message, new, by=by, now=now)
    ticket.changed()


@transaction.atomic
def delete(message: Message, *, by: User, now: datetime | None = None) -> None:
    """Take a comment away: a quiet line stays, and the bell forgets it. Deleting twice does nothing."""
    ticket = _changeable(message, by)
    if message.deleted_at is None:
        message.deleted_at = now or timezone.now()
        message.save(update_fields=["deleted_at"])
        _withdraw(message, ticket, True)


@transaction.atomic
def restore(message: Message, *, by: User) -> None:
    ticket = _changeable(message, by)
    if message.deleted_at is not None:
        message.deleted_at = None
        message.save(update_fields=["deleted_at"])
        _withdraw(message, ticket, False)


def version_of(message: Message) -> int:
    """How often a comment was changed."""
    return message.versions.count()


def may_edit(message: Message, user: User) -> bool:
    return message.kind == MessageKind.COMMENT and message.author_id == user.pk


def may_delete(message: Message, user: User) -> bool:
    return may_edit(message, user) or (message.kind == MessageKind.COMMENT and user.is_admin)


def for_editor(message: Message) -> str:
    """Its HTML with the images pointed at addresses that the editor can show."""
    urls = {
        file.content_id: reverse("inbox:attachment", args=[file.pk])
        for file in message.attachments.all()
        if file.content_id
    }
    # Not as safe HTML: it stands in a field's value, where it has to be escaped.
    return "".join(safe_html.resolve_cids(message.html, urls))


def _with_cids(message: Message, html: str) -> str:
    """The way back: images that are files of this comment already are named by their content ids again."""
    cids = dict(Attachment.objects.filter(message=message).exclude(content_id="").values_list("pk", "content_id"))

    def name(source: str) -> str:
        own = _OWN_IMAGE.search(source.partition("?")[0])
        cid = cids.get(int(own[1])) if own else None
        return f"cid:{cid}" if cid else source

    return safe_html.with_sources(safe_html.clean_editor(html), name)


def _changeable(message: Message, by: User, *, only_author: bool = False) -> Ticket:
    """Holds the row, so that two who change it do so one after the other, and says on which ticket it is."""
    message.refresh_from_db(from_queryset=Message.objects.select_for_update(of=("self",)))
    if message.ticket is None or not (may_edit if only_author else may_delete)(message, by):
        raise MayNotChangeComment
    if only_author and message.deleted_at is not None:
        raise CommentIsDeleted
    return message.ticket


def _withdraw(message: Message, ticket: Ticket, withdrawn: bool) -> None:
    notifications = ticket.notifications.filter(anchor=f"m{message.pk}")
    notifications.update(withdrawn=withdrawn)
    ticket.changed()
    if users := list(notifications.values_list("user", flat=True)):
        publish("notification", users=users)


def _settle_access(ticket: Ticket, named: Named, access: Access | None, *, by: User) -> None:
    blind = named.blind_on(ticket)
    if not (blind.users or blind.teams) or access == Access.WITHHOLD:
        return
    if access is None:
        raise NamesWithoutAccess([*(user.name for user in blind.users), *(team.name for team in blind.teams)])
    if not by.may_reply:
        raise MayNotShare
    shares = [Share(ticket=ticket, user=user, by=by) for user in blind.users]
    shares += [Share(ticket=ticket, team=team, by=by) for team in blind.teams]
    Share.objects.bulk_create(shares, ignore_conflicts=True)
    access_changed([user.pk for user in blind.people])


def _mention(message: Message, named: Named, *, by: User, now: datetime) -> list[int]:
    """Who is told, by number: whoever sees the ticket, but not whoever wrote it."""
    assert message.ticket is not None  # noqa: S101
    mentions = [Mention(message=message, user=user) for user in named.users]
    mentions += [Mention(message=message, team=team) for team in named.teams]
    Mention.objects.bulk_create(mentions, ignore_conflicts=True)
    anchor = f"m{message.pk}"
    return notifying.notify_all(
        named.people, NotificationKind.MENTION, message.ticket, actor=by, anchor=anchor, now=now
    )
