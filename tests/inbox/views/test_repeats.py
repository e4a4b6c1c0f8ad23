"""The same form again, because its first answer never came: it is answered as it was, and nothing is written twice."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from inbox.models import Direction, Message, Outgoing, OutgoingState, Upload
from people.models import User
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tests.inbox.views.conftest import HTMX
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return make_user(name="Aino Virtanen", undo_seconds=10)


@pytest.fixture
def ticket() -> Ticket:
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, mailbox=make_mailbox())
    return ticket


def attach(user: User, name: str = "label.pdf", content_type: str = "application/pdf") -> Upload:
    file = ContentFile(b"%PDF", name)
    return Upload.objects.create(user=user, name=name, content_type=content_type, size=4, file=file)


@pytest.fixture
def form(agent: User) -> dict[str, Any]:
    """With a file beside the text and a picture in it."""
    file, picture = attach(agent), attach(agent, "shoe.png", "image/png")
    html = f'<p>See <b>the</b> label.</p><p><img src="/uploads/{picture.pk}/"></p>'
    return {"html": html, "form_key": str(uuid.uuid4()), "upload": [str(file.pk)]}


def written() -> Message:
    return Message.objects.exclude(direction=Direction.IN).get()


def again(form: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**form, "override": ["stranger"], **changes}


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_reply_with_files_that_comes_again_is_answered_as_the_first_time(
    desk: Client, ticket: Ticket, form: dict[str, Any], headers: dict[str, str]
) -> None:
    address = f"/tickets/{ticket.number}/replies/"
    answers = [desk.post(address, again(form), headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200 if headers else 302] * 2
    assert written().attachments.count() == 2
    if headers:
        assert all(f"/outgoing/{written().outgoing.pk}/undo/" in answer.content.decode() for answer in answers)


def test_a_comment_with_files_that_comes_again_is_answered_as_the_first_time(
    desk: Client, ticket: Ticket, form: dict[str, Any]
) -> None:
    for _ in range(2):
        assert desk.post(f"/tickets/{ticket.number}/comments/", form, headers=HTMX).status_code == 200
    assert written().attachments.count() == 2


def test_a_plain_form_with_a_file_that_comes_again_is_one_mail(desk: Client, ticket: Ticket) -> None:
    key = uuid.uuid4()
    for _ in range(2):
        file = SimpleUploadedFile("label.pdf", b"%PDF", "application/pdf")
        form = {"text": "See the\nlabel.", "form_key": key, "files": [file]}
        assert desk.post(f"/tickets/{ticket.number}/replies/", form).status_code == 302
    assert written().attachments.count() == 1


def test_a_page_that_never_heard_that_its_mail_with_files_was_sent_is_told(
    desk: Client, ticket: Ticket, form: dict[str, Any]
) -> None:
    desk.post(f"/tickets/{ticket.number}/replies/", again(form), headers=HTMX)
    address = f"/tickets/{ticket.number}/drafts/reply/"
    told = desk.post(address, {**form, "draft_version": "0"})
    assert (told.status_code, told.json()["sent"]["same"]) == (409, True)
    changed = {**form, "draft_version": "0", "html": form["html"] + "<p>And one more thing.</p>"}
    assert desk.post(address, changed).json()["sent"]["same"] is False
    more = {**form, "draft_version": "0", "upload": [*form["upload"], str(attach(written().author).pk)]}
    assert desk.post(address, more).json()["sent"]["same"] is False
    to = {**form, "draft_version": "0", "recipients": "1", "to": ["other@customer.example"]}
    assert desk.post(address, to).json()["sent"]["same"] is False


@pytest.mark.parametrize("changes", [{"html": "<p>Another text.</p>"}, {"recipients": "1", "to": "b@customer.example"}])
def test_another_text_under_the_same_key_is_kept_and_not_called_sent(
    desk: Client, ticket: Ticket, form: dict[str, Any], changes: dict[str, Any]
) -> None:
    address = f"/tickets/{ticket.number}/replies/"
    desk.post(address, again(form), headers=HTMX)
    answer = desk.post(address, again(form, **changes), headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This was sent already" in page
    assert "Another text." in page or "See &lt;b&gt;the" in page
    reply = page[page.index('id="reply-form"') :]
    key = re.search(r'name="form_key" value="([^"]+)"', reply)
    assert key
    assert key[1] != form["form_key"]
    sent = desk.post(address, {"html": "<p>Another text.</p>", "form_key": key[1], "override": ["stranger"]})
    assert sent.status_code == 302
    assert Message.objects.filter(direction=Direction.OUT).count() == 2


def test_another_comment_under_the_same_key_is_kept_and_not_called_added(
    desk: Client, ticket: Ticket, form: dict[str, Any]
) -> None:
    address = f"/tickets/{ticket.number}/comments/"
    desk.post(address, form)
    answer = desk.post(address, {**form, "html": "<p>Another text.</p>"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Another text." in answer.content.decode()
    assert form["form_key"] not in answer.content.decode()


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (OutgoingState.HELD, "Reply is being sent"),
        (OutgoingState.SENT, "It was sent already"),
        (OutgoingState.FAILED, "could not be delivered"),
    ],
)
def test_of_a_mail_for_later_whose_time_is_over_the_repeat_says_what_became_of_it(
    desk: Client, ticket: Ticket, state: str, says: str
) -> None:
    form = {"text": "Good morning.", "form_key": uuid.uuid4(), "due": "tomorrow"}
    address = f"/tickets/{ticket.number}/replies/"
    first = desk.post(address, form, headers=HTMX)
    assert "It will be sent" in first["HX-Trigger"]
    over = timezone.now() - timedelta(minutes=1)
    Outgoing.objects.update(state=state, due_at=over, scheduled=state == OutgoingState.HELD)
    second = desk.post(address, form, headers=HTMX)
    assert says in second["HX-Trigger"]
    assert "It will be sent" not in second["HX-Trigger"]
