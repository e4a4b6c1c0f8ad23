"""Two things at once: a mail that is to leave, and what the contact, a colleague, the trash or its own writer do meanwhile."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from inbox import errors, receiving, undoing
from inbox.models import Attachment, Direction, Draft, Incoming, Message, Outgoing, OutgoingState
from inbox.replying import send
from people.models import User
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.inbox.mails import make_mail
from tests.inbox.views.conftest import HTMX
from tests.mail_servers import SmtpServer
from tests.signing_in import signed_in
from tickets.models import Kind, Notification, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return make_user(name="Maija Virtanen", undo_seconds=10)


@pytest.fixture
def ticket(smtp_server: SmtpServer) -> Ticket:
    box = make_mailbox(
        "support@desk.example", smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none"
    )
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=box)
    return ticket


def draft_of(agent: User, ticket: Ticket, text: str = "We send another.", **fields: Any) -> Draft:
    return Draft(user=agent, ticket=ticket, mode="reply", text=text, **fields)


def fresh(thing: Any) -> Any:
    return type(thing)._default_manager.get(pk=thing.pk)


def unless_answered(agent: User, ticket: Ticket, text: str = "Unless you write.") -> Outgoing:
    """A mail that was due an hour ago, and not if the contact wrote first."""
    now = timezone.now()
    written = now - timedelta(hours=9)
    due = now - timedelta(hours=1)
    draft = draft_of(agent, ticket, text)
    return send(draft, by=agent, due_at=due, cancel_if_answered=True, now=written).outgoing


def customers_mail(ticket: Ticket) -> Incoming:
    """Stored, and nobody has worked on it yet."""
    asked = ticket.messages.filter(direction=Direction.IN).get()
    words = {"sender": "elina@customer.example", "subject": "Re: Wrong size"}
    raw = make_mail("One more thing.", answers=asked.message_id, **words)
    return receiving.store(asked.conversation.mailbox, raw, source="pipe", now=timezone.now())


def test_after_downtime_a_stored_mail_of_the_customer_comes_before_what_was_to_leave(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = unless_answered(agent, ticket)
    stored = customers_mail(ticket)
    outgoing.send_now()
    assert smtp_server.taken == []
    assert Outgoing.objects.sweep(timezone.now()) == 0
    receiving.process(stored.pk)
    assert smtp_server.taken == []
    assert not Outgoing.objects.held().exists()
    assert "Unless you write." in Draft.objects.get().text + Draft.objects.get().html


def test_a_mail_in_quarantine_holds_up_nothing(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    outgoing = unless_answered(agent, ticket)
    stored = customers_mail(ticket)
    Incoming.objects.filter(pk=stored.pk).update(state="quarantined")
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT


def test_a_mail_without_that_wish_waits_for_nothing_that_came_in(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    now = timezone.now()
    due, written = now - timedelta(minutes=1), now - timedelta(hours=1)
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=due, now=written).outgoing
    customers_mail(ticket)
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT


def test_after_downtime_the_mailbox_is_fetched_before_what_was_to_leave(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = unless_answered(agent, ticket)
    box = outgoing.mailbox
    box.imap_host, box.last_poll_at = "imap.desk.example", outgoing.due_at - timedelta(seconds=30)
    box.save()
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.HELD
    box.last_poll_at = timezone.now()
    box.save()
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT


def test_a_mailbox_that_cannot_be_fetched_is_not_waited_for(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = unless_answered(agent, ticket)
    box = outgoing.mailbox
    box.imap_host, box.fetch_error = "imap.desk.example", "The server does not answer."
    box.save()
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT


@pytest.mark.parametrize(("seconds", "state"), [(300, OutgoingState.HELD), (301, OutgoingState.SENT)])
def test_a_mailbox_that_is_fetched_seldom_is_not_waited_for(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, seconds: int, state: str
) -> None:
    outgoing = unless_answered(agent, ticket)
    box = outgoing.mailbox
    box.imap_host, box.poll_seconds = "imap.desk.example", seconds
    box.save()
    outgoing.send_now()
    assert fresh(outgoing).state == state


def elsewhere(agent: User, ticket: Ticket, text: str = "SECRET for the lawyer only.", **fields: Any) -> Draft:
    """What the agent has begun after Send: a forward to somebody else."""
    fields = {"kind": "forward", "to": [{"name": "", "address": "lawyer@law.example"}], "cc": [], "bcc": [], **fields}
    return Draft.objects.create(
        user=agent, ticket=ticket, mode="reply", text=text, subject="Advice", updated_at=timezone.now(), **fields
    )


def as_stored(draft: Draft) -> dict[str, Any]:
    return Draft.objects.filter(pk=draft.pk).values().get()


@pytest.mark.parametrize("words", [{"text": "SECRET."}, {"text": "", "html": "<p>SECRET.</p>"}, {"text": ""}])
def test_undo_leaves_what_was_begun_since_to_its_own_audience(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, words: dict[str, str]
) -> None:
    stood = fresh(ticket).status
    answer = send(draft_of(agent, ticket), by=agent)
    begun = elsewhere(agent, ticket, **words)
    before = as_stored(begun)
    assert undoing.undo_sending(answer.outgoing, by=agent, now=timezone.now()) is None
    assert as_stored(begun) == before
    assert fresh(ticket).status == stood
    kept = fresh(answer.outgoing)
    assert kept.state == OutgoingState.CANCELLED
    assert kept.message.text == "We send another."
    kept.send_now(now=timezone.now() + timedelta(days=1))
    assert smtp_server.taken == []


def test_what_was_kept_unsent_is_written_anew_once_the_other_one_is_gone(agent: User, ticket: Ticket) -> None:
    answer = send(draft_of(agent, ticket), by=agent)
    begun = elsewhere(agent, ticket)
    undoing.undo_sending(answer.outgoing, by=agent, now=timezone.now())
    kept, colleague = fresh(answer.outgoing), make_user()
    with pytest.raises(errors.AnotherBegun):
        undoing.write_anew(kept, by=agent, now=timezone.now())
    begun.delete()
    draft = undoing.write_anew(kept, by=agent, now=timezone.now())
    assert (draft.kind, draft.to) == ("reply", answer.to)
    assert undoing.write_anew(kept, by=agent, now=timezone.now()) == draft
    theirs = undoing.write_anew(kept, by=colleague, now=timezone.now())
    assert "We send another." in theirs.text + theirs.html
    again = send(draft, by=agent)
    assert fresh(kept).replaced_by == again
    assert fresh(ticket).message_count == 2


def test_the_form_of_a_mail_that_was_kept_unsent_can_be_sent_again(agent: User, ticket: Ticket) -> None:
    """It stands in another tab still, and has sent nothing after all."""
    form = draft_of(agent, ticket)
    unsent = send(form, by=agent)
    elsewhere(agent, ticket).save()
    assert undoing.undo_sending(unsent.outgoing, by=agent, now=timezone.now()) is None
    again = send(draft_of(agent, ticket, form_key=form.form_key), by=agent)
    assert again != unsent
    assert fresh(again.outgoing).state == OutgoingState.HELD


def test_a_mail_for_later_is_not_taken_back_into_another_answer(agent: User, ticket: Ticket) -> None:
    due = timezone.now() + timedelta(days=1)
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=due).outgoing
    elsewhere(agent, ticket)
    with pytest.raises(errors.AnotherBegun):
        undoing.undo_sending(outgoing, by=agent, now=timezone.now())
    assert fresh(outgoing).is_scheduled


def test_when_the_contact_writes_first_what_was_begun_since_stays_what_it_is(agent: User, ticket: Ticket) -> None:
    due = timezone.now() + timedelta(days=1)
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=due, cancel_if_answered=True).outgoing
    begun = elsewhere(agent, ticket)
    before = as_stored(begun)
    receiving.process(customers_mail(ticket).pk)
    assert as_stored(begun) == before
    assert fresh(outgoing).state == OutgoingState.CANCELLED
    told = Notification.objects.get(user=agent, kind="sending")
    assert told.anchor == f"m{outgoing.message_id}"


def test_a_forward_that_is_taken_back_has_its_files_once(agent: User, ticket: Ticket) -> None:
    asked = ticket.messages.get()
    Attachment.objects.create(
        message=asked, name="label.png", content_type="image/png", size=3, file=ContentFile(b"png", "label.png")
    )
    to = [{"name": "", "address": "help@carrier.example"}]
    draft = draft_of(agent, ticket, kind="forward", answers=asked, to=to, cc=[], bcc=[])
    back = undoing.undo_sending(send(draft, by=agent).outgoing, by=agent, now=timezone.now())
    again = send(back, by=agent, uploads=back.uploads.all())
    assert [file.name for file in again.attachments.all()] == ["label.png"]


def press_undo(agent: User, outgoing: Outgoing) -> Any:
    return signed_in(agent).post(f"/outgoing/{outgoing.pk}/undo/", headers={"HX-Request": "true"})


def test_a_page_in_which_another_answer_is_typed_keeps_it_and_is_told(agent: User, ticket: Ticket) -> None:
    answer = send(draft_of(agent, ticket), by=agent)
    elsewhere(agent, ticket)
    response = press_undo(agent, answer.outgoing)
    assert response.status_code == 200
    assert response["HX-Reswap"] == "none"
    assert response.content == b""
    assert "Not sent. You have begun another answer" in response["HX-Trigger"]
    page = signed_in(agent).get(f"/tickets/{ticket.number}/").content.decode()
    assert f"/outgoing/{answer.outgoing.pk}/retry/" not in page


def test_what_was_cancelled_is_one_quiet_line_with_its_text_behind_it(agent: User, ticket: Ticket) -> None:
    answer = send(draft_of(agent, ticket), by=agent)
    elsewhere(agent, ticket)
    press_undo(agent, answer.outgoing)
    page = signed_in(agent).get(f"/tickets/{ticket.number}/").content.decode()
    line = page[page.index(f'<article class="unsent" id="m{answer.pk}"') :].partition("</article>")[0]
    assert "It was taken back." in line
    summary, _, behind = line.partition("</summary>")
    assert "We send another." not in summary
    assert "We send another." in behind
    assert "Edit and send" in behind
    assert 'role="alert"' not in line
    assert "is-failed" not in line


@pytest.mark.django_db(transaction=True)
def test_undo_pressed_several_times_at_once_is_answered_each_time(smtp_server: SmtpServer) -> None:
    box = make_mailbox(smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none")
    agent, ticket = make_user(undo_seconds=10), make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=box)
    outgoing = send(draft_of(agent, ticket), by=agent).outgoing
    browsers = [signed_in(agent) for _ in range(4)]
    together, answers = threading.Barrier(len(browsers)), []

    def press(browser: Client) -> None:
        together.wait(10)
        try:
            browser.raise_request_exception = False
            answers.append(browser.post(f"/outgoing/{outgoing.pk}/undo/", headers={"HX-Request": "true"}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[browser]) for browser in browsers]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert set(answers) <= {200, 404}  # 404: of another browser's, which comes when all is over
    assert 200 in answers
    assert Draft.objects.count() == 1


def standing(ticket: Ticket) -> tuple[Any, ...]:
    ticket = fresh(ticket)
    return (
        *(ticket.status_id, ticket.turn, ticket.turn_since, ticket.owner_id, ticket.preview, ticket.message_count),
        *(ticket.last_message_at, list(ticket.events.values_list("pk", "kind"))),
    )


def test_a_ticket_stays_answered_while_the_second_of_two_answers_goes_out(agent: User, ticket: Ticket) -> None:
    before = standing(ticket)
    first = send(draft_of(agent, ticket, "First."), by=agent)
    second = send(draft_of(agent, ticket, "Second."), by=agent)
    undoing.undo_sending(first.outgoing, by=agent, now=timezone.now())
    after = fresh(ticket)
    assert (after.turn, after.owner, after.preview) == (Kind.WAITING_ON_CONTACT, agent, "Second.")
    Draft.objects.all().delete()
    undoing.undo_sending(fresh(second.outgoing), by=agent, now=timezone.now())
    assert standing(ticket) == before, "as if neither had been written"


def test_of_two_answers_the_second_is_taken_back_to_the_first(agent: User, ticket: Ticket) -> None:
    before = standing(ticket)
    first = send(draft_of(agent, ticket, "First."), by=agent)
    between = standing(ticket)
    second = send(draft_of(agent, ticket, "Second."), by=agent)
    undoing.undo_sending(second.outgoing, by=agent, now=timezone.now())
    assert standing(ticket) == between
    Draft.objects.all().delete()
    undoing.undo_sending(first.outgoing, by=agent, now=timezone.now())
    assert standing(ticket) == before


@pytest.mark.parametrize("stood", [Kind.WAITING_ON_CONTACT, Kind.NEW])
def test_undo_takes_back_the_status_and_owner_that_went_with_a_mail_though_a_colleague_answered_since(
    agent: User, ticket: Ticket, stood: Kind
) -> None:
    """What the colleague's answer does by itself to the ticket as it was before is what is left."""
    colleague, tom = make_user(name="Maija", undo_seconds=10), make_user(name="Tom")
    waiting, closed = map(ticket.pipeline.first_status, (Kind.WAITING_ON_CONTACT, Kind.CLOSED))
    if stood == Kind.WAITING_ON_CONTACT:
        ticket.move_to(waiting, by=None, now=timezone.now())
    before = standing(ticket)
    first = send(draft_of(agent, ticket, "First."), by=agent, status=closed, properties={"owner": tom})
    second = send(draft_of(colleague, ticket, "Second."), by=colleague)
    assert (fresh(ticket).turn, fresh(ticket).owner) == (Kind.CLOSED, tom)
    undoing.undo_sending(first.outgoing, by=agent, now=timezone.now())
    after = fresh(ticket)
    assert (after.status, after.turn, after.closed_at, after.owner) == (waiting, waiting.kind, None, colleague)
    assert {event.actor for event in after.events.exclude(actor=None)} == {colleague}
    undoing.undo_sending(fresh(second.outgoing), by=colleague, now=timezone.now())
    assert standing(ticket) == before, "as if neither had been written"


