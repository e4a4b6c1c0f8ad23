import pickle
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inbox.mime.parse import ParsedMail, content_hash, parse, parse_headers, safe_name

EMAILS = Path(__file__).parent.parent / "emails"


def read(name: str) -> ParsedMail:
    return parse((EMAILS / f"{name}.eml").read_bytes())


def everything_said(mail: ParsedMail) -> str:
    return repr((mail.subject, mail.from_name, mail.to, mail.text, mail.html, mail.references, mail.headers))


def test_an_ordinary_utf8_mail_says_what_it_says():
    mail = read("plain_utf8")
    assert mail.subject == "Lasku puuttuu – päiväys"
    assert (mail.from_name, mail.from_address) == ("Maija Virtanen", "maija.virtanen@asiakas.fi")
    assert mail.to == [("Tuki", "tuki@example.com")]
    assert mail.message_id == "CAF1@mail.asiakas.fi"
    assert mail.date is not None
    assert mail.date.astimezone(UTC) == datetime(2026, 11, 24, 7, 15, tzinfo=UTC)
    assert mail.text.startswith("Hei,\n\nmarraskuun lasku ei ole tullut.")
    assert mail.html == ""
    assert mail.defects == []


@pytest.mark.parametrize(
    ("name", "subject", "words"),
    [
        ("plain_latin1_undeclared_header", "Störung im Büro", "Drucker im Büro ist gestört"),
        ("koi8r_undeclared_subject", "Не приходит счёт", "счёт за ноябрь не пришёл"),
        ("iso2022jp", "ご注文", "注文について"),
        ("outlook_gb2312", "订单问题", "您好，订单有问题。镕"),
        ("format_flowed", "Flowed", "This is one paragraph that flows.\n\n> quoted that flows too\n-- \nBob"),
        ("base64_with_footer_behind_it", "Junk", "Hei på deg"),
        ("unclosed_boundary", "Cut off", "plain words"),
        ("uuencoded_in_text", "uu", "See the file."),
    ],
)
def test_whatever_the_charset_and_encoding_it_reads_as_written(name, subject, words):
    mail = read(name)
    assert mail.subject == subject
    assert words in mail.text
    assert "\ufffd" not in everything_said(mail)


def test_the_footer_of_a_list_behind_base64_is_not_decoded_to_junk():
    assert read("base64_with_footer_behind_it").text == "Hei på deg"


def test_html_only_mail_has_a_text_without_its_style_sheet():
    mail = read("html_only_newsletter_style")
    assert "Your order 4711 is on its way." in mail.text
    assert "Total € 12,50" in mail.text
    assert "color" not in mail.text
    assert "Order" not in mail.text.split()
    assert "<style>" in mail.html


def test_attachment_names_come_in_every_spelling_and_leave_safe_and_different():
    names = [(item.name, item.data) for item in read("attachments_with_umlauts").attachments]
    assert [name for name, _ in names] == [
        "räkning.pdf",
        "årsredovisning 2026 slutlig.pdf",
        "räkning.csv",
        "räkning (2).pdf",
    ]
    assert names[0][1] == b"%PDF-1.4\n"
    assert read("attachments_with_umlauts").attachments[3].original_name == "../../etc/räkning.pdf"


def test_an_inline_image_needs_no_disposition_and_an_unused_one_is_an_attachment():
    shown, unused = read("inline_image_without_disposition").attachments
    assert (shown.content_id, shown.inline) == ("image001.png@01dc", True)
    assert (unused.content_id, unused.inline) == ("unused@01dc", False)


def test_both_texts_around_an_attachment_are_shown():
    mail = read("apple_mail_text_around_attachment")
    assert mail.text == "Here is the picture:\n\nAnd this is what I meant below it."
    assert [item.name for item in mail.attachments] == ["pic.png"]
    rich = read("apple_mail_html_around_attachment")
    assert "Before" in rich.html
    assert "After" in rich.html
    assert rich.text == "Before\n\nAfter"
    assert [item.name for item in rich.attachments] == ["doc.pdf"]


def test_a_mail_forwarded_as_a_file_stays_a_file_and_threads_nothing():
    mail = read("forwarded_as_attachment")
    (inner,) = mail.attachments
    assert inner.name == "Old maïl.eml"
    assert inner.content_type == "message/rfc822"
    assert b"inner text" in inner.data
    assert mail.references == []
    assert mail.text == "See attached."
    assert mail.returned_headers == {}


def test_a_file_inside_the_text_becomes_an_attachment():
    mail = read("uuencoded_in_text")
    (item,) = mail.attachments
    assert (item.name, item.data) == ("hello.txt", b"hello world")
    assert "begin 644" not in mail.text
    assert "Bye" in mail.text


