"""How quick a long conversation is to open, a draft to keep and a reply to send; on a ticket of its own, removed again."""

from __future__ import annotations

import contextlib
import secrets
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils.html import escape

from helpdesk import html as safe_html
from inbox.benchmarks.browsing import Answer, Browser, CannotMeasure, agent, web
from inbox.benchmarks.figures import Report, machine
from inbox.benchmarks.processor_time import of_tree
from inbox.models import Conversation, Direction, DraftMode, Mailbox, Message, MessageKind, Outgoing
from inbox.models.message import Address, id_hash
from people.models import Contact, User
from tickets.models import Pipeline, Source, Ticket

WARM_UP = 10
MESSAGES = 200
LETTERS = 40
"""So many of them, spread over the conversation and among the newest, are letters with looks of their own."""

_LETTER = (
    '<table width="600" style="background:#f4f1ea"><tr><td style="padding:24px;color:#204d45"><h1>Order {number}</h1>{rows}'
    "</td></tr></table>"
)
_WORDS = "The jacket arrived today, and the zip does not close. I would like another one, or my money back."


def measure(*, url: str | None, times: int, now: datetime) -> Report:
    """Raises CannotMeasure."""
    report = Report(
        "conversation",
        setting={"tickets": Ticket.objects.count(), "messages": MESSAGES, "letters": LETTERS} | machine(),
    )
    with web(url) as site, agent() as (user, password), _ticket(user, now) as ticket:
        # Nothing leaves while it is measured: each mail waits longer than it stays here.
        user.undo_seconds = 60
        user.save(update_fields=["undo_seconds"])
        browser = Browser(site.url)
        browser.sign_in(user.email, password)
        _Conversation(report, browser, ticket, times, site.pid).measure()
        browser.close()
    return report


class _Conversation:
    def __init__(self, report: Report, browser: Browser, ticket: Ticket, times: int, pid: int | None) -> None:
        self.report, self.browser, self.ticket, self.times, self.pid = report, browser, ticket, times, pid
        self.address = ticket.get_absolute_url()

    def measure(self) -> None:
        newest = self.ticket.messages.order_by("-at").values_list("pk", flat=True)[0]
        body, thread = reverse("inbox:message_body", args=[newest]), reverse("inbox:thread", args=[self.ticket.pk])
        self._time("open, page", lambda: self.browser.get(self.address))
        self._time("open, fragment", lambda: self.browser.get(f"{self.address}?listed=all-open", fragment=True))
        self._time("open, every message shown", lambda: self.browser.get(f"{self.address}?all=1"))
        self._time("a letter in its frame", lambda: self.browser.get(body))
        self._time("thread, fragment", lambda: self.browser.get(thread, fragment=True))
        self._time("draft save", self._save)
        self._time("Send", self._send)

    def _time(self, name: str, ask: Callable[[], Answer]) -> None:
        for _ in range(min(WARM_UP, self.times)):
            _insist(name, ask())
        before = self._processor_time()
        seconds = [_insist(name, ask()) for _ in range(self.times)]
        after = self._processor_time()
        self.report.add_times(name, seconds, f"{self.times} times, one client")
        if before is not None and after is not None:
            each = (after - before) * 1000 / self.times
            self.report.add(f"{name}, processor time", each, "ms", "of the web process, whatever else runs")

    def _processor_time(self) -> float | None:
        return of_tree(self.pid) if self.pid else None

    def _save(self) -> Answer:
        """As the editor does while one types: the version that it has, and a little more text."""
        draft = self.ticket.drafts.filter(mode=DraftMode.REPLY, deleted_at=None).first()
        return self.browser.post(
            reverse("inbox:ticket_draft", args=[self.ticket.pk, DraftMode.REPLY]),
            draft_version=str(draft.version if draft else 0),
            form_key=str(draft.form_key if draft else uuid.uuid4()),
            html=f"<p>{_WORDS} {secrets.token_hex(4)}</p>",
        )

    def _send(self) -> Answer:
        self.ticket.drafts.all().delete()
        newest = self.ticket.messages.order_by("-at", "-pk").values_list("pk", flat=True)[0]
        return self.browser.post(
            reverse("inbox:replies", args=[self.ticket.pk]),
            fragment=True,
            form_key=str(uuid.uuid4()),
            begun_after=str(newest),
            html=f"<p>{_WORDS}</p>",
        )