def test_undo_leaves_the_status_that_a_colleague_chose_with_an_answer_since(agent: User, ticket: Ticket) -> None:
    colleague, closed = make_user(undo_seconds=10), ticket.pipeline.first_status(Kind.CLOSED)
    before = standing(ticket)
    first = send(draft_of(agent, ticket, "First."), by=agent, status=closed)
    second = send(draft_of(colleague, ticket, "Second."), by=colleague, status=closed, properties={"owner": agent})
    undoing.undo_sending(first.outgoing, by=agent, now=timezone.now())
    assert (fresh(ticket).status, fresh(ticket).owner) == (closed, agent)
    undoing.undo_sending(fresh(second.outgoing), by=colleague, now=timezone.now())
    assert standing(ticket) == before


def test_a_forward_or_a_mail_of_tomorrow_does_not_keep_a_ticket_answered(agent: User, ticket: Ticket) -> None:
    now, stood = timezone.now(), fresh(ticket).turn
    first = send(draft_of(agent, ticket), by=agent)
    send(draft_of(agent, ticket, "Tomorrow."), by=agent, due_at=now + timedelta(days=1), now=now)
    to = [{"name": "", "address": "help@carrier.example"}]
    send(draft_of(agent, ticket, kind="forward", answers=ticket.messages.first(), to=to, cc=[], bcc=[]), by=agent)
    undoing.undo_sending(first.outgoing, by=agent, now=now)
    assert fresh(ticket).turn == stood


