"""Writing to customers, as an agent does and as the customer's mail server sees it."""

from __future__ import annotations

import email
import email.policy
import threading
import uuid
from email.message import EmailMessage
from typing import Any, cast

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from helpdesk.html import clean
from inbox import errors
from inbox.addressing import recipients_for
from inbox.commenting import comment
from inbox.models import Direction, Mailbox, Message, Outgoing, OutgoingState, Upload
from inbox.replying import reply
from inbox.timeline import Thread
from people.models import Contact, Role, User
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tickets.models import Kind

pytestmark = pytest.mark.django_db

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e3660000"
    "000049454e44ae426082"
)


@pytest.fixture
def agent() -> User:
    return make_user(name="Maija Virtanen")


def mail_of(message: Message) -> EmailMessage:
    with message.outgoing.mime.open("rb") as file:
        return cast(EmailMessage, email.message_from_bytes(file.read(), policy=email.policy.default))


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def upload(
    user: User, name: str = "size-chart.pdf", kind: str = "application/pdf", data: bytes = b"%PDF-1.4"
) -> Upload:
    return Upload.objects.create(
        user=user, name=name, content_type=kind, size=len(data), file=ContentFile(data, name=name)
    )


def test_a_reply_goes_to_the_customer_from_the_mailbox_they_wrote_to(agent: User) -> None:
    ticket = make_ticket(contact=make_contact("elina@customer.example", "Elina Saarinen"))
    box = make_mailbox("support@desk.example", name="Korpi Support")
    asked = make_message(ticket, mailbox=box, subject="Wrong size", message_id="abc@customer.example")

    answer = reply(ticket, by=agent, text="We send the right one today.")

    mail = mail_of(answer)
    assert mail["To"] == "Elina Saarinen <elina@customer.example>"
    assert mail["From"] == "Korpi Support <support@desk.example>"
    assert mail["Reply-To"] == "Korpi Support <support@desk.example>"
    assert mail["Subject"] == "Re: Wrong size"
    assert mail["In-Reply-To"] == "<abc@customer.example>"
    assert mail["References"] == "<abc@customer.example>"
    assert mail["Message-ID"] == f"<{answer.message_id}>"
    assert mail["X-Desk-Instance"]
    assert mail["Auto-Submitted"] is None
    assert answer.answers == asked
    assert answer.conversation == asked.conversation


def test_a_reply_is_queued_and_the_ticket_waits_for_the_contact(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket)
    answer = reply(ticket, by=agent, text="On its way.")
    ticket.refresh_from_db()
    assert ticket.turn == Kind.WAITING_ON_CONTACT
    assert ticket.owner == agent
    assert ticket.preview == "On its way."
    assert answer.outgoing.state == OutgoingState.QUEUED
    assert [r.address for r in answer.outgoing.recipients.all()] == [ticket.contact.address]


def test_the_mail_has_both_parts_with_signatures_and_the_earlier_mail_below(agent: User) -> None:
    agent.signature = "Maija"
    agent.save()
    ticket = make_ticket(contact=make_contact(name="Elina Saarinen"))
    box = make_mailbox(signature="Korpi Oy\nHelsinki")
    make_message(ticket, mailbox=box, text="It is an S.", html="<p>It is an <b>S</b>.</p>")
    make_message(ticket, direction=Direction.INTERNAL, text="She is a difficult one.")

    answer = reply(ticket, by=agent, html="<div>Sorry, <b>today</b>.</div>")

    text, html = part(mail_of(answer), "plain"), part(mail_of(answer), "html")
    assert text.index("Sorry, today.") < text.index("Maija\nKorpi Oy\nHelsinki") < text.index("Elina Saarinen wrote:")
    assert text.rstrip().endswith("> It is an S.")
    assert html.index("<b>today</b>") < html.index("Korpi Oy<br>") < html.index("<blockquote")
    assert "difficult" not in text + html
    assert answer.text == "Sorry, today."
    assert "difficult" not in answer.quoted_text + answer.quoted_html


