"""Send: held, taken back, later, with a status and what it asks for. As an agent does it, and as others meet it."""

from __future__ import annotations

import email
import email.policy
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from inbox import errors, quoting, releasing, undoing
from inbox.models import Attachment, Direction, Draft, Mailbox, Message, MessageKind, Outgoing, OutgoingState, Upload
from inbox.replying import reply, send, sending
from people.models import Company, User
from people.picking import NewContact
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.inbox.mails import land, make_mail
from tests.mail_servers import SmtpServer
from tickets.errors import PropertiesMissing, StatusNotInPipeline
from tickets.models import Event, EventKind, Kind, Notification, Pipeline, Property, Status, Ticket

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


def standing(ticket: Ticket) -> tuple[Any, ...]:
    ticket = fresh(ticket)
    return (
        *(ticket.status_id, ticket.turn, ticket.turn_since, ticket.closed_at, ticket.owner_id, ticket.preview),
        *(ticket.message_count, ticket.last_message_at, ticket.has_attachments, ticket.properties),
        *(list(ticket.events.values_list("pk", "kind")),),
    )


def closed_of(ticket: Ticket) -> Status:
    return ticket.pipeline.first_status(Kind.CLOSED)


def test_a_mail_is_held_for_the_seconds_of_its_writer_and_leaves_then(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, on_commit: Any
) -> None:
    now = timezone.now()
    with on_commit():
        outgoing = send(draft_of(agent, ticket), by=agent, now=now).outgoing
    outgoing.send_now(now=now + timedelta(seconds=9))
    assert fresh(outgoing).state == OutgoingState.HELD
    assert smtp_server.taken == []
    outgoing.send_now(now=now + timedelta(seconds=10))
    assert fresh(outgoing).state == OutgoingState.SENT
    assert len(smtp_server.taken) == 1


def test_the_sweeper_lets_go_what_the_queue_forgot(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, on_commit: Any
) -> None:
    now = timezone.now() - timedelta(minutes=1)
    outgoing = send(draft_of(agent, ticket), by=agent, now=now).outgoing
    with on_commit():
        assert Outgoing.objects.sweep(timezone.now()) == 1
    assert fresh(outgoing).state == OutgoingState.SENT