@pytest.mark.parametrize("later", [True, False])
def test_nothing_leaves_a_ticket_in_the_trash_nor_by_itself_once_it_is_back(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, later: bool
) -> None:
    admin, now = make_user("admin"), timezone.now()
    before = standing(ticket)[:5]
    outgoing = send(
        draft_of(agent, ticket), by=agent, due_at=now + timedelta(days=1) if later else None, now=now
    ).outgoing
    fresh(ticket).trash(by=admin, now=now)
    outgoing.send_now(now=now + timedelta(days=2))
    kept = fresh(outgoing)
    assert (kept.state, kept.why_not_sent) == (
        OutgoingState.CANCELLED,
        "The ticket was in the trash when it was to leave.",
    )
    with pytest.raises(errors.TicketInTrash):
        undoing.write_anew(kept, by=agent, now=now)
    fresh(ticket).restore(by=admin, now=now)
    assert standing(ticket)[:5] == before
    fresh(outgoing).send_now(now=now + timedelta(days=3))
    Outgoing.objects.sweep(now + timedelta(days=3))
    assert smtp_server.taken == []
    assert [one.anchor for one in Notification.objects.visible_to(agent)] == [f"m{outgoing.message_id}"]
    draft = undoing.write_anew(fresh(outgoing), by=agent, now=now)
    assert "We send another." in draft.text + draft.html