def test_pictures_of_the_earlier_mail_are_not_sent_back(agent: User) -> None:
    ticket = make_ticket()
    make_message(
        ticket,
        text="Sale",
        html=str(clean('<p>Sale <img src="https://track.example/7.gif" alt="A shoe"></p>')),
        quoted_html=str(clean('<p>Spring <img src="https://track.example/3.gif"></p>')),
    )
    html = part(mail_of(reply(ticket, by=agent, text="No, thank you.")), "html")
    assert "Sale [A shoe]" in html
    assert "Spring" in html
    assert "<img" not in html
    assert "track.example" not in html


def test_references_carry_the_whole_thread(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket, references=["first@x.example"], in_reply_to="first@x.example", message_id="third@x.example")
    mail = mail_of(reply(ticket, by=agent, text="Yes."))
    assert mail["References"].split() == ["<first@x.example>", "<third@x.example>"]


def test_a_valid_reply_to_is_answered_instead_of_from(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket, reply_to=[{"name": "", "address": "orders@shop.example"}])
    assert [entry["address"] for entry in recipients_for(ticket).to] == ["orders@shop.example"]


@pytest.mark.parametrize("address", ["support@desk.example", "Support+t5@desk.example", "not an address", ""])
def test_a_reply_to_that_is_ours_or_no_address_is_ignored(address: str) -> None:
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=make_mailbox("support@desk.example"), reply_to=[{"name": "", "address": address}])
    assert [entry["address"] for entry in recipients_for(ticket).to] == ["elina@customer.example"]


def test_everybody_on_the_mail_stays_on_it_but_our_own_mailboxes(agent: User) -> None:
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    make_mailbox("sales@desk.example")
    make_message(
        ticket,
        mailbox=make_mailbox("support@desk.example"),
        to=[{"name": "", "address": "support@desk.example"}, {"name": "Olu", "address": "olu@customer.example"}],
        cc=[{"name": "", "address": "SALES@desk.example"}, {"name": "", "address": "elina@customer.example"}],
    )
    answer = reply(ticket, by=agent, text="Hello both.")
    assert mail_of(answer)["Cc"] == "Olu <olu@customer.example>"
    assert {r.address for r in answer.outgoing.recipients.all()} == {"elina@customer.example", "olu@customer.example"}


def test_the_reply_icon_answers_that_message(agent: User) -> None:
    ticket = make_ticket()
    first = make_message(ticket, message_id="one@x.example", from_address="first@customer.example")
    make_message(ticket, message_id="two@x.example")
    answer = reply(ticket, by=agent, text="To the first.", answers=first)
    assert mail_of(answer)["In-Reply-To"] == "<one@x.example>"
    assert mail_of(answer)["To"] == "Elina Saarinen <first@customer.example>"


def test_a_vacation_notice_is_not_what_a_reply_answers() -> None:
    ticket = make_ticket()
    asked = make_message(ticket)
    make_message(ticket, automatic="auto_reply")
    assert recipients_for(ticket).answered == asked


@pytest.mark.parametrize("said", ["", "person", "machine", "person machine", "machine person machine", "ours"])
def test_the_form_and_the_mail_answer_the_same_message(said: str) -> None:
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    make_mailbox()
    for who in said.split():
        direction = Direction.OUT if who == "ours" else Direction.IN
        make_message(ticket, direction=direction, automatic="auto_reply" if who == "machine" else "")
    assert recipients_for(ticket).answered == Thread(ticket).newest_of_customer


def test_a_comment_or_a_message_of_another_ticket_cannot_be_answered(agent: User) -> None:
    ticket, other = make_ticket(), make_ticket()
    note = make_message(ticket, direction=Direction.INTERNAL)
    for message in (note, make_message(other)):
        with pytest.raises(errors.CannotAnswer):
            reply(ticket, by=agent, text="Hello", answers=message)