def _insist(name: str, answer: Answer) -> float:
    if answer.status != 200:
        raise CannotMeasure(f"“{name}” was answered with {answer.status}.")
    return answer.seconds


@contextlib.contextmanager
def _ticket(user: User, now: datetime) -> Iterator[Ticket]:
    """A ticket of our own with its mailbox and its contact, removed with all that was written on it."""
    name = secrets.token_hex(6)
    mailbox = Mailbox.objects.create(
        address=f"benchmark-{name}@desk.example", name="Benchmark", smtp_host="127.0.0.1", smtp_port=1
    )
    contact = Contact.objects.for_address(f"benchmark-{name}@customer.example", "Anna Berg")
    begun = now - timedelta(days=30)
    ticket = Ticket.objects.begin(
        "Benchmark", pipeline=Pipeline.first(), source=Source.EMAIL, now=begun, contact=contact, owner=user, by=user
    )
    try:
        _write(ticket, mailbox, contact, user, begun)
        yield ticket
    finally:
        files = list(Outgoing.objects.filter(mailbox=mailbox).values_list("mime", flat=True))
        ticket.delete()
        mailbox.delete()
        contact.delete()
        for file in filter(None, files):
            with contextlib.suppress(OSError):
                default_storage.delete(file)


def _write(ticket: Ticket, mailbox: Mailbox, contact: Contact, user: User, begun: datetime) -> None:
    """Turn by turn: a customer who writes, an agent who answers, now and then a comment."""
    conversation = Conversation.objects.create(
        ticket=ticket, mailbox=mailbox, contact=contact, subject=ticket.name, created_at=begun
    )
    theirs = Address(name=contact.name, address=contact.address or "")
    ours = Address(name=mailbox.name, address=mailbox.address)
    messages = []
    for number in range(MESSAGES):
        direction = Direction.IN if number % 2 == 0 else Direction.INTERNAL if number % 10 == 9 else Direction.OUT
        is_comment = direction == Direction.INTERNAL
        sender, receiver = (theirs, ours) if direction == Direction.IN else (ours, theirs)
        message_id = "" if is_comment else f"benchmark.{ticket.pk}.{number}@customer.example"
        messages.append(
            Message(
                ticket=ticket,
                origin=ticket,
                conversation=None if is_comment else conversation,
                direction=direction,
                kind=MessageKind.COMMENT if is_comment else MessageKind.EMAIL,
                author=None if direction == Direction.IN else user,
                contact=contact if direction == Direction.IN else None,
                from_name="" if is_comment else sender["name"],
                from_address="" if is_comment else sender["address"],
                to=[] if is_comment else [receiver],
                subject=ticket.name,
                text=f"{_WORDS} ({number})",
                html=_html(number, direction),
                quoted_text="" if is_comment else f"> {_WORDS}",
                message_id=message_id,
                message_id_hash=id_hash(message_id),
                at=begun + timedelta(hours=3 * number),
            )
        )
    Message.objects.bulk_create(messages)


def _html(number: int, direction: Direction) -> str:
    # Of every ten messages five are the customer's; two of those are letters.
    is_letter = direction == Direction.IN and number % 10 in (4, 8)
    if not is_letter:
        return f"<p>{escape(_WORDS)}</p>"
    rows = "".join(f"<p style='color:#333'>Line {line} of {number}</p>" for line in range(5 + number % 20))
    return safe_html.clean(_LETTER.format(number=number, rows=rows))