def test_a_ticket_that_is_back_in_time_has_its_mail_sent(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    now = timezone.now()
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=now + timedelta(days=1), now=now).outgoing
    fresh(ticket).trash(by=agent, now=now)
    outgoing.send_now(now=now + timedelta(hours=1))
    fresh(ticket).restore(by=agent, now=now)
    outgoing.send_now(now=now + timedelta(days=1))
    assert fresh(outgoing).state == OutgoingState.SENT


def test_the_text_of_somebody_who_left_stays_where_others_find_it(agent: User, ticket: Ticket) -> None:
    now, owner = timezone.now(), make_user()
    fresh(ticket).assign(owner, by=owner, now=now)
    due = now + timedelta(days=1)
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=due, cancel_if_answered=True, now=now).outgoing
    User.objects.filter(pk=agent.pk).update(is_active=False)
    receiving.process(customers_mail(ticket).pk)
    assert not Draft.objects.exists()
    kept = fresh(outgoing)
    assert (kept.state, kept.why_not_sent) == (OutgoingState.CANCELLED, "The customer wrote first.")
    assert Notification.objects.get(user=owner, kind="sending").anchor == f"m{outgoing.message_id}"
    draft = undoing.write_anew(kept, by=owner, now=now)
    assert "We send another." in draft.text + draft.html


