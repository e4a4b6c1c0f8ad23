"""What the pages and parts of a conversation answer."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from inbox.models import Attachment, Direction, Incoming, TrustedSender
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tests.inbox.views.conftest import HTMX
from tests.inbox.views.test_messages import attach
from tickets.models import EventKind

pytestmark = pytest.mark.django_db

RAW = b"""From: =?utf-8?q?P=C3=A4ivi?= <paivi@customer.example>\r
Subject: =?utf-8?b?VsOkw6Ryw6Q=?= koko\r
X-Odd: =?nothing?q?x?=\r
X-Evil: <script>alert(1)</script>\r
\r
Hello <b>there</b>\r
"""


@pytest.fixture
def long_ticket(agent):
    begun = timezone.now() - timedelta(days=3)
    ticket = make_ticket(now=begun, owner=agent)
    for number in range(50):
        make_message(ticket, now=begun + timedelta(hours=number), text=f"words {number}.")
    return ticket


def page(desk, ticket, words=""):
    return desk.get(f"/tickets/{ticket.number}/{words}").content.decode()


def test_without_scripts_links_show_more_or_all_of_a_long_conversation(desk, long_ticket):
    first = page(desk, long_ticket)
    assert "words 0." in first
    assert "words 39." not in first
    assert "39 earlier messages" in first
    link = first.split('-more" href="')[1].split('"')[0].replace("&amp;", "&").partition("?")[2].partition("#")[0]
    more = page(desk, long_ticket, f"?{link}")
    assert "words 20." in more
    assert "words 19." not in more
    assert "19 earlier messages" in more
    assert "words 19." in page(desk, long_ticket, "?all=1")


def test_a_linked_message_is_on_its_page_and_nonsense_is_no_error(desk, long_ticket):
    wanted = long_ticket.messages.order_by("at")[20]
    assert f'id="m{wanted.pk}"' in page(desk, long_ticket, f"?message={wanted.pk}")
    for words in ("?message=x", "?message=99999999999999999999", "?shown=1-2_%00", "?all=2"):
        assert "39 earlier messages" in page(desk, long_ticket, words)


def test_unfolding_answers_with_the_thread_alone_and_marks_the_answered_message(desk, long_ticket):
    answered = long_ticket.messages.order_by("at")[49]
    address = f"/tickets/{long_ticket.number}/thread/?unfolds=1&all=1&chosen=1&answers={answered.pk}"
    part = desk.get(address, headers=HTMX).content.decode()
    assert part.count('<article class="msg') == 50
    assert part.count("is-target") == 1
    assert "ticket-header" not in part


def test_what_one_unfolded_stays_unfolded_after_a_comment(desk, long_ticket):
    shown = page(desk, long_ticket, "?all=1")
    address = re.search(r'hx-get="(/tickets/\d+/thread/[^"]+)"', shown)[1].replace("&amp;", "&")
    answer = desk.post(f"/tickets/{long_ticket.number}/comments/", {"text": "Noted."}, headers=HTMX).content.decode()
    assert answer.count('<article class="msg') == 1, "nothing of what is there is folded or comes again"
    thread = desk.get(address, headers=HTMX).content.decode()
    assert "words 20." in thread
    assert "Noted." in thread


def test_every_kind_of_event_is_one_line_that_says_what_happened(desk, agent):
    ticket = make_ticket(owner=agent)
    said = {
        EventKind.PROPERTIES: ({"lines": [{"name": "Size", "from": "S", "to": "M"}]}, "Size: S → <b>M</b>"),
        EventKind.CONTACT: ({"from": "", "to": "Elina"}, "set the contact to <b>Elina</b>"),
        EventKind.COMPANY: ({"from": "Korpi", "to": ""}, "removed the company Korpi"),
        EventKind.SENT_ANYWAY: ({"checks": ["attachment"]}, "the text spoke of a file"),
        EventKind.UNSENT: ({}, "wrote for later was not sent: the contact wrote first"),
        EventKind.RELEASED: ({}, "released an answer to a forward"),
        EventKind.TRASHED: ({}, "moved the ticket to the trash"),
        EventKind.RESTORED: ({}, "restored the ticket"),
    }
    for number, (kind, (detail, _words)) in enumerate(said.items()):
        ticket.record(kind, by=agent, now=timezone.now() + timedelta(minutes=number), **detail)
    shown = page(desk, ticket)
    for _detail, words in said.values():
        assert words in shown
    ticket.events.all().delete()
    for kind in EventKind:
        ticket.record(kind, by=None, now=timezone.now())
    assert page(desk, ticket).count('class="event" id="e') == len(EventKind)


def test_a_deleted_comment_is_a_quiet_line_and_an_edited_one_says_so(desk, agent):
    ticket, now = make_ticket(owner=agent), timezone.now()
    make_message(ticket, direction=Direction.INTERNAL, author=agent, text="taken back", deleted_at=now)
    make_message(ticket, direction=Direction.INTERNAL, author=agent, text="put better", edited_at=now)
    shown = page(desk, ticket)
    assert "taken back" not in shown
    assert "was deleted" in shown
    assert ">edited<" in shown


def test_a_time_is_read_aloud_exactly_with_the_zone_of_the_agent(browser_of):
    me = make_user(time_zone="Europe/Helsinki")
    at = timezone.now() - timedelta(minutes=22)
    ticket = make_ticket(owner=me, now=at)
    make_message(ticket, now=at)
    shown = browser_of(me).get(f"/tickets/{ticket.number}/").content.decode()
    assert '<span aria-hidden="true">22m</span><span class="sr-only">' in shown
    assert " EET</span></time>" in shown or " EEST</span></time>" in shown


def test_images_of_a_sender_are_trusted_by_one_reader_only(desk, agent, browser_of):
    ticket = make_ticket(owner=agent)
    html = '<table><tr><td><img data-remote-src="https://a.example/a.png"></td></tr></table>'
    message = make_message(ticket, html=html, remote_images=1, from_address="News@shop.example")
    part = desk.post("/senders/trust/", {"message": message.pk}, headers=HTMX).content.decode()
    assert f"/messages/{message.pk}/body/?images=1" in part
    assert TrustedSender.objects.get(user=agent).address == "news@shop.example"
    assert "1 remote image blocked" not in page(desk, ticket)
    assert "1 remote image blocked" in page(browser_of(make_user()), ticket)
    plain = desk.post("/senders/trust/", {"message": message.pk})
    assert plain["Location"] == f"/tickets/{ticket.number}/?message={message.pk}#m{message.pk}"
    assert desk.post("/senders/trust/", {"message": "all"}).status_code == 404


def test_images_of_a_trusted_sender_wait_where_somebody_else_may_have_used_the_name(desk, agent):
    ticket = make_ticket(owner=agent)
    html = '<table><tr><td><img data-remote-src="https://a.example/a.png"></td></tr></table>'
    known = make_message(ticket, html=html, remote_images=1, from_address="news@shop.example")
    desk.post("/senders/trust/", {"message": known.pk})
    forged = make_message(ticket, html=html, remote_images=1, from_address="news@shop.example", sender_doubtful=True)
    shown = page(desk, ticket)
    assert shown.count("1 remote image blocked") == 1
    assert "Always show images" not in shown
    assert f"/messages/{forged.pk}/body/?images=1" in shown
    assert desk.post("/senders/trust/", {"message": forged.pk}).status_code == 404


def test_the_original_shows_headers_that_one_can_read_and_its_source(desk, agent):
    box, now = make_mailbox(), timezone.now()
    incoming = Incoming.objects.create(
        mailbox=box, source="pipe", content_hash="1", size=len(RAW), raw=ContentFile(RAW, "a.eml"), received_at=now
    )
    message = make_message(make_ticket(owner=agent), mailbox=box, incoming=incoming)
    headers = desk.get(f"/messages/{message.pk}/source/").content.decode()
    assert "Päivi &lt;paivi@customer.example&gt;" in headers
    assert "Väärä koko" in headers
    assert "&lt;script&gt;alert(1)" in headers
    source = desk.get(f"/messages/{message.pk}/source/?part=source").content.decode()
    assert "=?utf-8?b?VsOkw6Ryw6Q=?= koko" in source
    assert "Hello &lt;b&gt;there&lt;/b&gt;" in source
    incoming.raw.save("b.eml", ContentFile(RAW + b"x" * 300_000))
    assert "The beginning of 293" in desk.get(f"/messages/{message.pk}/source/?part=source").content.decode()
    note = make_message(message.ticket, direction=Direction.INTERNAL, author=agent)
    assert desk.get(f"/messages/{note.pk}/source/").status_code == 404


def test_all_files_come_in_one_archive_without_those_that_stand_in_the_text(desk, agent):
    message = make_message(make_ticket(owner=agent), html='<img src="cid:logo">')
    attach(message, "photo.png")
    attach(message, "../photo.png")
    attach(message, "logo.png", inline=True, content_id="logo")
    answer = desk.get(f"/messages/{message.pk}/files/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="message-{message.pk}-files.zip"'
    assert answer.streaming
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer))).namelist() == ["photo.png", "photo (2).png"]
    assert desk.get(f"/messages/{make_message(message.ticket).pk}/files/").status_code == 404


@pytest.mark.parametrize(
    ("name", "content_type", "data", "shown"),
    [
        ("a.txt", "text/plain", b"<script>alert(1)</script>", "&lt;script&gt;alert(1)"),
        ("a.csv", "text/csv", b"a,b\n<i>,2", "<td>&lt;i&gt;</td><td>2</td>"),
    ],
)
def test_a_text_is_looked_at_in_a_page_that_runs_nothing(desk, agent, name, content_type, data, shown):
    message = make_message(make_ticket(owner=agent))
    attach(message, name, content_type, data)
    file = Attachment.objects.get()
    answer = desk.get(f"/attachments/{file.pk}/preview/")
    assert shown in answer.content.decode()
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'; style-src 'unsafe-inline';")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_a_pdf_is_drawn_in_a_sandbox_and_saved_from_its_own_address(desk, agent):
    message = make_message(make_ticket(owner=agent))
    attach(message, "a.pdf", "application/pdf", b"%PDF-1.4")
    file = Attachment.objects.get()
    answer = desk.get(f"/attachments/{file.pk}/preview/")
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert desk.get(f"/attachments/{file.pk}/")["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "application/zip"])
def test_what_could_run_cannot_be_looked_at(desk, agent, content_type):
    message = make_message(make_ticket(owner=agent))
    attach(message, "a.html", content_type, b"<script>")
    assert desk.get(f"/attachments/{Attachment.objects.get().pk}/preview/").status_code == 404