def test_strange_senders_still_give_a_sender():
    mail = read("two_from_and_group")
    assert (mail.from_name, mail.from_address) == ("Test", "test@x.de")
    assert mail.to == []
    assert mail.cc == [("", "a@x.de"), ("B", "b@x.de")]
    assert mail.reply_to == [("Sales, Dept", "sales@x.de")]
    assert mail.message_id == "brackets@x.de"
    nobody = read("null_sender_no_from")
    assert nobody.from_address == "real@x.de"
    assert nobody.return_path == ""


def test_a_subject_cannot_smuggle_a_header():
    assert read("newline_in_encoded_subject").subject == "a Bcc: x@y.example"


@pytest.mark.parametrize("raw", [b"", b"\n", b"\r\n\r\n", b"hello", b"\x00" * 50, b"\xff\xfe\xfd", b":", b"From:"])
def test_bytes_that_are_no_mail_are_a_mail_with_that_text(raw):
    mail = parse(raw)
    assert mail.from_address == ""
    assert "\x00" not in mail.text


def test_plain_words_without_any_header_are_the_text():
    assert parse(b"just some words\nand more\n").text == "just some words\nand more"


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b'filename="..\\..\\x.exe"', "x.exe"),
        (b'filename="C:\\Windows\\win.ini"', "win.ini"),
        (b"filename*=utf-8''invoice%E2%80%AEfdp.exe", "invoicefdp.exe"),
        (b'filename=""', "attachment.pdf"),
        (b"filename*=utf-8''a%0Ab.pdf", "a b.pdf"),
        (b"filename*=x-nonsense''%E4.pdf", "ä.pdf"),
        (b'filename="con:aux|?.pdf"', "con_aux__.pdf"),
    ],
)
def test_file_names_are_made_safe(header, names):
    mail = parse(b"Content-Type: application/pdf\nContent-Disposition: attachment; " + header + b"\n\nx")
    assert [item.name for item in mail.attachments] == [names]


def test_a_file_name_of_a_thousand_letters_keeps_its_ending():
    name = safe_name("ä" * 1000 + ".pdf")
    assert name.endswith("ä.pdf")
    assert len(name.encode()) <= 200


def test_hostile_charsets_raise_nothing_and_lose_nothing_readable():
    for charset in (b"hex", b"idna", b"undefined", b"iso-gb2312", b"x-unknown", b"utf-7", b"rot13", b"zlib", b"\xff"):
        mail = parse(b"Subject: =?" + charset + b"?q?hi?=\nContent-Type: text/plain; charset=" + charset + b"\n\nwords")
        assert "words" in mail.text
        assert "hi" in mail.subject


def test_an_encoded_word_may_be_cut_inside_a_character():
    mail = parse(b"Subject: =?utf-8?b?w6TDtsM=?=\n =?utf-8?b?pQ==?= x\n\n")
    assert mail.subject == "äöå x"


def test_lone_surrogates_and_nuls_never_come_out():
    raw = b"Subject: =?utf-7?q?+2AA-?= \x00x\nContent-Type: text/plain; charset=utf-16\n\n\x00\xd8\x41\x00\x00\x00"
    mail = parse(raw)
    everything_said(mail).encode()
    assert "\x00" not in mail.text + mail.subject
    mail.text.encode()


def test_only_one_alternative_of_each_kind_is_taken():
    mail = parse(
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n"
        b"--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--b--\n"
    )
    assert mail.text == "plain"
    assert mail.html == "<p>rich</p>"
    assert [item.content_type for item in mail.attachments] == ["text/calendar"]


@pytest.mark.parametrize(
    ("parts", "text", "html"),
    [
        ((b"", b"<p>rich</p>"), "rich", True),
        ((b"plain", b"<html><body></body></html>"), "plain", False),
        ((b"", b""), "", False),
    ],
)
def test_an_empty_alternative_does_not_hide_the_other(parts, text, html):
    plain, rich = parts
    mail = parse(
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
        + plain
        + b"\n--b\nContent-Type: text/html\n\n"
        + rich
        + b"\n--b--\n"
    )
    assert mail.text == text
    assert bool(mail.html) is html


@pytest.mark.parametrize("header", [b"; boundary=other", b";\n\tbo", b""])
def test_a_boundary_that_the_header_got_wrong_is_found_in_the_body(header):
    body = b"--b1\nContent-Type: text/plain\n\nwords\n--b1\nContent-Type: application/pdf; name=a.pdf\n\nx\n--b1--\n"
    mail = parse(b"Content-Type: multipart/mixed" + header + b"\n\n" + body)
    assert mail.text == "words"
    assert [item.name for item in mail.attachments] == ["a.pdf"]