def test_a_mail_whose_writer_is_deleted_does_not_leave_once_the_contact_wrote(agent: User, ticket: Ticket) -> None:
    due = timezone.now() + timedelta(days=1)
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=due, cancel_if_answered=True).outgoing
    Message.objects.filter(pk=outgoing.message_id).update(author=None)
    receiving.process(customers_mail(ticket).pk)
    assert fresh(outgoing).state == OutgoingState.CANCELLED


@pytest.fixture
def failed(agent: User, ticket: Ticket) -> Outgoing:
    outgoing = send(draft_of(agent, ticket), by=agent).outgoing
    Outgoing.objects.filter(pk=outgoing.pk).update(state=OutgoingState.FAILED)
    return fresh(outgoing)


def anew(failed: Outgoing, by: User) -> Draft:
    return undoing.write_anew(failed, by=by, now=timezone.now())


def test_of_two_who_write_a_mail_anew_the_second_is_asked_first(agent: User, failed: Outgoing) -> None:
    colleague = make_user()
    mine, theirs = anew(failed, agent), anew(failed, colleague)
    first = send(mine, by=agent)
    with pytest.raises(errors.CheckFailed) as caught:
        send(theirs, by=colleague)
    check = caught.value.checks[0]
    assert check.name == "replaced"
    assert check.sentence.startswith("Maija Virtanen wrote this mail anew and sent it at ")
    assert check.message == first.pk
    send(theirs, by=colleague, overrides={"replaced", "changed"})
    assert fresh(failed).replaced_by == first