def test_undo_makes_everything_what_it_was(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    Property.objects.create(key="cause", name="Root cause")
    upload = Upload.objects.create(
        user=agent, name="chart.pdf", content_type="application/pdf", size=4, file=ContentFile(b"%PDF", "chart.pdf")
    )
    before = standing(ticket)
    draft = draft_of(agent, ticket, subject="About your order", bcc=[{"name": "", "address": "boss@customer.example"}])
    answer = send(
        draft, by=agent, uploads=[upload], status=closed_of(ticket), properties={"cause": "Picking"},
    )  # fmt: skip
    assert fresh(ticket).turn == Kind.CLOSED
    assert fresh(ticket).owner == agent
    assert fresh(ticket).properties == {"cause": "Picking"}

    back = undoing.undo_sending(answer.outgoing, by=agent, now=timezone.now())

    assert standing(ticket) == before
    assert not Message.objects.filter(pk=answer.pk).exists()
    assert not Outgoing.objects.exists()
    assert back.text or back.html
    assert "We send another." in (back.text + back.html)
    assert back.subject == "About your order"
    assert [entry["address"] for entry in back.bcc] == ["boss@customer.example"]
    [kept] = back.uploads.all()
    assert (kept.name, kept.file.read()) == ("chart.pdf", b"%PDF")
    # And it can be sent again.
    send(back, by=agent, uploads=[kept], overrides={"stranger"})
    assert Message.objects.filter(direction=Direction.OUT).count() == 1


def test_undo_costs_the_same_after_one_message_of_the_customer_and_after_fifty(
    agent: User, ticket: Ticket, count_queries: Any
) -> None:
    def undo(answer: Message) -> int:
        return count_queries(lambda: undoing.undo_sending(answer.outgoing, by=agent, now=timezone.now()))

    one = undo(send(draft_of(agent, ticket), by=agent))
    Draft.objects.all().delete()
    for _ in range(49):
        make_message(ticket)
    assert undo(send(draft_of(agent, ticket), by=agent)) == one


def test_undo_takes_away_the_further_people_and_companies_that_went_with_the_mail(agent: User, ticket: Ticket) -> None:
    elina, niamh = ticket.contact, make_contact("niamh@galway.example")
    owned, partner = Company.objects.create(name="Korpi"), Company.objects.create(name="Galway Gear")
    ticket.set_properties({"company": [owned]}, by=None, now=timezone.now())
    closed = closed_of(ticket)

    def about() -> list[list[Any]]:
        return [list(fresh(ticket).other_contacts.all()), list(fresh(ticket).other_companies.all())]

    kinds = list(ticket.events.values_list("kind", flat=True))
    chosen = {"contact": [elina, niamh], "company": [owned, partner]}
    answer = send(draft_of(agent, ticket), by=agent, status=closed, properties=chosen)
    assert about() == [[niamh], [partner]]
    undoing.undo_sending(answer.outgoing, by=agent, now=timezone.now())
    assert about() == [[], []]
    assert (fresh(ticket).contact, fresh(ticket).company) == (elina, owned)
    assert list(ticket.events.values_list("kind", flat=True)) == kinds


def test_somebody_new_who_goes_with_a_later_mail_is_on_the_ticket_when_it_leaves(agent: User, ticket: Ticket) -> None:
    now = timezone.now()
    chosen = {"contact": [ticket.contact, NewContact("niamh@galway.example", "Niamh")]}
    tomorrow = now + timedelta(days=1)
    answer = send(
        draft_of(agent, ticket), by=agent, status=closed_of(ticket), properties=chosen, due_at=tomorrow, now=now
    )  # fmt: skip
    assert not fresh(ticket).other_contacts.exists()
    answer.outgoing.send_now(now=tomorrow)
    assert [one.address for one in fresh(ticket).other_contacts.all()] == ["niamh@galway.example"]


def test_undo_leaves_further_people_whom_somebody_added_meanwhile(agent: User, ticket: Ticket) -> None:
    elina, niamh, olu = ticket.contact, make_contact("niamh@galway.example"), make_contact("olu@lagos.example")
    answer = send(draft_of(agent, ticket), by=agent, status=closed_of(ticket), properties={"contact": [elina, niamh]})
    fresh(ticket).set_properties({"contact": [elina, niamh, olu]}, by=make_user(), now=timezone.now())
    undoing.undo_sending(answer.outgoing, by=agent, now=timezone.now())
    assert set(fresh(ticket).other_contacts.all()) == {niamh, olu}


def test_undo_leaves_alone_what_others_changed_meanwhile(agent: User, ticket: Ticket) -> None:
    colleague = make_user()
    first_wait = fresh(ticket).turn_since
    answer = send(draft_of(agent, ticket), by=agent)
    now = timezone.now()
    fresh(ticket).assign(colleague, by=colleague, now=now)
    fresh(ticket).heard(at=now, preview="One more thing")
    undoing.undo_sending(answer.outgoing, by=agent, now=now)
    after = fresh(ticket)
    assert after.owner == colleague
    assert (after.turn, after.turn_since) == (Kind.WAITING_ON_US, first_wait)
    assert after.preview == "One more thing"
    assert after.message_count == 2


def test_only_its_writer_takes_it_back_and_only_while_it_is_held(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = send(draft_of(agent, ticket), by=agent).outgoing
    with pytest.raises(errors.NotYours):
        undoing.undo_sending(outgoing, by=make_user("admin"), now=timezone.now())
    outgoing.send_now(now=timezone.now() + timedelta(seconds=11))
    with pytest.raises(errors.TooLateToUndo):
        undoing.undo_sending(outgoing, by=agent, now=timezone.now())
    assert fresh(outgoing).state == OutgoingState.SENT
    assert not Draft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_undo_and_send_at_the_same_moment_exactly_one_wins(smtp_server: SmtpServer) -> None:
    box = make_mailbox(smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none")
    agent = make_user(undo_seconds=10)
    for number in range(8):
        ticket = make_ticket(contact=make_contact(f"c{number}@customer.example"))
        make_message(ticket, mailbox=box)
        outgoing = send(draft_of(agent, ticket), by=agent).outgoing
        Outgoing.objects.filter(pk=outgoing.pk).update(due_at=timezone.now())
        taken, undone = len(smtp_server.taken), []
        together = threading.Barrier(2)

        def undo(outgoing: Outgoing = outgoing, undone: list[bool] = undone, gate: Any = together) -> None:
            gate.wait(10)
            try:
                undoing.undo_sending(fresh(outgoing), by=agent, now=timezone.now())
                undone.append(True)
            except (errors.TooLateToUndo, Outgoing.DoesNotExist):
                pass
            finally:
                connection.close()

        def deliver(outgoing: Outgoing = outgoing, gate: Any = together) -> None:
            gate.wait(10)
            try:
                outgoing.send_now()
            finally:
                connection.close()

        threads = [threading.Thread(target=undo), threading.Thread(target=deliver)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(30)
        left = len(smtp_server.taken) - taken
        assert left + len(undone) == 1
        assert Draft.objects.filter(ticket=ticket).count() == len(undone)


def test_the_chosen_status_wins_over_what_the_pipeline_does(agent: User, ticket: Ticket) -> None:
    send(draft_of(agent, ticket), by=agent, status=closed_of(ticket))
    assert fresh(ticket).turn == Kind.CLOSED
    other = make_ticket(kind=Kind.WAITING_ON_US)
    make_message(other)
    send(draft_of(agent, other), by=agent)
    assert fresh(other).turn == Kind.WAITING_ON_CONTACT
    stays = make_ticket(kind=Kind.WAITING_ON_US)
    make_message(stays)
    stays.refresh_from_db()
    send(draft_of(agent, stays), by=agent, status=stays.status)
    assert fresh(stays).turn == Kind.WAITING_ON_US


def test_a_status_of_another_pipeline_sends_nothing(agent: User, ticket: Ticket) -> None:
    strange = Pipeline.with_usual_statuses("Returns").first_status(Kind.CLOSED)
    with pytest.raises(StatusNotInPipeline):
        send(draft_of(agent, ticket), by=agent, status=strange)
    assert not Outgoing.objects.exists()


def test_what_a_status_asks_for_comes_with_the_mail_or_nothing_does(agent: User, ticket: Ticket) -> None:
    Property.objects.create(key="cause", name="Root cause")
    closed = closed_of(ticket)
    closed.required = ["cause"]
    closed.save()
    with pytest.raises(PropertiesMissing) as caught:
        send(draft_of(agent, ticket), by=agent, status=closed)
    assert caught.value.keys == ["cause"]
    assert not Outgoing.objects.exists()
    assert fresh(ticket).turn == Kind.NEW
    send(draft_of(agent, ticket), by=agent, status=closed, properties={"cause": "Picking"})
    assert (fresh(ticket).turn, fresh(ticket).properties) == (Kind.CLOSED, {"cause": "Picking"})


def test_a_check_stops_once_and_what_was_insisted_on_is_recorded_once(agent: User, ticket: Ticket) -> None:
    draft = draft_of(agent, ticket, text="The label is attached, XXX.")
    with pytest.raises(errors.CheckFailed) as caught:
        send(draft, by=agent)
    assert [check.name for check in caught.value.checks] == ["attachment", "placeholder"]
    assert not Outgoing.objects.exists()
    with pytest.raises(errors.CheckFailed):
        send(draft, by=agent, overrides={"attachment"})
    send(draft, by=agent, overrides={"attachment", "placeholder", "changed"})
    event = fresh(ticket).events.get(kind=EventKind.SENT_ANYWAY)
    assert (event.actor, event.detail["checks"]) == (agent, ["attachment", "placeholder"])


@pytest.mark.django_db(transaction=True)
def test_of_two_agents_who_send_at_once_the_second_is_stopped() -> None:
    ticket = make_ticket()
    begun = make_message(ticket, mailbox=make_mailbox())
    agents = [make_user(undo_seconds=10), make_user(undo_seconds=10)]
    together, ended = threading.Barrier(2), []

    def click(agent: User) -> None:
        together.wait(10)
        try:
            send(draft_of(agent, fresh(ticket), begun_after=begun.pk), by=agent)
            ended.append("sent")
        except errors.CheckFailed as error:
            ended.append(error.checks[0].name)
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=[agent]) for agent in agents]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(ended) == ["changed", "sent"]
    assert Outgoing.objects.count() == 1


def test_a_mail_of_tomorrow_changes_nothing_until_it_leaves(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    now = timezone.now()
    due = now + timedelta(days=1)
    before = standing(ticket)
    answer = send(draft_of(agent, ticket), by=agent, status=closed_of(ticket), due_at=due, now=now)
    outgoing = answer.outgoing
    assert standing(ticket) == before
    outgoing.send_now(now=due - timedelta(minutes=1))
    assert smtp_server.taken == []

    outgoing.send_now(now=due)

    assert fresh(outgoing).state == OutgoingState.SENT
    assert fresh(ticket).turn == Kind.CLOSED
    assert fresh(ticket).owner == agent
    [taken] = smtp_server.taken
    assert abs(email.utils.parsedate_to_datetime(taken.message["Date"]) - due) < timedelta(seconds=1)
    assert taken.message["Message-ID"] == f"<{answer.message_id}>"
    assert fresh(answer).at == due
    with fresh(outgoing).mime.open("rb") as file:
        assert file.read() == taken.raw


def test_a_mail_of_tomorrow_holds_up_nobody(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    now = timezone.now()
    send(draft_of(agent, ticket, "Tomorrow."), by=agent, due_at=now + timedelta(days=1), now=now)
    soon = send(draft_of(agent, ticket, "Now."), by=agent, now=now).outgoing
    soon.send_now(now=now + timedelta(seconds=10))
    assert fresh(soon).state == OutgoingState.SENT


def test_what_was_written_first_leaves_first_within_the_undo_window(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    now = timezone.now()
    send(draft_of(agent, ticket, "First."), by=agent, now=now)
    hasty = make_user(undo_seconds=0)
    second = send(draft_of(hasty, ticket, "Second."), by=hasty, now=now + timedelta(seconds=1)).outgoing
    second.send_now(now=now + timedelta(seconds=2))
    assert fresh(second).state == OutgoingState.QUEUED
    assert smtp_server.taken == []


def test_a_time_that_is_over_or_years_away_is_refused(agent: User, ticket: Ticket) -> None:
    now = timezone.now()
    for due, error in [(now, errors.DueInThePast), (now + timedelta(days=900), errors.TooFarAhead)]:
        with pytest.raises(error):
            send(draft_of(agent, ticket), by=agent, due_at=due, now=now)
    assert not Outgoing.objects.exists()


def test_a_mail_for_later_is_a_draft_again_when_the_customer_writes_first(agent: User, ticket: Ticket) -> None:
    now = timezone.now()
    due = now + timedelta(days=1)
    send(draft_of(agent, ticket, "Unless you write."), by=agent, due_at=due, cancel_if_answered=True, now=now)
    stays = send(draft_of(make_user(), ticket, "Anyway."), by=agent, due_at=due, now=now).outgoing
    undoing.contact_wrote_first(fresh(ticket), now=now)
    [draft] = Draft.objects.filter(user=agent)
    assert "Unless you write." in draft.text + draft.html
    assert list(Outgoing.objects.all()) == [stays]
    assert Notification.objects.get(user=agent).kind == "sending"


def test_a_forward_goes_to_its_own_thread_with_its_files_and_moves_nothing(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    asked = ticket.messages.get()
    kept, left = (
        Attachment.objects.create(
            message=asked, name=name, content_type="image/png", size=3, file=ContentFile(name.encode(), name)
        )
        for name in ("label.png", "secret.png")
    )
    before = fresh(ticket)
    draft = draft_of(
        agent, ticket, "Can you find it?", kind="forward", answers=asked, forwarded=[kept.pk],
        to=[{"name": "", "address": "help@carrier.example"}], cc=[], bcc=[{"name": "", "address": "boss@x.example"}],
    )  # fmt: skip
    message = send(draft, by=agent)
    message.outgoing.send_now(now=timezone.now() + timedelta(seconds=11))
    [taken] = smtp_server.taken
    mail = email.message_from_bytes(taken.raw, policy=email.policy.default)
    assert sorted(taken.recipients) == ["boss@x.example", "help@carrier.example"]
    assert "boss" not in taken.raw.decode()
    assert mail["Subject"] == "Fwd: Wrong size delivered"
    assert mail["In-Reply-To"] is None
    assert [part.get_filename() for part in mail.iter_attachments()] == ["label.png"]
    assert message.kind == MessageKind.FORWARD
    assert (fresh(ticket).turn, fresh(ticket).owner) == (before.turn, before.owner)
    assert left.message == asked


def test_who_answers_a_forward_is_told_apart_from_the_customer(agent: User, ticket: Ticket) -> None:
    asked = ticket.messages.get()
    draft = draft_of(agent, ticket, kind="forward", answers=asked, to=[{"name": "", "address": "help@carrier.example"}])
    forward = send(draft, by=agent)
    assert releasing.is_third_party("Help@carrier.example", ticket, forward)
    assert releasing.is_third_party("other@carrier.example", ticket, forward)
    assert releasing.is_third_party("help@carrier.example", ticket, None)
    assert not releasing.is_third_party("elina@customer.example", ticket, forward)
    assert not releasing.is_third_party("stranger@customer.example", ticket, None)
    assert releasing.is_third_party(agent.email, ticket, forward), "a colleague tells us, not the customer"
    assert not releasing.is_third_party(agent.email, ticket, asked)


def test_who_is_in_copy_of_the_customer_answers_a_forward_among_ourselves(agent: User, ticket: Ticket) -> None:
    tom = {"name": "Tom", "address": "tom@desk.example"}
    asked = make_message(ticket, cc=[tom])
    forward = send(draft_of(agent, ticket, kind="forward", answers=asked, to=[tom]), by=agent)
    assert releasing.is_third_party("tom@desk.example", ticket, forward)
    assert not releasing.is_third_party("tom@desk.example", ticket, asked)


def test_a_colleagues_answer_to_a_forward_is_not_answered_by_default_nor_quoted(agent: User, ticket: Ticket) -> None:
    tom, asked = make_user(name="Tom Becker", email="tom@desk.example"), ticket.messages.get()
    to_tom = [{"name": tom.name, "address": tom.email}]
    forward = send(draft_of(agent, ticket, kind="forward", answers=asked, to=to_tom, cc=[]), by=agent)
    told = land(Mailbox.objects.get(), make_mail("He always lies.", sender=tom.email, answers=forward.message_id or ""))
    assert (told.ticket, told.third_party) == (ticket, True)
    answer = reply(ticket, by=agent, text="We look at it.")
    assert answer.answers == asked
    assert "always lies" not in answer.quoted_text + answer.quoted_html


@pytest.mark.parametrize("sender", ["elina@customer.example", "help@carrier.example"])
@pytest.mark.parametrize("names", ["forward", "asked"])
def test_in_a_name_that_failed_nobody_gets_past_being_withheld(
    agent: User, ticket: Ticket, sender: str, names: str
) -> None:
    """Whom we forwarded to knows the ids of the customer's mails too."""
    asked, carrier = ticket.messages.get(), [{"name": "", "address": "help@carrier.example"}]
    forward = send(draft_of(agent, ticket, kind="forward", answers=asked, to=carrier, cc=[]), by=agent)
    named = {"forward": forward, "asked": asked}[names].message_id
    raw = make_mail("The driver stole it.", sender=sender, answers=named, Authentication_Results="mx; dmarc=fail")
    told = land(Mailbox.objects.get(), raw)
    assert (told.ticket, told.third_party) == (ticket, True)


def test_before_anything_is_forwarded_a_customer_whose_server_is_set_up_badly_is_heard(ticket: Ticket) -> None:
    raw = make_mail(answers=ticket.messages.get().message_id, Authentication_Results="mx; dmarc=fail")
    told = land(Mailbox.objects.get(), raw)
    assert (told.ticket, told.third_party, told.sender_doubtful) == (ticket, False, True)


def test_a_third_partys_words_are_released_once_and_not_quoted_before(agent: User, ticket: Ticket) -> None:
    told = make_message(ticket, from_address="help@carrier.example", text="It was stolen.", third_party=True)
    to_both = [{"name": "", "address": "elina@customer.example"}]
    with pytest.raises(errors.StillAside):
        send(draft_of(agent, ticket, answers=told, to=to_both, cc=[]), by=agent)
    answer = send(draft_of(agent, ticket, answers=told, to=to_both, cc=[], quoted_html=""), by=agent)
    assert "stolen" not in answer.quoted_text + answer.quoted_html
    assert answer.kind == MessageKind.EMAIL
    aside = reply(ticket, by=agent, text="Thank you.", answers=told)
    assert aside.kind == MessageKind.FORWARD
    for _ in range(2):
        releasing.release(told, by=agent, now=timezone.now())
    assert Event.objects.filter(kind=EventKind.RELEASED).count() == 1
    assert fresh(told).released_by == agent
    with pytest.raises(errors.CannotRelease):
        releasing.release(answer, by=agent, now=timezone.now())


def test_what_cannot_be_sent_at_all_is_not_first_asked_to_be_insisted_on(agent: User, ticket: Ticket) -> None:
    answer = make_message(ticket, text="Our price is 12 euros.", from_address="paul@supplier.example", third_party=True)
    contact = [{"name": "", "address": "elina@customer.example"}]
    draft = draft_of(agent, ticket, "The price list is attached.", answers=answer, to=contact, begun_after=0)
    with pytest.raises(errors.StillAside):
        send(draft, by=agent)


def test_a_mail_that_failed_is_written_anew_and_marked(agent: User, ticket: Ticket) -> None:
    answer = send(draft_of(agent, ticket), by=agent)
    with pytest.raises(errors.CannotTryAgain):
        undoing.write_anew(answer.outgoing, by=agent, now=timezone.now())
    Outgoing.objects.update(state=OutgoingState.FAILED)
    draft = undoing.write_anew(answer.outgoing, by=agent, now=timezone.now())
    assert "We send another." in draft.text + draft.html
    again = send(draft, by=agent)
    assert fresh(answer.outgoing).replaced_by == again
    assert not Draft.objects.exists()


def test_what_a_mail_repeats_is_made_once(agent: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else gets at the ticket meanwhile, and a long history takes its time."""
    asked = []

    def counted(*said: Any) -> Any:
        asked.append(said)
        return quoting.history(*said)

    monkeypatch.setattr(sending, "history", counted)
    answer = send(draft_of(agent, ticket), by=agent)
    assert "> The jacket is a size S" in answer.quoted_text
    assert len(asked) == 1


def test_the_same_form_sends_once(agent: User, ticket: Ticket) -> None:
    key = uuid.uuid4()
    first = send(draft_of(agent, ticket, form_key=key), by=agent)
    assert send(draft_of(agent, ticket, form_key=key), by=agent) == first
    assert Outgoing.objects.count() == 1


def test_the_mail_of_a_third_party_lands_among_us_and_is_noticed(agent: User, ticket: Ticket, on_commit: Any) -> None:
    asked = ticket.messages.get()
    to = [{"name": "", "address": "help@carrier.example"}]
    forward = send(draft_of(agent, ticket, "Where is it?", kind="forward", answers=asked, to=to), by=agent)
    fresh(ticket).move_to(ticket.pipeline.first_status(Kind.WAITING_ON_CONTACT), by=agent, now=timezone.now())
    preview = fresh(ticket).preview

    box = asked.conversation.mailbox
    words = {"sender": "help@carrier.example", "subject": "Re: Fwd: Wrong size"}
    message = land(box, make_mail("It was stolen.", answers=forward.message_id, **words))

    after = fresh(ticket)
    assert message.ticket == ticket
    assert message.third_party
    assert after.turn == Kind.WAITING_ON_US
    assert after.preview == preview
    assert after.last_inbound_at == message.at
    assert reply(after, by=agent, text="Hello Elina.").answers == asked


def test_the_customers_mail_takes_back_what_was_to_leave_later(agent: User, ticket: Ticket) -> None:
    now = timezone.now()
    due = now + timedelta(days=1)
    send(draft_of(agent, ticket, "Unless you write."), by=agent, due_at=due, cancel_if_answered=True, now=now)
    asked = ticket.messages.filter(direction=Direction.IN).get()
    words = {"sender": "elina@customer.example", "subject": "Re: Wrong size"}
    land(asked.conversation.mailbox, make_mail("One more thing.", answers=asked.message_id, **words))
    assert not Outgoing.objects.exists()
    assert Draft.objects.get().user == agent
    assert ticket.events.filter(kind=EventKind.UNSENT, actor=agent).count() == 1
