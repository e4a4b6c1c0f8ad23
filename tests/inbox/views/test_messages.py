import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from helpdesk.html import clean, count_remote_images
from inbox.models import Attachment, Incoming, Upload
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tests.inbox.views.conftest import HTMX

pytestmark = pytest.mark.django_db


def attach(message, name="photo.png", content_type="image/png", data=b"\x89PNG", **fields):
    attachment = Attachment(message=message, name=name, content_type=content_type, size=len(data), **fields)
    attachment.file.save("stored", ContentFile(data))
    return attachment


@pytest.fixture
def message():
    return make_message(make_ticket(owner=make_user()))


def test_the_html_of_a_mail_is_a_page_that_runs_and_fetches_nothing(desk, message):
    message.html = clean('<table><tr><td><img src="https://track.example/p.gif">Hello</td></tr></table>')
    message.remote_images = count_remote_images(message.html)
    message.save()
    page = desk.get(f"/messages/{message.pk}/body/")
    policy = page["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:;")
    assert "frame-ancestors 'self'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Frame-Options"] == "SAMEORIGIN"
    assert ' src="https://track.example' not in page.content.decode()

    asked = desk.get(f"/messages/{message.pk}/body/?images=1")
    assert "img-src 'self' data: https:;" in asked["Content-Security-Policy"]
    assert ' src="https://track.example/p.gif"' in asked.content.decode()


def test_a_mail_with_looks_is_framed_and_a_plain_one_is_not(desk, message):
    address = f"/tickets/{message.ticket_id}/"
    message.html = clean('<div dir="ltr">Hello<br>there <a href="https://a.example">a</a></div>')
    message.save()
    assert "<iframe" not in desk.get(address).content.decode()
    message.html = clean('<table><tr><td style="color:red">Sale</td></tr></table><img src="https://a.example/a.png">')
    message.remote_images = 1
    message.save()
    page = desk.get(address).content.decode()
    assert f'src="/messages/{message.pk}/body/"' in page
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in page
    assert "1 remote image blocked" in page
    part = desk.get(f"/messages/{message.pk}/body/?images=1", headers=HTMX).content.decode()
    assert f'src="/messages/{message.pk}/body/?images=1"' in part
    assert "blocked" not in part


def test_an_inline_image_is_shown_where_it_stands_and_not_listed_again(desk, message):
    picture = attach(message, content_id="abc@mail", inline=True)
    message.html = clean('<p>Look: <img src="cid:abc@mail"></p>')
    message.save()
    page = desk.get(f"/tickets/{message.ticket_id}/").content.decode()
    assert f'<p>Look: <img src="/attachments/{picture.pk}/"' in page
    assert "photo.png" not in page
    assert f'src="/attachments/{picture.pk}/"' in desk.get(f"/messages/{message.pk}/body/").content.decode()


def test_an_attachment_is_listed_with_its_size(desk, message):
    attach(message, name="invoice.pdf", content_type="application/pdf", data=b"x" * 2048)
    page = desk.get(f"/tickets/{message.ticket_id}/").content.decode()
    assert "invoice.pdf" in page
    assert "2.0" in page


@pytest.mark.parametrize(
    ("content_type", "sent_as", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("text/html", "application/octet-stream", "attachment"),
        ("text/html; charset=utf-8", "application/octet-stream", "attachment"),
        ("application/javascript", "application/octet-stream", "attachment"),
        ("application/pdf", "application/pdf", "attachment"),
        ("text/plain", "text/plain", "attachment"),
        ("nonsense", "application/octet-stream", "attachment"),
        ("image/png\r\nSet-Cookie: a=b", "application/octet-stream", "attachment"),
    ],
)
def test_a_file_is_never_run(desk, message, content_type, sent_as, disposition):
    file = attach(message, name="a file.bin", content_type=content_type, data=b"<script>alert(1)</script>")
    answer = desk.get(f"/attachments/{file.pk}/")
    assert answer["Content-Type"] == sent_as
    assert answer["Content-Disposition"].startswith(disposition)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert "private" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("Käyttöohje.pdf", "attachment; filename*=utf-8''K%C3%A4ytt%C3%B6ohje.pdf"),
        ('a"b.pdf', 'attachment; filename="a\\"b.pdf"'),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("exe.\u202efdp.pdf", 'attachment; filename="exe.fdp.pdf"'),
        ("a\r\nX: b.pdf", 'attachment; filename="aX: b.pdf"'),
        ("", 'attachment; filename="file"'),
    ],
)
def test_a_file_keeps_its_name_and_nothing_hides_in_it(desk, message, name, disposition):
    file = attach(message, name=name, content_type="application/pdf")
    assert desk.get(f"/attachments/{file.pk}/")["Content-Disposition"] == disposition


def test_a_file_that_was_lost_is_not_found(desk, message):
    file = attach(message)
    file.file.storage.delete(file.file.name)
    assert desk.get(f"/attachments/{file.pk}/").status_code == 404