def test_a_form_that_does_not_say_what_it_is_written_anew_for_is_asked_by_what_was_kept(
    agent: User, ticket: Ticket, failed: Outgoing
) -> None:
    """An older page, or one in which the same answer was begun before."""
    anew(failed, agent)
    first = send(anew(failed, make_user()), by=make_user())
    with pytest.raises(errors.CheckFailed) as caught:
        send(draft_of(agent, ticket, "Another one."), by=agent)
    assert [check.name for check in caught.value.checks] == ["replaced"]
    assert caught.value.checks[0].message == first.pk


def test_a_text_that_was_changed_elsewhere_stays_when_the_older_one_replaces_a_mail(
    agent: User, ticket: Ticket, failed: Outgoing
) -> None:
    kept = anew(failed, agent)
    Draft.objects.filter(pk=kept.pk).update(html="<p>Better words.</p>", version=kept.version + 1)
    older = draft_of(agent, ticket, "Poor words.", form_key=kept.form_key, version=kept.version)
    sent = send(older, by=agent)
    assert sent.text == "Poor words."
    assert fresh(failed).replaced_by == sent
    stays = Draft.objects.filter(user=agent).unsent().get()
    assert (stays.html, stays.replaces) == ("<p>Better words.</p>", failed.message)
    with pytest.raises(errors.CheckFailed) as caught:
        send(stays, by=agent)
    assert caught.value.checks[0].name == "replaced", "the customer has it by now"


