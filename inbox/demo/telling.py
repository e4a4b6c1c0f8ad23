"""The demo: an outdoor shop's help desk in the middle of a week.

What happened stands in people.toml and tickets/*.toml, as people would tell it. Here it happens: mails are written as
mail programs write them and go the way of real mail, answers are written and caught by the mail room, each at its time.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import make_msgid
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction

from helpdesk.html import from_text
from inbox import receiving
from inbox.commenting import comment
from inbox.demo.desk import furnish, make_by_hand
from inbox.demo.files import make
from inbox.mail_room.program import Enclosure, answer_subject, write
from inbox.mime.parse import ParsedMail, parse
from inbox.models import Mailbox, Message, Outgoing, OutgoingState, RoomMail, Upload
from inbox.models.outgoing import RecipientState
from inbox.replying import reply
from people.models import Membership, Team, User
from tickets.models import Kind, Pipeline, Priority, Seen, Ticket

FOLDER = Path(__file__).resolve().parent


@dataclass
class Told:
    password: str
    users: list[User] = field(default_factory=list)
    mailboxes: list[Mailbox] = field(default_factory=list)
    tickets: int = 0


@transaction.atomic
def tell(*, now: datetime) -> Told:
    """Put the demo into an empty desk, all of it or nothing. Its last days end at `now`."""
    people = tomllib.loads((FOLDER / "people.toml").read_text())
    teams = {name: Team.objects.create(name=name) for name in people["teams"]}
    users = {words["key"]: _hire(words, teams, people["password"]) for words in people["user"]}
    pipeline = Pipeline.first()
    furnish()
    mailboxes = {words["key"]: _open_mailbox(words, teams, pipeline) for words in people["mailbox"]}

    stories = [
        _Story(tomllib.loads(path.read_text()), users, mailboxes)
        for path in sorted((FOLDER / "tickets").glob("*.toml"))
    ]
    steps = [(step, story) for story in stories for step in story.words["step"]]
    # In the order in which it happened, so that numbers rise with time.
    for step, story in sorted(steps, key=lambda pair: -pair[0]["hours_ago"]):
        story.happen(step, now - timedelta(hours=step["hours_ago"]))
    for story in stories:
        story.be_read(list(users.values()), now)
    by_hand = make_by_hand(users, now)
    return Told(people["password"], list(users.values()), list(mailboxes.values()), len(stories) + by_hand)


class _Story:
    """One ticket, from its first mail on."""

    def __init__(self, words: dict[str, Any], users: dict[str, User], mailboxes: dict[str, Mailbox]) -> None:
        self.words, self.users = words, users
        self.mailbox = mailboxes[words["mailbox"]]
        self.customer = (words["from"]["name"], words["from"]["address"])
        self.ticket: Ticket | None = None
        self.last: ParsedMail | None = None

    def happen(self, step: dict[str, Any], at: datetime) -> None:
        if "mail" in step:
            self._write_in(step, at)
            return
        ticket, by = self._ticket(), self.users[step["by"]]
        Seen.objects.mark(ticket, by, at)
        if "owner" in step:
            ticket.assign(self.users[step["owner"]], by=by, now=at)
        if "priority" in step:
            ticket.prioritise(Priority[step["priority"].upper()], by=by, now=at)
        if "status" in step:
            ticket.move_to(ticket.pipeline.first_status(Kind[step["status"].upper()]), by=by, now=at)
        if "comment" in step:
            comment(ticket, by=by, text=step["comment"].strip(), now=at)
        if "reply" in step or "html" in step:
            self._answer(step, by, at)

    def be_read(self, users: list[User], now: datetime) -> None:
        """What came before today, everybody has seen."""
        last = now - timedelta(hours=self.words["step"][-1]["hours_ago"])
        if now - last > timedelta(hours=18):
            for user in users:
                Seen.objects.mark(self._ticket(), user, last)

    def _write_in(self, step: dict[str, Any], at: datetime) -> None:
        enclosures = [Enclosure(name, *make(name)) for name in step.get("attach", [])]
        enclosures += [Enclosure(name, *make(name), content_id=name) for name in step.get("inline", [])]
        subject = self.words["subject"]
        raw = write(
            sender=self.customer,
            to=(self.mailbox.name, self.mailbox.address),
            subject=answer_subject(subject) if self.last else subject,
            text=step["mail"].strip(),
            html=self._html(step),
            now=at,
            answers=self.last,
            enclosures=enclosures,
            message_id=make_msgid(domain=self.customer[1].rpartition("@")[2]).strip("<>"),
        )
        incoming = receiving.store(self.mailbox, raw, source="room", now=at, received_at=at)
        RoomMail.objects.keep(raw, sender=self.customer[1], recipients=[self.mailbox.address], now=at)
        receiving.process(incoming.pk, now=at)
        self.last = parse(raw)
        if self.ticket is None:
            self.ticket = Message.objects.get(incoming=incoming).ticket
            priority = Priority[self.words["priority"].upper()]
            if priority != Priority.NORMAL:
                self._ticket().prioritise(priority, by=self.users["petra"], now=at + timedelta(minutes=10))

    def _html(self, step: dict[str, Any]) -> str | None:
        if "mail_html_file" in step:
            return (FOLDER / step["mail_html_file"]).read_text()
        if "mail_html" in step:
            return str(step["mail_html"]).strip()
        # Whoever answers an HTML mail answers in HTML.
        return str(from_text(step["mail"].strip())) if self.last and self.last.html else None

    def _answer(self, step: dict[str, Any], by: User, at: datetime) -> None:
        files = [(name, *make(name)) for name in step.get("attach", [])]
        uploads = [
            Upload.objects.create(
                user=by, name=name, content_type=kind, size=len(data), file=ContentFile(data, name=name)
            )
            for name, kind, data in files
        ]
        message = reply(
            self._ticket(),
            by=by,
            html=step.get("html", "").strip(),
            text=step.get("reply", "").strip(),
            uploads=uploads,
            now=at,
        )
        self.last = parse(_arrive(message.outgoing, at))

    def _ticket(self) -> Ticket:
        if self.ticket is None:
            raise ValueError(f"The story “{self.words['subject']}” does not begin with a mail that made a ticket.")
        return self.ticket


def _arrive(outgoing: Outgoing, at: datetime) -> bytes:
    """What the mail room would have made of it then. Before the commit, so that no worker sends it as well."""
    with outgoing.mime.open("rb") as file:
        raw = bytes(file.read())
    addresses = list(outgoing.recipients.values_list("address", flat=True))
    RoomMail.objects.keep(raw, sender=outgoing.envelope_from, recipients=addresses, now=at)
    outgoing.recipients.update(state=RecipientState.ACCEPTED, answer="250 2.1.5 OK")
    Outgoing.objects.filter(pk=outgoing.pk).update(
        state=OutgoingState.SENT, tries=1, handed_over=True, sent_at=at, last_answer="250 2.0.0 Stored"
    )
    return raw


def _hire(words: dict[str, Any], teams: dict[str, Team], password: str) -> User:
    user: User = User.objects.create_user(
        words["email"], words["name"], words["role"], password, signature=words.get("signature", "")
    )
    Membership.objects.create(user=user, team=teams[words["team"]], is_main=True)
    for name in words.get("also", []):
        Membership.objects.create(user=user, team=teams[name], is_main=False)
    return user


def _open_mailbox(words: dict[str, Any], teams: dict[str, Team], pipeline: Pipeline) -> Mailbox:
    return Mailbox.objects.create(
        address=words["address"],
        name=words["name"],
        signature=words["signature"],
        team=teams[words["team"]],
        pipeline=pipeline,
        uses_mail_room=True,
    )