def test_an_image_named_by_its_location_is_shown():
    mail = parse(
        b"Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        b'<img src="http://x.example/a.png">\n--b\nContent-Type: image/png\nContent-Location: http://x.example/a.png\n\nx\n--b--'
    )
    assert mail.attachments[0].inline
    assert f'src="cid:{mail.attachments[0].content_id}"' in mail.html


def test_a_mail_handed_in_twice_has_one_hash_and_another_mail_has_another():
    raw = (EMAILS / "plain_utf8.eml").read_bytes()
    again = b"Received: from a\r\n\tby b\r\nDelivered-To: x\r\nARC-Seal: y\r\n" + raw
    assert content_hash(raw) == content_hash(again) == content_hash(raw.replace(b"\r\n", b"\n"))
    assert content_hash(raw) != content_hash(raw + b"more")
    assert content_hash(raw) != content_hash(raw.replace(b"CAF1", b"CAF2"))


def test_a_parsed_mail_travels_between_processes():
    mail = read("bounce_postfix")
    assert pickle.loads(pickle.dumps(mail)) == mail


def test_headers_alone_are_read_in_little_time():
    raw = b"From: a@b.example\nSubject: big\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 2_000_000
    start = time.perf_counter()
    mail = parse_headers(raw)
    assert (mail.subject, mail.from_address, mail.partial) == ("big", "a@b.example", True)
    assert time.perf_counter() - start < 0.5


HOSTILE = {
    "100,000 recipients": b"To: " + b"a@b.example, " * 100_000 + b"\n\nx",
    "100,000 headers": b"X-A: b\n" * 100_000 + b"\nx",
    "a header of 2 MB": b"Subject: " + b"x" * 2_000_000 + b"\n\nx",
    "folded 500,000 times": b"Subject: x\n" + b" y\n" * 500_000 + b"\nx",
    "5,000 parameters": b"Content-Type: text/plain" + b"; a=b" * 5_000 + b"\n\nx",
    "2,000 nested parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(2_000)
    ),
    "2,000 nested parts of one name": b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n' * 2_000,
    "100,000 parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "50,000 brackets": b"From: " + b"(" * 50_000 + b"\n\nx",
    "50,000 quotes": b"From: " + b'"\\' * 25_000 + b"\n\nx",
    "50,000 angles": b"References: " + b"<" * 50_000 + b"\n\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 5_000 + b"\n\nx",
    "half encoded words": b"Subject: " + b"=?utf-8?q?a" * 6_000 + b"\n\nx",
    "5 MB of base64 junk": b"Content-Transfer-Encoding: base64\n\n" + b"=a" * 2_500_000,
    "uu beginnings": b"\n" + b"begin 644 x\n" * 100_000,
    "uu lines": b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n" + b"M\n" * 300_000,
    "an html of 20 MB": b"Content-Type: text/html\n\n" + b"<div>" * 4_000_000,
    "half a comment": b"Content-Type: text/html\n\n" + b"<!--" * 1_000_000,
    "many boundaries without a line": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"x--b" * 1_000_000,
    "a report of 100,000 recipients": (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: rfc822;a@b.c\nAction: failed\n\n" * 100_000
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sizes_take_bounded_time(name):
    start = time.process_time()
    mail = parse(HOSTILE[name])
    assert time.process_time() - start < 3
    assert len(mail.to) <= 1_000
    assert len(mail.attachments) <= 1_100
    assert not any(defect.startswith("could not be read") for defect in mail.defects)


def test_two_thousand_damaged_mails_raise_nothing():
    samples = [path.read_bytes() for path in sorted(EMAILS.glob("*.eml"))]
    assert len(samples) > 40
    chance = random.Random(20261124)
    start = time.perf_counter()
    for number in range(2_000):
        raw = _damage(chance.choice(samples), samples, chance)
        mail = parse(raw)
        assert not any(defect.startswith("could not be read") for defect in mail.defects), (number, mail.defects)
        said = everything_said(mail)
        said.encode()
        assert "\\x00" not in said
        for item in mail.attachments:
            assert item.name
            assert not set(item.name) & set('/\\\x00\n\r"')
    assert time.perf_counter() - start < 60


def _damage(raw: bytes, samples: list[bytes], chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 80)]
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 40))
            case 3:
                other = chance.choice(samples)
                begin = chance.randrange(len(other))
                data[at:at] = other[begin : begin + chance.randint(1, 300)]
            case 4:
                data[at:at] = chance.choice(
                    [
                        b"\r\n",
                        b"\n\n",
                        b"=?",
                        b"?=",
                        b'"',
                        b"<",
                        b"(",
                        b"--",
                        b"\x00",
                        b"%",
                        b";",
                        b"*0*=",
                        b"\xed\xa0\x80",
                    ]
                )
            case 5:
                data[at:at] = data[at : at + chance.randint(1, 200)]
            case _:
                data = data.replace(b"\r\n", b"\n")
    return bytes(data)