def test_who_has_a_mail_already_does_not_get_it_again_when_it_is_written_anew(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    smtp_server.answer_to["rcpt"] = {"elina@customer.example": "550 5.1.1 Unknown"}.get
    people = {"to": [{"name": "Elina", "address": "elina@customer.example"}]}
    boss = {"name": "Boss", "address": "boss@customer.example"}
    outgoing = send(draft_of(agent, ticket, **people, cc=[boss], bcc=[]), by=agent).outgoing
    outgoing.send_now(now=timezone.now() + timedelta(minutes=1))
    assert fresh(outgoing).state == OutgoingState.FAILED
    draft = anew(fresh(outgoing), agent)
    assert (draft.to, draft.cc, draft.bcc) == (people["to"], [], [])


def test_a_mail_that_waits_for_its_next_try_is_given_up_when_it_is_written_anew(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    smtp_server.answer_to["rcpt"] = {"elina@customer.example": "451 4.3.0 Busy"}.get
    now = timezone.now() + timedelta(minutes=1)
    outgoing = send(draft_of(agent, ticket), by=agent).outgoing
    outgoing.send_now(now=now)
    waits = fresh(outgoing)
    assert waits.state == OutgoingState.DEFERRED
    draft = anew(waits, agent)
    assert "We send another." in draft.text + draft.html
    smtp_server.answer_to.clear()
    outgoing.send_now(now=now + timedelta(hours=1))
    assert fresh(outgoing).state == OutgoingState.FAILED
    assert smtp_server.taken == []
    assert fresh(ticket).undelivered


def test_what_is_written_anew_waits_to_be_insisted_on_when_the_mail_got_through(
    agent: User, failed: Outgoing, smtp_server: SmtpServer
) -> None:
    mine = anew(failed, agent)
    failed.try_again(by=make_user())
    with pytest.raises(errors.CheckFailed) as caught:
        send(mine, by=agent)
    assert "is being sent after all" in caught.value.checks[0].sentence
    failed.send_now()
    with pytest.raises(errors.CheckFailed) as caught:
        send(mine, by=agent)
    assert "has been sent after all" in caught.value.checks[0].sentence
    assert len(smtp_server.taken) == 1
    send(mine, by=agent, overrides={"replaced"})
    assert fresh(failed).replaced_by is None


def test_a_mail_that_was_written_anew_is_neither_tried_nor_written_again(agent: User, failed: Outgoing) -> None:
    again = send(anew(failed, agent), by=agent)
    with pytest.raises(errors.AlreadyReplaced):
        failed.try_again(by=agent)
    with pytest.raises(errors.AlreadyReplaced):
        anew(failed, agent)
    back = undoing.undo_sending(again.outgoing, by=agent, now=timezone.now())
    assert back.replaces == failed.message
    assert send(back, by=agent) == fresh(failed).replaced_by


def test_a_colleague_stops_what_somebody_else_wrote_for_tomorrow(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    now, colleague = timezone.now(), make_user(name="Aino Korhonen")
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=now + timedelta(days=1), now=now).outgoing
    page = signed_in(colleague).get(f"/tickets/{ticket.number}/").content.decode()
    assert f"/outgoing/{outgoing.pk}/stop/" in page
    for status in (200, 409):
        answer = signed_in(colleague).post(f"/outgoing/{outgoing.pk}/stop/", headers=HTMX)
        assert answer.status_code == status
    kept = fresh(outgoing)
    assert (kept.state, kept.why_not_sent) == (OutgoingState.CANCELLED, "A colleague of its writer stopped it.")
    assert kept.why_not_sent in signed_in(colleague).get(f"/tickets/{ticket.number}/").content.decode()
    [told] = Notification.objects.visible_to(agent)
    assert (told.kind, told.anchor, told.actor) == ("sending", f"m{outgoing.message_id}", colleague)
    kept.send_now(now=now + timedelta(days=2))
    assert smtp_server.taken == []


def test_what_is_held_for_seconds_and_what_left_is_not_for_colleagues_to_stop(agent: User, ticket: Ticket) -> None:
    outgoing = send(draft_of(agent, ticket), by=agent).outgoing
    with pytest.raises(errors.TooLateToUndo):
        undoing.stop_sending(outgoing, by=make_user(), now=timezone.now())
    with pytest.raises(errors.MayNotReply):
        undoing.stop_sending(outgoing, by=make_user("collaborator"), now=timezone.now())
    assert fresh(outgoing).state == OutgoingState.HELD


@pytest.mark.parametrize("how", ["switched off", "deleted"])
def test_what_somebody_scheduled_who_is_gone_does_not_leave(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, how: str
) -> None:
    now, owner = timezone.now(), make_user()
    fresh(ticket).assign(owner, by=owner, now=now)
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=now + timedelta(days=1), now=now).outgoing
    if how == "deleted":
        Message.objects.filter(pk=outgoing.message_id).update(author=None)
    else:
        User.objects.filter(pk=agent.pk).update(is_active=False)
    fresh(outgoing).send_now(now=now + timedelta(days=1))
    kept = fresh(outgoing)
    assert smtp_server.taken == []
    assert kept.state == OutgoingState.CANCELLED
    assert kept.why_not_sent == "Its writer was not with us any more when it was to leave."
    assert Notification.objects.get(user=owner, kind="sending").anchor == f"m{outgoing.message_id}"
    assert fresh(ticket).undelivered
    assert "We send another." in undoing.write_anew(kept, by=owner, now=now).html


def test_a_clock_that_is_set_back_after_send_holds_nobodys_mail_for_long(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, on_commit: Any
) -> None:
    """Nobody has longer than a minute to undo, so what would be held for longer waits for a clock that was wrong."""
    now, colleague = timezone.now(), make_user(undo_seconds=10)
    held = send(draft_of(agent, ticket, "Before the clock moved."), by=agent, now=now + timedelta(hours=1)).outgoing
    after = send(draft_of(colleague, ticket, "After it."), by=colleague, now=now).outgoing
    assert held.seconds_left == 0, "the page promises no hour of undoing"
    with on_commit():
        Outgoing.objects.sweep(now)
    with on_commit():
        Outgoing.objects.sweep(now + timedelta(seconds=11))
    after.send_now(now=now + timedelta(seconds=11))
    assert [fresh(one).state for one in (held, after)] == [OutgoingState.SENT, OutgoingState.SENT]
    said = [taken.message.get_payload(0).get_payload() for taken in smtp_server.taken]
    assert "Before" in said[0]
    assert "After" in said[1]


def test_the_longest_undo_window_is_left_whole_and_what_is_sent_later_waits_for_its_time(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    now, slow = timezone.now(), make_user(undo_seconds=60)
    send(draft_of(agent, ticket), by=agent, due_at=now + timedelta(hours=1), now=now)
    send(draft_of(slow, ticket), by=slow, now=now)
    assert not Outgoing.objects.due(now).exists()
