import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.utils import timezone

from inbox.models import (
    Attachment,
    Conversation,
    FetchGap,
    Incoming,
    IncomingState,
    Mailbox,
    MailFolder,
    Message,
    Outgoing,
    OutgoingRecipient,
    OutgoingState,
)
from people.models import AuditEntry, Role
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tests.mail_servers import free_port
from tests.people.test_admin import change

pytestmark = pytest.mark.django_db

RAW = b"From: a@customer.example\r\nSubject: Hello\r\nMessage-ID: <1@customer.example>\r\n\r\nHello <script>alert(1)</script>"


@pytest.fixture
def desk(client):
    client.force_login(make_user(Role.ADMIN, name="Boss"))
    return client


def page_of(thing) -> str:
    return f"/admin/inbox/{thing._meta.model_name}/{thing.pk}/change/"


def make_incoming(mailbox=None, raw=RAW, **fields) -> Incoming:
    mailbox = mailbox or make_mailbox()
    fields.setdefault("content_hash", str(Incoming.objects.count()))
    return Incoming.objects.create(
        mailbox=mailbox, source="pipe", size=len(raw), raw=ContentFile(raw, "mail.eml"), received_at=timezone.now(), **fields
    )  # fmt: skip


def make_outgoing(**fields) -> Outgoing:
    message = make_message(make_ticket(), direction="out", author=make_user())
    fields.setdefault("mime", ContentFile(b"Subject: Re\r\n\r\nHello", "mail.eml"))
    outgoing = Outgoing.objects.create(
        message=message, mailbox=message.conversation.mailbox, mail_id=f"{message.pk}@desk.example",
        envelope_from="support@desk.example", due_at=timezone.now(), **fields,
    )  # fmt: skip
    OutgoingRecipient.objects.create(outgoing=outgoing, address="a@customer.example")
    return outgoing


def text(answer) -> str:
    return answer.content.decode()


# -- Incoming ---------------------------------------------------------------------------------------------------------


def test_quarantine_is_seen_at_once_and_found_by_the_filter(desk):
    assert "could not be processed" not in text(desk.get("/admin/inbox/incoming/"))
    make_incoming(state=IncomingState.DONE, outcome="opened")
    stuck = make_incoming(state=IncomingState.QUARANTINED, error="Unknown charset")
    assert "1 mail could not be processed." in text(desk.get("/admin/inbox/incoming/"))
    found = desk.get("/admin/inbox/incoming/?state__exact=quarantined").context["cl"].result_list
    assert list(found) == [stuck]
    assert desk.get("/admin/inbox/incoming/?outcome=opened").context["cl"].result_list.count() == 1


def test_raw_mail_is_always_a_download(desk):
    incoming = make_incoming()
    answer = desk.get(f"/admin/inbox/incoming/{incoming.pk}/raw/")
    assert b"".join(answer.streaming_content) == RAW
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert desk.get("/admin/inbox/incoming/999999/raw/").status_code == 404


@pytest.mark.parametrize("by", ["button", "action"])
def test_a_mail_in_quarantine_is_processed_again(desk, on_commit, by):
    incoming = make_incoming(state=IncomingState.QUARANTINED, error="Unknown charset", tries=3)
    with on_commit():
        if by == "button":
            assert "Process again" in text(desk.get(page_of(incoming)))
            desk.post(f"/admin/inbox/incoming/{incoming.pk}/processing/")
        else:
            desk.post("/admin/inbox/incoming/", {"action": "process_again", "_selected_action": [incoming.pk]})
    incoming.refresh_from_db()
    assert (incoming.state, incoming.outcome) == (IncomingState.DONE, "opened")
    assert f'/admin/inbox/message/{incoming.message.pk}/change/"' in text(desk.get(page_of(incoming)))


def test_a_mail_that_is_done_is_not_processed_again(desk):
    incoming = make_incoming(state=IncomingState.DONE, outcome="opened")
    assert "verb_path" not in desk.get(page_of(incoming)).context
    answer = desk.post(f"/admin/inbox/incoming/{incoming.pk}/processing/", follow=True)
    assert "Only a mail in quarantine can be processed again" in text(answer)