def test_a_ticket_made_by_hand_begins_its_conversation_with_the_first_reply(agent: User) -> None:
    make_mailbox("other@desk.example")
    ticket = make_ticket(name="Call back", contact=make_contact("olu@customer.example", "Olu"))
    box = make_mailbox("support@desk.example", pipeline=ticket.pipeline)
    answer = reply(ticket, by=agent, text="You asked us to write.")
    assert ticket.conversations.get().mailbox == box
    mail = mail_of(answer)
    assert (mail["Subject"], mail["In-Reply-To"], mail["To"]) == ("Call back", None, "Olu <olu@customer.example>")


def test_pictures_in_the_text_go_inside_the_mail_and_other_files_beside_it(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket)
    picture, chart = upload(agent, "shoe.png", "image/png", PIXEL), upload(agent)
    html = f'<div>Like this: <img src="/uploads/{picture.pk}/" alt="A shoe"></div>'

    answer = reply(ticket, by=agent, html=html, uploads=[chart])

    mail = mail_of(answer)
    files = {file.get_filename(): file for file in mail.walk() if file.get_filename()}
    cid = files["shoe.png"]["Content-ID"].strip("<>")
    assert files["shoe.png"].get_content_disposition() == "inline"
    assert files["shoe.png"].get_content() == PIXEL
    assert f'src="cid:{cid}"' in part(mail, "html")
    assert files["size-chart.pdf"].get_content_disposition() == "attachment"
    assert f'src="cid:{cid}"' in answer.html
    assert {a.name: a.inline for a in answer.attachments.all()} == {"shoe.png": True, "size-chart.pdf": False}
    assert not Upload.objects.exists()


def test_a_file_of_somebody_else_cannot_be_sent(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket)
    for gone in (upload(make_user()), str(uuid.uuid4()), "nonsense"):
        with pytest.raises(errors.UploadGone):
            reply(ticket, by=agent, text="See the file.", uploads=[gone])
    assert not Outgoing.objects.exists()


def test_scripts_in_the_editors_html_do_not_travel(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket)
    answer = reply(ticket, by=agent, html='<p onclick="x()">Hi<script>alert(1)</script></p>')
    assert "alert" not in part(mail_of(answer), "html") + answer.html
    assert "onclick" not in answer.html


@pytest.mark.parametrize(
    "body", [{"text": " \n"}, {"html": "<div><br></div>"}, {"html": "<p>&nbsp;</p>"}, {"html": "<script>x</script>"}]
)
def test_nothing_written_is_not_sent(agent: User, body: dict[str, str]) -> None:
    ticket = make_ticket()
    make_message(ticket)
    with pytest.raises(errors.EmptyMessage):
        reply(ticket, by=agent, **body)
    with pytest.raises(errors.EmptyMessage):
        comment(ticket, by=agent, **body)


def test_without_the_right_to_reply_it_is_refused(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket)
    with pytest.raises(errors.MayNotReply):
        reply(ticket, by=make_user(Role.COLLABORATOR), text="Hello")
    reply(ticket, by=make_user(Role.COLLABORATOR, reply_right=True), text="Hello")


def test_a_ticket_in_the_trash_cannot_be_answered(agent: User) -> None:
    ticket = make_ticket(trashed=True)
    make_message(ticket)
    with pytest.raises(errors.TicketInTrash):
        reply(ticket, by=agent, text="Hello")


def test_why_nobody_can_be_written_to_is_said_by_name(agent: User) -> None:
    box = make_mailbox("support@desk.example")
    nameless = Contact.objects.create(name="Niamh")
    ours = make_contact("support@desk.example")
    odd = make_contact("jörg@müller.example")
    for contact, error in [
        (None, errors.NobodyToWriteTo),
        (nameless, errors.ContactWithoutAddress),
        (ours, errors.NobodyToWriteTo),
        (odd, errors.NotAMailAddress),
    ]:
        with pytest.raises(error):
            reply(make_ticket(contact=contact), by=agent, text="Hello")
    ticket = make_ticket()
    make_message(ticket, mailbox=box)
    Mailbox.objects.update(enabled=False)
    with pytest.raises(errors.MailboxIsOff, match=r"support@desk\.example is switched off"):
        reply(ticket, by=agent, text="Hello")
    with pytest.raises(errors.NoMailbox):
        reply(make_ticket(), by=agent, text="Hello")
    Mailbox.objects.update(enabled=True, smtp_host="")
    with pytest.raises(errors.MailboxCannotSend):
        reply(ticket, by=agent, text="Hello")


