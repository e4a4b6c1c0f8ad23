import re
import uuid
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from inbox.models import Direction, Message, Outgoing, OutgoingState, Upload
from inbox.replying import reply
from people.models import Role
from tests.factories import make_mailbox, make_message, make_pipeline, make_ticket, make_user
from tests.inbox.views.conftest import HTMX
from tickets.models import Kind, Property, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket():
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", to=[{"name": "", "address": "support@desk.example"}])
    return ticket


def test_a_reply_without_scripts_comes_back_to_its_ticket(desk, agent, ticket):
    answer = desk.post(
        f"/tickets/{ticket.number}/replies/?view=unassigned", {"text": "We send another.", "form_key": uuid.uuid4()}
    )
    message = Message.objects.get(direction=Direction.OUT)
    assert answer["Location"] == f"/tickets/{ticket.number}/?view=unassigned#m{message.pk}"
    assert message.text == "We send another."
    assert message.outgoing.state == OutgoingState.QUEUED
    ticket.refresh_from_db()
    assert ticket.owner == agent
    assert ticket.turn == Kind.WAITING_ON_CONTACT
    page = desk.get(answer["Location"]).content.decode()
    assert "Reply is being sent" in page
    assert "We send another." in page


def test_a_reply_as_a_part_is_the_message_an_empty_form_and_the_new_state(desk, ticket):
    form = {"html": "<p>We send <b>another</b>.</p>", "form_key": uuid.uuid4()}
    answer = desk.post(f"/tickets/{ticket.number}/replies/?view=all-open", form, headers=HTMX)
    text = answer.content.decode()
    assert "</html>" not in text
    assert "We send <b>another</b>." in text
    assert answer["HX-Reswap"].startswith("beforeend "), "it goes below the others, which stay as they are"
    assert text.count('<article class="msg') == 1
    assert 'id="composer-comment"' not in text, "what is written in the other editor stays"
    for part in (
        f'hx-swap-oob="delete:#m{Message.objects.get(direction=Direction.OUT).pk}"',
        'id="composer-reply"',
        'id="composer-slim" hx-swap-oob',
        'id="ticket-header" hx-swap-oob',
        f'id="t{ticket.number}" hx-swap-oob',
    ):
        assert part in text
    assert "ticket:changed" in answer["HX-Trigger"]
    assert "draft:saved" in answer["HX-Trigger"]
    assert "Waiting on contact" in text


def test_the_same_form_twice_is_one_message(desk, ticket):
    form = {"text": "Once.", "form_key": uuid.uuid4()}
    for _ in range(2):
        assert desk.post(f"/tickets/{ticket.number}/replies/", form).status_code == 302
    assert Message.objects.filter(direction=Direction.OUT).count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_reply_is_refused(desk, ticket, headers):
    answer = desk.post(f"/tickets/{ticket.number}/replies/", {"text": "  ", "form_key": uuid.uuid4()}, headers=headers)
    assert answer.status_code == 422
    assert "There is nothing to send yet." in answer.content.decode()
    assert not Outgoing.objects.exists()


def test_a_refused_reply_keeps_its_text_and_its_files(desk, ticket):
    ticket.conversations.get().mailbox.__class__.objects.update(enabled=False)
    file = SimpleUploadedFile("label.pdf", b"%PDF", "application/pdf")
    form = {"text": "Long and <dear>", "form_key": uuid.uuid4(), "files": [file]}
    answer = desk.post(f"/tickets/{ticket.number}/replies/", form)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "</html>" in text
    assert "is switched off" in text
    upload = Upload.objects.get()
    assert str(upload.pk) in text


def test_files_of_the_plain_form_are_attached(desk, ticket):
    file = SimpleUploadedFile("Käyttöohje.pdf", b"%PDF", "application/pdf")
    desk.post(
        f"/tickets/{ticket.number}/replies/", {"text": "See the file.", "form_key": uuid.uuid4(), "files": [file]}
    )
    attachment = Message.objects.get(direction=Direction.OUT).attachments.get()
    assert attachment.name == "Käyttöohje.pdf"
    assert attachment.size == 4


def test_a_file_that_is_too_large_is_refused_with_the_limit(desk, ticket, settings):
    settings.HELPDESK_MAX_UPLOAD_MB = 1
    file = SimpleUploadedFile("big.bin", b"0" * (1024 * 1024 + 1))
    form = {"text": "See the file.", "form_key": uuid.uuid4(), "files": [file]}
    answer = desk.post(f"/tickets/{ticket.number}/replies/", form)
    assert answer.status_code == 422
    assert "larger than 1 MB" in answer.content.decode()
    assert "See the file." in answer.content.decode()


