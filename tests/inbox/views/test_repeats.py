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

from inbox import undoing
from inbox.models import Direction, Message, NotSent, Outgoing, OutgoingState, Upload
from people.models import User
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tests.inbox.views.conftest import HTMX
from tests.people.test_signing_in import sign_in
from tickets.models import Kind, Ticket

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


@pytest.mark.parametrize("due", ["own", "tomorrow"])
def test_a_mail_for_later_that_is_shown_again_after_signing_in_is_still_for_later(
    client: Client, agent: User, ticket: Ticket, due: str
) -> None:
    """In a browser without scripts, whose session had ended."""
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    own = timezone.localtime(timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    form = {"text": "Good morning.", "form_key": uuid.uuid4(), "due": due, "due_own": own if due == "own" else ""}
    sign_in(client, agent)
    del client.cookies["sessionid"]
    client.post(f"/tickets/{ticket.number}/replies/", {**form, "due_status": closed.pk})
    page = client.get(sign_in(client, agent)["Location"]).content.decode()
    assert "You were signed out meanwhile" in page
    filled = re.search(r'name="due_own" value="([^"]+)"', page)
    assert filled
    if due == "own":
        assert filled[1] == own
    dialog = page[page.index('id="send-later"') :].partition("</dialog>")[0]
    assert f'<option value="{closed.pk}" selected>' in dialog
    assert 'name="cancel_if_answered" value="1">' in dialog, "as it was unticked"
    assert " data-asks-later" in page
    button = re.search(r'<button [^>]*name="due" value="own"[^>]*>Send [^<]+, as chosen</button>', page)
    assert button
    client.post(f"/tickets/{ticket.number}/replies/", {**form, "due": "own", "due_own": filled[1]})
    assert Outgoing.objects.get().is_scheduled


def test_a_mail_for_later_that_is_refused_keeps_its_time(desk: Client, ticket: Ticket) -> None:
    form = {"text": "Good morning.", "form_key": uuid.uuid4(), "due": "tomorrow", "recipients": "1", "to": "elina"}
    page = desk.post(f"/tickets/{ticket.number}/replies/", form, headers=HTMX).content.decode()
    assert re.search(r'name="due_own" value="[^"]+T08:00"', page)
    assert ", as chosen</button>" in page
    assert " data-asks-later" not in page, "the dialog would hide what is wrong"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_undo_whose_answer_was_lost_is_answered_as_the_first_time(
    desk: Client, agent: User, ticket: Ticket, form: dict[str, Any], headers: dict[str, str]
) -> None:
    desk.post(f"/tickets/{ticket.number}/replies/", again(form), headers=HTMX)
    address = f"/outgoing/{Outgoing.objects.get().pk}/undo/"
    first, second = (desk.post(address, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == (200 if headers else 302)
    if headers:
        assert "Your text is back in the editor." in second["HX-Trigger"]
        assert "See &lt;b&gt;the" in second.content.decode()
    assert agent.drafts.count() == 1
    assert Client().post(address).status_code == 302


def test_what_somebody_else_took_back_is_not_there_for_others(
    desk: Client, agent: User, ticket: Ticket, form: dict[str, Any], browser_of: Any
) -> None:
    desk.post(f"/tickets/{ticket.number}/replies/", again(form), headers=HTMX)
    address = f"/outgoing/{Outgoing.objects.get().pk}/undo/"
    desk.post(address, headers=HTMX)
    assert browser_of(make_user()).post(address, headers=HTMX).status_code == 404


def test_undo_that_kept_the_mail_in_the_conversation_says_so_again(
    desk: Client, agent: User, ticket: Ticket, form: dict[str, Any]
) -> None:
    desk.post(f"/tickets/{ticket.number}/replies/", again(form), headers=HTMX)
    agent.drafts.create(ticket=ticket, mode="reply", text="Something else.", updated_at=timezone.now())
    address = f"/outgoing/{Outgoing.objects.get().pk}/undo/"
    for _ in range(2):
        answer = desk.post(address, headers=HTMX)
        assert answer.status_code == 200
        assert "You have begun another answer" in answer["HX-Trigger"]
    assert Outgoing.objects.get().last_answer == NotSent.TAKEN_BACK


@pytest.fixture
def later(desk: Client, ticket: Ticket) -> Outgoing:
    form = {"text": "Good morning.", "form_key": uuid.uuid4(), "due": "tomorrow"}
    desk.post(f"/tickets/{ticket.number}/replies/", form)
    return Outgoing.objects.select_related("message__ticket").get()


def test_send_now_and_stop_of_what_was_just_taken_back_say_so(
    desk: Client, agent: User, later: Outgoing, browser_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undo comes in between, when the mail was found and before its ticket is held."""
    from inbox.views import outgoing as views

    found = views._outgoing

    def undone_meanwhile(request: Any, pk: int, **more: Any) -> Outgoing:
        mail = found(request, pk, **more)
        if Outgoing.objects.filter(pk=pk).exists():
            undoing.undo_sending(Outgoing.objects.get(pk=pk), by=agent, now=timezone.now())
        return mail

    monkeypatch.setattr(views, "_outgoing", undone_meanwhile)
    answer = desk.post(f"/outgoing/{later.pk}/departure/", headers=HTMX)
    assert (answer.status_code, "taken back already" in answer["HX-Trigger"]) == (409, True)
    [draft] = agent.drafts.all()
    desk.post(
        f"/tickets/{draft.ticket_id}/replies/",
        {"html": draft.html, "text": draft.text, "form_key": str(draft.form_key), "due": "tomorrow"},
    )
    other = browser_of(make_user(name="Maija"))
    answer = other.post(f"/outgoing/{Outgoing.objects.get().pk}/stop/", headers=HTMX)
    assert (answer.status_code, "taken back already" in answer["HX-Trigger"]) == (409, True)


def test_send_now_of_what_a_colleague_stopped_or_what_has_left_says_so(
    desk: Client, later: Outgoing, browser_of: Any
) -> None:
    browser_of(make_user(name="Maija")).post(f"/outgoing/{later.pk}/stop/")
    answer = desk.post(f"/outgoing/{later.pk}/departure/", headers=HTMX)
    assert (answer.status_code, "Reply is being sent" in answer["HX-Trigger"]) == (409, False)
    assert "was not sent" in answer["HX-Trigger"]
    Outgoing.objects.update(state=OutgoingState.SENT, last_answer="250 ok")
    answer = desk.post(f"/outgoing/{later.pk}/departure/", headers=HTMX)
    assert (answer.status_code, "It was sent already" in answer["HX-Trigger"]) == (200, True)