def test_the_mail_is_downloaded_as_it_came(desk, message):
    incoming = Incoming(mailbox=make_mailbox(), source="pipe", content_hash="h", size=5, received_at=message.at)
    incoming.raw.save("raw", ContentFile(b"From: a\r\n\r\nhello"))
    message.incoming = incoming
    message.save()
    answer = desk.get(f"/messages/{message.pk}/original/")
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Disposition"] == f'attachment; filename="message-{message.pk}.eml"'
    assert b"".join(answer.streaming_content) == b"From: a\r\n\r\nhello"


def test_the_mail_that_became_a_comment_is_its_authors_alone(desk, agent, browser_of):
    """It names the notification that it answers, and with that anybody could comment in their name."""
    ticket, mate = make_ticket(owner=agent), make_user(email="mate@desk.example")
    incoming = Incoming(mailbox=make_mailbox(), source="pipe", content_hash="h", size=5, received_at=timezone.now())
    incoming.raw.save("raw", ContentFile(b"From: a\r\n\r\nhello"))
    message = make_message(ticket, direction="internal", author=mate, incoming=incoming)
    for part in ("original", "source"):
        assert desk.get(f"/messages/{message.pk}/{part}/").status_code == 404
        assert browser_of(mate).get(f"/messages/{message.pk}/{part}/").status_code == 200
    for name in ("original", "source"):
        assert f"/messages/{message.pk}/{name}/" not in desk.get(f"/tickets/{ticket.pk}/").content.decode()


def test_a_message_without_a_mail_has_no_original(desk, message):
    assert desk.get(f"/messages/{message.pk}/original/").status_code == 404


def test_nothing_of_a_message_is_there_for_those_who_may_not_see_its_ticket(browser_of, message):
    file = attach(message)
    other = browser_of(make_user(ticket_access="own"))
    for address in (f"/messages/{message.pk}/body/", f"/messages/{message.pk}/original/", f"/attachments/{file.pk}/"):
        assert other.get(address).status_code == 404


# Uploads


def test_an_upload_is_its_owners_alone(desk, agent, browser_of):
    answer = desk.post("/uploads/", {"file": ContentFile(b"\x89PNG", name="pasted.png")})
    assert answer.status_code == 201
    upload = Upload.objects.get()
    assert answer.json() == {"id": str(upload.pk), "url": f"/uploads/{upload.pk}/", "name": "pasted.png", "size": 4}
    assert upload.user == agent
    assert b"".join(desk.get(f"/uploads/{upload.pk}/").streaming_content) == b"\x89PNG"
    assert browser_of(make_user("admin")).get(f"/uploads/{upload.pk}/").status_code == 404


def test_an_upload_that_is_too_large_or_missing_says_so(desk, settings):
    settings.HELPDESK_MAX_UPLOAD_MB = 1
    answer = desk.post("/uploads/", {"file": ContentFile(b"0" * (1024 * 1024 + 1), name="big.bin")})
    assert answer.status_code == 413
    assert "1 MB" in answer.json()["error"]
    assert desk.post("/uploads/").status_code == 400
    assert not Upload.objects.exists()


@pytest.mark.parametrize("sent", [b"text/pl\x00ain", b"\x00"])
def test_a_type_that_no_database_takes_is_no_error(desk, sent):
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: %b\r\n\r\na\r\n--b--\r\n'
    answer = desk.post("/uploads/", body % sent, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 201
    assert "\0" not in Upload.objects.get().content_type
    assert Upload.objects.get().content_type


def test_a_very_long_text_is_shown_in_part_and_whole_on_a_page_of_its_own(desk, message):
    message.text = "The first words.\n" + "line\n" * 30_000 + "The last words."
    message.save()
    page = desk.get(f"/tickets/{message.ticket_id}/").content.decode()
    assert "The first words." in page
    assert "The last words." not in page
    assert "Show the whole message" in page
    assert "The last words." in desk.get(f"/messages/{message.pk}/body/").content.decode()
    message.text = "A short one."
    message.save()
    assert "Show the whole message" not in desk.get(f"/tickets/{message.ticket_id}/").content.decode()


def test_very_long_html_and_quotes_stand_in_frames(desk, message):
    message.html = "<p>words</p>" * 10_000
    message.quoted_text = "> old words\n" * 10_000 + "The oldest words."
    message.author = make_user()
    message.save()
    page = desk.get(f"/tickets/{message.ticket_id}/").content.decode()
    assert len(page) < 150_000
    assert f'src="/messages/{message.pk}/body/"' in page
    assert f'src="/messages/{message.pk}/body/?quoted=1"' in page
    assert "The oldest words." in desk.get(f"/messages/{message.pk}/body/?quoted=1").content.decode()


def test_many_attachments_are_folded_but_for_the_first(desk, message):
    for number in range(52):
        attach(message, name=f"file-{number}.pdf", content_type="application/pdf")
    page = desk.get(f"/tickets/{message.ticket_id}/").content.decode()
    assert page.count('class="attachment" href=') == 52
    folded = page[page.index("2 more files") :]
    assert folded.count('class="attachment" href=') == 2


def test_a_message_says_how_many_it_went_to(desk):
    ticket = make_ticket()
    make_message(
        ticket, to=[{"name": "Olu", "address": "olu@x.example"}], cc=[{"name": "", "address": "boss@x.example"}]
    )
    assert "to Olu and 1 more" in desk.get(f"/tickets/{ticket.number}/").content.decode()