def test_somebody_elses_upload_is_not_sent(desk, ticket):
    theirs = Upload.objects.create(user=make_user(), name="x.pdf", content_type="application/pdf", size=1, file="x")
    form = {"text": "Look.", "form_key": uuid.uuid4(), "upload": [str(theirs.pk), "nonsense"]}
    answer = desk.post(f"/tickets/{ticket.number}/replies/", form)
    assert answer.status_code == 422
    assert not Outgoing.objects.exists()


def test_an_earlier_message_is_answered_when_it_was_chosen(desk, ticket):
    first = ticket.messages.get()
    make_message(ticket, text="And another thing.")
    head = desk.get(f"/tickets/{ticket.number}/replies/?answers={first.pk}", headers=HTMX).content.decode()
    assert "Replying to" in head
    assert "It is too small." in head
    assert f'name="answers" value="{first.pk}"' in head
    assert "</html>" not in head
    page = desk.get(f"/tickets/{ticket.number}/?answers={first.pk}").content.decode()
    assert f'name="answers" value="{first.pk}"' in page
    plain = desk.get(f"/tickets/{ticket.number}/replies/?answers={first.pk}&view=all-open")
    assert plain["Location"] == f"/tickets/{ticket.number}/?view=all-open&answers={first.pk}#composer"
    back = desk.get(f"/tickets/{ticket.number}/replies/?view=all-open")
    assert back["Location"] == f"/tickets/{ticket.number}/?view=all-open#composer"

    desk.post(
        f"/tickets/{ticket.number}/replies/", {"text": "To the first.", "answers": first.pk, "form_key": uuid.uuid4()}
    )
    assert Message.objects.get(direction=Direction.OUT).answers == first


def test_a_mail_that_comes_while_one_writes_does_not_change_whom_one_writes_to(desk, ticket):
    shown = ticket.messages.get()
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert f'name="answers" value="{shown.pk}"' in page
    make_message(ticket, text="Somebody else.", from_address="else@customer.example")
    form = {"text": "To you.", "answers": shown.pk, "form_key": uuid.uuid4()}
    desk.post(f"/tickets/{ticket.number}/replies/", form)
    assert Message.objects.get(direction=Direction.OUT).answers == shown


def test_by_default_the_newest_message_is_answered(desk, ticket):
    newest = make_message(ticket, text="And another thing.")
    desk.post(f"/tickets/{ticket.number}/replies/", {"text": "To the newest.", "form_key": uuid.uuid4()})
    assert Message.objects.get(direction=Direction.OUT).answers == newest


def test_a_comment_or_a_message_of_another_ticket_cannot_be_answered(desk, ticket):
    elsewhere = make_message(make_ticket(), text="secret words")
    head = desk.get(f"/tickets/{ticket.number}/replies/?answers={elsewhere.pk}", headers=HTMX).content.decode()
    assert "secret words" not in head
    form = {"text": "Hm.", "answers": elsewhere.pk, "form_key": uuid.uuid4()}
    answer = desk.post(f"/tickets/{ticket.number}/replies/", form)
    assert answer.status_code == 422
    assert not Outgoing.objects.exists()


def test_a_collaborator_comments_and_does_not_reply(browser_of, ticket):
    guest = browser_of(make_user(Role.COLLABORATOR, name="Jussi"))
    page = guest.get(f"/tickets/{ticket.number}/").content.decode()
    assert 'id="composer-reply"' not in page
    assert 'id="composer-comment"' in page
    assert "/status/" not in page
    assert guest.get(f"/tickets/{ticket.number}/replies/").status_code == 403
    assert guest.post(f"/tickets/{ticket.number}/replies/", {"text": "No."}).status_code == 403
    assert guest.post(f"/tickets/{ticket.number}/comments/", {"text": "For the team."}).status_code == 302
    comment = Message.objects.get(direction=Direction.INTERNAL)
    assert comment.author.name == "Jussi"
    assert not Outgoing.objects.exists()


def test_a_comment_is_internal_as_a_part_too(desk, ticket):
    answer = desk.post(
        f"/tickets/{ticket.number}/comments/", {"html": "<p>For us.</p>", "form_key": uuid.uuid4()}, headers=HTMX
    )
    text = answer.content.decode()
    assert re.search(r'data-kind="comment" id="m\d+"', text)
    assert "Internal comment" in text
    assert "Comment added" in answer["HX-Trigger"]
    assert not Outgoing.objects.exists()