def test_incoming_mail_can_be_neither_changed_nor_deleted(desk):
    incoming = make_incoming()
    assert desk.post(page_of(incoming), {"state": "done"}).status_code == 403
    assert desk.post(f"/admin/inbox/incoming/{incoming.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.get("/admin/inbox/incoming/add/").status_code == 403


# -- Messages, conversations, outgoing --------------------------------------------------------------------------------


def test_a_message_shows_its_words_as_text_and_leads_to_everything_around_it(desk):
    ticket = make_ticket()
    incoming = make_incoming()
    message = make_message(
        ticket, text="<b>Hi</b> <script>alert(1)</script>", html="<h1>Not here</h1>", incoming=incoming
    )
    page = text(desk.get(page_of(message)))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "Not here" not in page
    for link in (
        f"/admin/tickets/ticket/{ticket.pk}/change/",
        f"/admin/inbox/conversation/{message.conversation_id}/change/",
        f"/admin/inbox/incoming/{incoming.pk}/change/",
    ):
        assert link in page


def test_attachments_are_downloads(desk):
    message = make_message(make_ticket())
    file = ContentFile(b"<script>", "a.html")
    attachment = Attachment.objects.create(message=message, name="a.html", content_type="text/html", size=8, file=file)
    assert f'href="/attachments/{attachment.pk}/" download' in text(desk.get(page_of(message)))
    assert desk.get(page_of(attachment)).status_code == 200
    assert desk.get(page_of(message.conversation)).status_code == 200


def test_an_outgoing_mail_shows_how_it_went_and_is_tried_again(desk):
    outgoing = make_outgoing(state=OutgoingState.FAILED, last_answer="550 No such user")
    page = text(desk.get(page_of(outgoing)))
    assert "550 No such user" in page
    assert "a@customer.example" in page
    assert "Try again" in page
    desk.post(f"/admin/inbox/outgoing/{outgoing.pk}/retry/")
    outgoing.refresh_from_db()
    assert outgoing.state == OutgoingState.QUEUED
    answer = desk.post(
        "/admin/inbox/outgoing/", {"action": "try_again", "_selected_action": [outgoing.pk]}, follow=True
    )
    assert "on its way or was sent already" in text(answer)
    sent = desk.get(f"/admin/inbox/outgoing/{outgoing.pk}/mail/")
    assert sent["Content-Disposition"].startswith("attachment")


# -- Mailboxes --------------------------------------------------------------------------------------------------------


def test_the_list_of_those_in_trouble_has_none_that_is_switched_off(desk):
    make_mailbox("well@desk.example")
    make_mailbox("broken@desk.example", fetch_error="Refused.")
    make_mailbox("off@desk.example", fetch_error="Refused.", enabled=False)
    page = desk.get("/admin/inbox/mailbox/?trouble=yes")
    assert [row.address for row in page.context["cl"].result_list] == ["broken@desk.example"]
    assert [row.address for row in Mailbox.objects.in_error()] == [
        row.address for row in Mailbox.objects.all() if row.is_in_error
    ]


def new_mailbox(**fields) -> dict:
    return {
        "address": "Help@desk.example", "name": "Korpi", "enabled": "on", "makes_tickets": "on", "poll_seconds": "60",
        "imap_port": "993", "imap_security": "ssl", "imap_folder": "INBOX",
        "smtp_host": "127.0.0.1", "smtp_port": str(free_port()), "smtp_security": "none",
    } | fields  # fmt: skip


def test_a_mailbox_is_tried_before_it_is_connected(desk):
    answer = desk.post("/admin/inbox/mailbox/add/", new_mailbox())
    assert answer.status_code == 200
    assert "SMTP: " in text(answer)
    assert not Mailbox.objects.exists()
    answer = desk.post("/admin/inbox/mailbox/add/", new_mailbox(untested="on"))
    assert answer.status_code == 302, answer.context["errors"]
    assert Mailbox.objects.get().address == "help@desk.example"
    assert AuditEntry.objects.get().what == "Mailbox help@desk.example connected"


def test_a_mailbox_whose_server_answers_is_connected(desk, smtp_server):
    answer = desk.post("/admin/inbox/mailbox/add/", new_mailbox(smtp_port=str(smtp_server.port)))
    assert answer.status_code == 302, answer.context["errors"]


def test_a_password_is_never_shown_and_kept_when_left_empty(desk):
    mailbox = make_mailbox(
        imap_host="imap.desk.example", imap_user="help", imap_password="a secret 1", smtp_user="help", smtp_password="a secret 2"
    )  # fmt: skip
    page = desk.get(page_of(mailbox))
    assert "a secret" not in text(page)
    assert "Stored. Leave it empty to keep it." in text(page)
    answer = change(desk, page_of(mailbox), name="Renamed")
    assert answer.status_code == 302, answer.context["errors"]
    mailbox.refresh_from_db()
    assert (mailbox.name, mailbox.imap_password, mailbox.smtp_password) == ("Renamed", "a secret 1", "a secret 2")
    answer = change(desk, page_of(mailbox), imap_password="a secret 3")
    assert answer.status_code == 200, "new passwords are tried first"
    mailbox.refresh_from_db()
    assert mailbox.imap_password == "a secret 1"
    change(desk, page_of(mailbox), imap_password="a secret 3", untested="on")
    mailbox.refresh_from_db()
    assert mailbox.imap_password == "a secret 3"
    assert AuditEntry.objects.first().changes == {"imap_password": "changed"}
    assert "a secret" not in text(desk.get("/admin/people/auditentry/"))


def test_a_stored_password_goes_to_no_other_server(desk):
    mailbox = make_mailbox(
        imap_host="imap.desk.example", imap_user="help", imap_password="a secret 1", smtp_host="mail.desk.example"
    )
    answer = change(desk, page_of(mailbox), imap_host="imap.elsewhere.example", untested="on")
    assert answer.status_code == 200
    assert "imap_password" in answer.context["adminform"].form.errors
    mailbox.refresh_from_db()
    assert mailbox.imap_host == "imap.desk.example"


def test_the_rules_of_the_settings_pages_hold_here_too(desk):
    answer = desk.post("/admin/inbox/mailbox/add/", new_mailbox(smtp_host="mail.elsewhere.example", untested="on"))
    assert answer.status_code == 200, "security none is for this machine only"
    assert "smtp_security" in answer.context["adminform"].form.errors


def test_the_connection_is_tested_by_a_button(desk, smtp_server):
    mailbox = make_mailbox(smtp_port=smtp_server.port, smtp_security="none")
    assert "Test connection" in text(desk.get(page_of(mailbox)))
    answer = desk.post(f"/admin/inbox/mailbox/{mailbox.pk}/test/", follow=True)
    assert "SMTP · Connection" in text(answer)
    Mailbox.objects.update(smtp_port=free_port())
    answer = desk.post(f"/admin/inbox/mailbox/{mailbox.pk}/test/", follow=True)
    assert [str(message.level_tag) for message in answer.context["messages"]].count("error") == 1


def test_only_a_mailbox_without_mail_can_be_deleted(desk):
    used, unused = make_mailbox(), make_mailbox()
    make_incoming(used)
    assert desk.post(f"/admin/inbox/mailbox/{used.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.post(f"/admin/inbox/mailbox/{unused.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Mailbox.objects.all()) == [used]


def test_a_mailbox_without_a_server_is_not_fetched(desk):
    mailbox = make_mailbox()
    answer = desk.post(f"/admin/inbox/mailbox/{mailbox.pk}/fetch/", follow=True)
    assert "is not fetched from a server" in text(answer)


def test_a_gap_is_tried_again_at_the_next_fetch(desk):
    folder = MailFolder.objects.create(mailbox=make_mailbox())
    gap = FetchGap.objects.create(folder=folder, uidvalidity=1, uid=7, reason="No", tries=5)
    desk.post("/admin/inbox/fetchgap/", {"action": "try_again", "_selected_action": [gap.pk]})
    gap.refresh_from_db()
    assert gap.next_try_at
    assert desk.get(page_of(folder)).status_code == 200


# -- What lists cost --------------------------------------------------------------------------------------------------


def test_the_lists_cost_the_same_for_one_row_and_for_ten(desk, count_queries):
    mailbox = make_mailbox()

    def fill():
        incoming = make_incoming(mailbox, state=IncomingState.DONE, outcome="opened")
        message = make_message(make_ticket(), mailbox=mailbox, incoming=incoming)
        file = ContentFile(b"a", "a.txt")
        Attachment.objects.create(message=message, name="a.txt", content_type="text/plain", size=1, file=file)
        folder = MailFolder.objects.create(mailbox=mailbox, name=str(MailFolder.objects.count()))
        FetchGap.objects.create(folder=folder, uidvalidity=1, uid=1, reason="No")
        make_outgoing()

    models = (Conversation, Message, Attachment, Incoming, Outgoing, MailFolder, FetchGap)
    lists = [f"/admin/inbox/{model._meta.model_name}/" for model in models]
    fill()
    one = {address: count_queries(lambda: desk.get(address)) for address in lists}  # noqa: B023
    for _ in range(9):
        fill()
    assert {address: count_queries(lambda: desk.get(address)) for address in lists} == one  # noqa: B023


def test_the_mail_room_is_looked_into_where_there_is_one(desk, settings):
    from inbox.models import RoomMail

    settings.HELPDESK_MAIL_ROOM = True
    mail = RoomMail.objects.keep(RAW, sender="a@customer.example", recipients=["help@desk.example"], now=timezone.now())
    assert "help@desk.example" in text(desk.get(page_of(mail)))
    settings.HELPDESK_MAIL_ROOM = False
    assert desk.get("/admin/inbox/roommail/").status_code == 403


def test_buttons_of_a_page_look_like_the_links_beside_them(desk):
    """Django's admin draws links there only; the rule for buttons is ours."""
    page = text(desk.get(page_of(make_mailbox())))
    [sheet] = re.findall(r'href="/static/(admin/desk[^"]*\.css)"', page)
    assert ".object-tools button" in Path(str(finders.find("admin/desk.css"))).read_text(), sheet