def test_a_domain_with_umlauts_is_written_to(agent: User) -> None:
    ticket = make_ticket(contact=make_contact("jorg@müller.example", "Jörg"))
    make_message(ticket)
    assert "jorg@xn--mller-kva.example" in str(mail_of(reply(ticket, by=agent, text="Hallo")).as_bytes())


def test_a_mail_over_the_limit_is_told_before_it_is_sent_and_leaves_nothing(agent: User, settings: Any) -> None:
    settings.HELPDESK_MAX_MAIL_MB = 1
    ticket = make_ticket()
    make_message(ticket)
    big = upload(agent, "film.mp4", "video/mp4", b"x" * 900_000)
    with pytest.raises(errors.MailTooLarge, match="at most 1 MB"):
        reply(ticket, by=agent, text="See the film.", uploads=[big])
    assert Upload.objects.filter(pk=big.pk).exists()
    assert not Message.objects.filter(direction=Direction.OUT).exists()


def test_a_double_click_sends_once(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket)
    key, file = uuid.uuid4(), upload(agent)
    first = reply(ticket, by=agent, text="Once.", uploads=[file.pk], form_key=key)
    assert reply(ticket, by=agent, text="Once.", uploads=[file.pk], form_key=str(key)) == first
    assert Outgoing.objects.count() == 1
    note = comment(ticket, by=agent, text="Done.", form_key=(other := uuid.uuid4()))
    assert comment(ticket, by=agent, text="Done.", form_key=other) == note


def test_a_comment_is_seen_by_us_only(agent: User) -> None:
    ticket = make_ticket()
    make_message(ticket)
    ticket.refresh_from_db()
    turn = ticket.turn
    collaborator = make_user(Role.COLLABORATOR)
    picture = upload(collaborator, "shoe.png", "image/png", PIXEL)
    note = comment(ticket, by=collaborator, html=f'<p>Look <img src="/uploads/{picture.pk}/"></p>')
    ticket.refresh_from_db()
    assert note.direction == Direction.INTERNAL
    assert note.attachments.get().inline
    assert not Outgoing.objects.exists()
    assert (ticket.turn, ticket.owner) == (turn, None)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_and_two_agents_at_once() -> None:
    agents, key = [make_user(), make_user()], uuid.uuid4()
    ticket = make_ticket()
    make_message(ticket, mailbox=make_mailbox(enabled=True))
    file = upload(agents[0])
    written: list[Message] = []
    together = threading.Barrier(3)

    def click(agent: User, form_key: uuid.UUID | None, uploads: list[Any]) -> None:
        together.wait(10)
        try:
            written.append(
                reply(type(ticket).objects.get(pk=ticket.pk), by=agent, text="Yes.", uploads=uploads, form_key=form_key)
            )
        finally:
            connection.close()

    clicks = [(agents[0], key, [file.pk]), (agents[0], key, [file.pk]), (agents[1], None, [])]
    threads = [threading.Thread(target=click, args=args) for args in clicks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(written) == 3
    assert len({message.pk for message in written}) == 2
    assert Outgoing.objects.count() == 2


def test_the_file_of_an_upload_that_was_used_goes_when_the_reply_stands(agent: User, on_commit: Any) -> None:
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=make_mailbox("support@desk.example"))
    file = upload(agent)
    name = str(file.file.name)
    with on_commit():
        answer = reply(ticket, by=agent, text="See the file.", uploads=[file])
        assert default_storage.exists(name)
    assert not default_storage.exists(name)
    assert default_storage.exists(str(answer.attachments.get().file.name))