def test_strangers_to_the_ticket_write_nothing(browser_of, ticket):
    ticket.assign(make_user(), by=None, now=ticket.opened_at)
    other = browser_of(make_user(ticket_access="own"))
    for address in ("replies", "comments"):
        assert other.post(f"/tickets/{ticket.number}/{address}/", {"text": "x"}).status_code == 404


def test_without_anybody_to_write_to_the_reply_says_why(desk):
    ticket = make_ticket(contact=None)
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "This ticket has no contact yet. Add one to write to them." in page


def failed(ticket, desk, state, answer=""):
    desk.post(f"/tickets/{ticket.number}/replies/", {"text": "We send another.", "form_key": uuid.uuid4()})
    Outgoing.objects.update(state=state, last_answer=answer)
    return Outgoing.objects.get()


def test_a_failed_mail_shows_the_servers_words_and_is_tried_again(desk, ticket):
    outgoing = failed(ticket, desk, OutgoingState.FAILED, "550 no such user <here>")
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "This was not sent." in page
    assert "550 no such user &lt;here&gt;" in page
    answer = desk.post(f"/outgoing/{outgoing.pk}/retry/?view=all-open", headers=HTMX)
    assert "Sending" in answer.content.decode()
    outgoing.refresh_from_db()
    assert outgoing.state == OutgoingState.QUEUED
    assert desk.post(f"/outgoing/{outgoing.pk}/retry/", headers=HTMX).status_code == 409
    assert desk.post(f"/outgoing/{outgoing.pk}/retry/")["Location"].endswith(f"#m{outgoing.message_id}")


def test_a_mail_that_only_some_have_says_who_lacks_it_and_who_has_it(desk, ticket):
    outgoing = failed(ticket, desk, OutgoingState.FAILED, "elina@customer.example: 550 no such user")
    outgoing.recipients.update(state="refused")
    outgoing.recipients.create(address="boss@customer.example", state="accepted")
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "This did not reach everybody." in page
    assert "boss@customer.example has it." in page
    assert "This was not sent." not in page


def test_a_mail_that_waits_says_when_it_is_tried_again(desk, ticket):
    outgoing = failed(ticket, desk, OutgoingState.DEFERRED, "451 busy")
    due = timezone.now() + timedelta(minutes=15)
    Outgoing.objects.filter(pk=outgoing.pk).update(due_at=due)
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert f"Next try at {timezone.localtime(due):%H:%M}" in page


def test_a_mail_of_unknown_fate_says_so_and_what_to_do(desk, ticket):
    failed(ticket, desk, OutgoingState.UNKNOWN)
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "It is not known whether this was sent." in page
    assert "Ask them" in page


def test_only_those_who_may_reply_try_again(browser_of, desk, ticket):
    outgoing = failed(ticket, desk, OutgoingState.FAILED)
    assert browser_of(make_user(Role.COLLABORATOR)).post(f"/outgoing/{outgoing.pk}/retry/").status_code == 403
    assert browser_of(make_user(ticket_access="own")).post(f"/outgoing/{outgoing.pk}/retry/").status_code == 404


def test_a_contact_without_an_address_can_be_given_one_where_it_is_missed(desk):
    make_mailbox()
    ticket = make_ticket()
    ticket.contact.addresses.all().delete()
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "has no mail address" in page
    assert f'formaction="/tickets/{ticket.number}/contact-address/' in page


def test_the_signature_that_a_reply_gets_is_shown_before(desk, agent):
    mailbox = make_mailbox(signature="Korpi & Sons\n\nkorpi.example")
    ticket = make_ticket()
    make_message(ticket, mailbox=mailbox)
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert page.count("Your signature is added: Korpi &amp; Sons") == 1
    assert "<p>korpi.example</p>" in page
    mailbox.signature = ""
    mailbox.save()
    assert "Your signature is added" not in desk.get(f"/tickets/{ticket.number}/").content.decode()


def test_a_mail_for_tomorrow_says_what_it_will_do_and_what_stops_it(desk, agent, ticket):
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    tomorrow = {"due": "tomorrow", "cancel_if_answered": "1", "form_key": uuid.uuid4()}
    desk.post(f"/tickets/{ticket.number}/replies/", {**tomorrow, "text": "Good morning.", "due_status": closed.pk})
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Not if the customer writes first." in page
    assert "The ticket is set to “Closed” then." in page


def test_a_mail_for_tomorrow_says_what_the_pipeline_does_where_nobody_chose(desk, ticket):
    form = {"due": "tomorrow", "text": "Good morning.", "form_key": uuid.uuid4()}
    desk.post(f"/tickets/{ticket.number}/replies/", form)
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "The ticket is set to “Waiting on contact” then." in page
    assert "Not if the customer writes first." not in page


@pytest.fixture
def leaving_me():
    """Nobody's ticket, which is why its agent sees it, and what they write to close it: that asks for an owner."""
    me, colleague = make_user(ticket_access="own", undo_seconds=10), make_user(name="Tom Berg")
    ticket = make_ticket(name="Wrong size")
    make_message(ticket)
    status = ticket.pipeline.first_status(Kind.CLOSED)
    status.required = ["owner"]
    status.save()
    form = {"text": "My colleague takes over.", "status": status.pk, "property-owner": colleague.pk}
    return me, colleague, ticket, {**form, "form_key": uuid.uuid4()}


def test_a_ticket_that_one_gives_away_with_the_reply_is_not_shown_again(browser_of, leaving_me):
    me, colleague, ticket, form = leaving_me
    answer = browser_of(me).post(f"/tickets/{ticket.number}/replies/?view=unassigned", form, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Wrong size" not in page
    assert 'id="list"' in page
    assert answer["HX-Retarget"] == "#ticket"
    assert answer["HX-Push-Url"] == "/?view=unassigned"
    assert "The ticket is now with Tom Berg, and you no longer see it." in answer["HX-Trigger"]
    message = Message.objects.get(direction=Direction.OUT)
    assert message.text == "My colleague takes over."
    assert f"/outgoing/{message.outgoing.pk}/undo/" in page
    ticket.refresh_from_db()
    assert (ticket.owner, ticket.status.required) == (colleague, ["owner"])


def test_without_scripts_the_list_says_to_whom_one_gave_the_ticket(browser_of, leaving_me):
    me, _, ticket, form = leaving_me
    answer = browser_of(me).post(f"/tickets/{ticket.number}/replies/?view=unassigned", form, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Reply is being sent" in page
    assert "The ticket is now with Tom Berg, and you no longer see it." in page


def test_taking_a_mail_back_takes_back_the_ticket_that_was_given_away_with_it(browser_of, leaving_me):
    me, _, ticket, form = leaving_me
    mine = browser_of(me)
    mine.post(f"/tickets/{ticket.number}/replies/", form, headers=HTMX)
    answer = mine.post(f"/outgoing/{Outgoing.objects.get().pk}/undo/", headers=HTMX)
    assert answer.status_code == 200
    assert "My colleague takes over." in answer.content.decode()
    ticket.refresh_from_db()
    assert (ticket.owner, ticket.turn) == (None, Kind.NEW)
    assert not Outgoing.objects.exists()


def test_a_ticket_that_others_took_meanwhile_stays_away_when_the_mail_is_taken_back(browser_of, leaving_me):
    me, _, ticket, form = leaving_me
    mine = browser_of(me)
    mine.post(f"/tickets/{ticket.number}/replies/", form, headers=HTMX)
    third = make_user()
    ticket.refresh_from_db()
    ticket.assign(third, by=third, now=timezone.now())
    answer = mine.post(f"/outgoing/{Outgoing.objects.get().pk}/undo/", headers=HTMX)
    assert answer.status_code == 200
    assert "You no longer see the ticket" in answer["HX-Trigger"]
    assert not Outgoing.objects.exists()
    assert "My colleague takes over." in me.drafts.get().html


def test_what_one_gave_away_can_be_sent_at_once_and_is_too_late_to_undo_then(browser_of, leaving_me):
    me, _, ticket, form = leaving_me
    mine = browser_of(me)
    mine.post(f"/tickets/{ticket.number}/replies/", form, headers=HTMX)
    outgoing = Outgoing.objects.get()
    answer = mine.post(f"/outgoing/{outgoing.pk}/departure/", headers=HTMX)
    assert answer.status_code == 200
    assert "My colleague takes over." not in answer.content.decode()
    Outgoing.objects.update(state=OutgoingState.SENT)
    answer = mine.post(f"/outgoing/{outgoing.pk}/undo/", headers=HTMX)
    assert answer.status_code == 409
    assert browser_of(make_user(ticket_access="own")).post(f"/outgoing/{outgoing.pk}/undo/").status_code == 404


def hints(desk, ticket):
    """What the menu beside Send says of each status."""
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    menu = page[page.index('id="m-send"') :]
    found = re.findall(r'name="status" value="(\d+)"[^>]*?(?: title="([^"]*)")?(?: data-send-closing)?>', menu)
    return {Status.objects.get(pk=pk).name: hint for pk, hint in found}


def test_the_menu_beside_send_says_what_the_reply_does_by_itself(desk, ticket):
    assert hints(desk, ticket) == {
        "New": "no change", "Waiting on us": "", "Waiting on contact": "usual", "Closed": ""
    }  # fmt: skip
    reply(ticket, by=make_user(), text="It is on its way.")
    ticket.refresh_from_db()
    assert ticket.status.name == "Waiting on contact"
    assert "usual" not in hints(desk, ticket).values()
    # Whoever waits, a closed ticket stays closed.
    ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=None, now=timezone.now())
    assert "usual" not in hints(desk, ticket).values()


def test_a_pipeline_without_a_status_for_the_contacts_turn_has_no_usual_one(desk, ticket):
    ticket.pipeline.statuses.filter(kind=Kind.WAITING_ON_CONTACT).delete()
    assert "usual" not in hints(desk, ticket).values()
    reply(ticket, by=make_user(), text="It is on its way.")
    ticket.refresh_from_db()
    assert ticket.status.name == "New"


def test_a_page_costs_the_same_with_one_status_that_asks_and_with_eight(desk, count_queries):
    for key in ("cause", "cost"):
        Property.objects.create(key=key, name=key.title())

    def cost(size):
        pipeline = make_pipeline(f"Pipeline {size}")
        for number in range(size):
            asked = ["cause", "owner"] if number % 2 else ["cost", "cause", "team"]
            pipeline.statuses.create(name=f"S{number}", kind=Kind.WAITING_ON_US, required=asked, position=20 + number)
        ticket = make_ticket(pipeline=pipeline, owner=make_user())
        make_message(ticket)
        assert hints(desk, ticket)["S0"] == "asks 3 things"
        spent = count_queries(lambda: desk.get(f"/tickets/{ticket.number}/"))
        if size > 1:
            assert hints(desk, ticket)["S1"] == "asks one thing"
        return spent

    cost(1)
    assert cost(2) == cost(8)


@pytest.mark.parametrize("own", ["", "2001-01-01T08:00", "2999-01-01T08:00"])
def test_a_time_that_cannot_be_is_asked_for_again_with_all_that_was_chosen_beside_it(desk, ticket, own):
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    form = {"text": "Good morning.", "form_key": uuid.uuid4(), "due": "own", "due_own": own, "due_status": closed.pk}
    answer = desk.post(f"/tickets/{ticket.number}/replies/", form, headers=HTMX)
    assert answer.status_code == 422
    dialog = re.search(r'<dialog[^>]* id="send-later".*?</dialog>', answer.content.decode(), re.DOTALL)[0]
    assert re.search(rf'name="due_own" value="{own}"[^>]* aria-invalid="true"', dialog)
    assert f'<option value="{closed.pk}" selected>' in dialog
    assert 'name="cancel_if_answered" value="1">' in dialog
    assert " data-asks-later" in answer.content.decode()


def test_a_time_that_the_clock_leaves_out_in_spring_is_said_as_it_will_be(desk, agent, ticket):
    agent.time_zone = "Europe/Helsinki"
    agent.save()
    year = timezone.now().year + 1
    gap = max(day for day in range(25, 32) if date(year, 3, day).weekday() == 6)
    own = f"{year}-03-{gap}T03:30"
    form = {"text": "Good morning.", "form_key": uuid.uuid4(), "due": "own", "due_own": own}
    answer = desk.post(f"/tickets/{ticket.number}/replies/", form, headers=HTMX)
    assert f"Sun {gap} Mar, 04:30" in answer["HX-Trigger"]


def test_whoever_chose_the_newest_message_to_answer_has_read_it(desk, agent, ticket):
    first = ticket.messages.get()
    newest = make_message(ticket, text="One more thing.")
    form = {"text": "Gladly.", "form_key": uuid.uuid4(), "begun_after": first.pk, "answers": newest.pk}
    path = f"/tickets/{ticket.number}/replies/"
    assert "Read it first" in desk.post(path, form, headers=HTMX).content.decode()
    assert desk.post(path, {**form, "chosen": "1"}, headers=HTMX).status_code == 200


def test_who_answers_is_the_owner_that_the_dialog_offers(browser_of, leaving_me):
    me, _, ticket, form = leaving_me
    del form["property-owner"]
    page = browser_of(me).post(f"/tickets/{ticket.number}/replies/", form, headers=HTMX).content.decode()
    assert f'<option value="{me.pk}" selected>' in page
