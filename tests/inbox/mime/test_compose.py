import dataclasses
import email
import email.policy
import re
from datetime import UTC, datetime

import pytest

from inbox.mime.compose import (
    InvalidAddress,
    InvalidHeader,
    NonAsciiLocalPart,
    OutgoingAttachment,
    OutgoingMail,
    compose,
    new_message_id,
    read_reply_address,
    read_token,
    reply_address,
    reply_subject,
    thin_references,
)
from inbox.mime.parse import parse

KEY = b"k" * 32


def make_mail(**fields) -> OutgoingMail:
    plain = OutgoingMail(
        message_id="t7.9.abcd.efgh@example.com",
        date=datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
        from_name="Example Tuki",
        from_address="support@example.com",
        to=[("Åsa Öberg", "asa@client.example")],
        subject="Re: Lasku",
        text="Hei Åsa\n",
    )
    return dataclasses.replace(plain, **fields)


def test_what_is_composed_reads_the_same():
    mail = make_mail(
        cc=[("", "boss@client.example")],
        reply_to=[("", "support+t7@example.com")],
        html="<p>Hei <b>Åsa</b></p>",
        in_reply_to="q@client.example",
        references=["first@client.example"],
        headers={"Auto-Submitted": "auto-replied"},
    )
    back = parse(compose(mail))
    assert (back.from_name, back.from_address) == ("Example Tuki", "support@example.com")
    assert (back.to, back.cc, back.reply_to) == (mail.to, mail.cc, mail.reply_to)
    assert (back.subject, back.message_id, back.date) == (mail.subject, mail.message_id, mail.date)
    assert (back.in_reply_to, back.references) == ("q@client.example", ["first@client.example", "q@client.example"])
    assert back.text == "Hei Åsa"
    assert back.html.strip() == mail.html
    assert back.auto_submitted == "auto-replied"
    assert back.defects == []


def test_the_standard_library_reads_it_without_a_defect():
    raw = compose(
        make_mail(
            html='<p>x <img src="cid:a@b"></p>',
            attachments=[
                OutgoingAttachment("kuva.png", "image/png", "a@b", True, b"png"),
                OutgoingAttachment("selvitys äö 2026.pdf", "application/pdf", "", False, b"pdf" * 1000),
                OutgoingAttachment("old.eml", "message/rfc822", "", False, b"Subject: x\n\nhello\n"),
            ],
        )
    )
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = list(message.walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
        "message/rfc822",
        "text/plain",
    ]
    assert not any(part.defects for part in parts)
    assert parts[6].get_filename() == "selvitys äö 2026.pdf"
    assert parts[6].get_content() == b"pdf" * 1000


def test_the_same_mail_gives_the_same_bytes():
    mail = make_mail(html="<p>x</p>", attachments=[OutgoingAttachment("a.txt", "text/plain", "", False, b"x")])
    assert compose(mail) == compose(mail)


def test_lines_are_short_ascii_and_end_in_crlf():
    raw = compose(
        make_mail(
            text="å" * 5_000 + "\n" + "x" * 5_000 + "\n.\nFrom here\n",
            html="<p>" + "ö" * 5_000 + "</p>",
            subject="ä" * 900,
        )
    )
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    back = parse(raw)
    assert back.text == "å" * 5_000 + "\n" + "x" * 5_000 + "\n.\nFrom here"
    assert back.subject == "ä" * 900


INJECTION = "x\r\nBcc: evil@e.example\r\n\r\nbody\x00\u2028y"


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": INJECTION},
        {"from_name": INJECTION},
        {"from_name": "x\r\nBcc: evil@e.example"},
        {"subject": "x\nBcc: evil@e.example"},
        {"to": [(INJECTION, "a@b.example")]},
        {"headers": {"X-Note": INJECTION}},
        {"references": [INJECTION]},
        {"in_reply_to": INJECTION},
        {"attachments": [OutgoingAttachment(INJECTION, INJECTION, INJECTION, True, b"x")]},
    ],
)
def test_no_value_can_add_a_header(fields):
    raw = compose(make_mail(**fields))
    head = raw.split(b"\r\n\r\n", 1)[0]
    for line in raw.split(b"\r\n"):
        assert not line.lower().startswith(b"bcc")
    assert set(re.findall(rb"(?m)^([\w-]+):", head)) <= {
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type",
        b"Content-Transfer-Encoding", b"X-Note",
    }  # fmt: skip


def test_bcc_never_appears():
    raw = compose(make_mail(to=[], headers={"Bcc": "secret@x.example", "Resent-Bcc": "secret@x.example"}))
    assert b"secret" not in raw
    assert b"To: undisclosed-recipients:;" in raw


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c.d",
        "a@b c.d",
        "a@b..c",
        "a@-b.c",
        "a@b.c\r\nBcc: x@y.z",
        "a,b@c.d",
        "<a@b.c>",
        "a@" + "b" * 300,
    ],
)
def test_an_address_that_is_none_is_refused_by_name(address):
    with pytest.raises(InvalidAddress):
        compose(make_mail(to=[("", address)]))


def test_letters_before_the_at_sign_have_an_error_of_their_own():
    with pytest.raises(NonAsciiLocalPart):
        compose(make_mail(to=[("", "jürgen@client.example")]))


def test_a_domain_with_letters_becomes_punycode():
    assert b"<asa@xn--bcher-kva.example>" in compose(make_mail(to=[("Asa", "asa@bücher.example")]))


@pytest.mark.parametrize("name", ["Subject", "content-type", "X Y", "X:Y", "", "Från"])
def test_an_extra_header_must_be_one(name):
    with pytest.raises(InvalidHeader):
        compose(make_mail(headers={name: "x"}))


def test_html_brings_its_text_and_its_styles_along():
    back = parse(
        compose(make_mail(text="", html='<style>p{color:red}</style><p>See <a href="https://x.example/">this</a></p>'))
    )
    assert back.text == "See this (https://x.example/)"
    assert '<p style="color: red' in back.html
    assert "<style" not in back.html


def test_references_keep_the_first_and_the_latest_and_fit():
    ids = [f"message-{number}@client.example" for number in range(500)]
    kept = thin_references(ids)
    assert kept[0] == ids[0]
    assert kept[-20:] == ids[-20:]
    assert len("References: " + " ".join(f"<{item}>" for item in kept)) <= 998
    assert thin_references(["a@b", "bad id", "c@d", "a@b"]) == ["c@d", "a@b"]
    assert thin_references([]) == []


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Lasku", "Re: Lasku"),
        ("Re: Lasku", "Re: Lasku"),
        ("RE: VS: SV: Aw: Antw: R e", "Re: R e"),
        ("Re[2]: re(3): x", "Re: x"),
        ("Fwd: Re: x", "Re: Fwd: Re: x"),
        ("回复：订单", "Re: 订单"),
        ("", "Re:"),
        ("Reklamation: x", "Re: Reklamation: x"),
        ("a\r\nBcc: b", "Re: a Bcc: b"),
    ],
)
def test_the_subject_of_an_answer_has_one_prefix(subject, answer):
    assert reply_subject(subject) == answer


def test_a_message_id_names_its_ticket_only_with_the_right_key():
    message_id = new_message_id(7, 31, "example.com", KEY)
    assert re.fullmatch(r"t7\.31\.[0-9a-f]{10}\.[a-z2-7]{10}@example\.com", message_id)
    assert read_token(message_id, [b"new", KEY]) == (7, 31)
    assert read_token(f"<{message_id.upper()}>", [KEY]) == (7, 31)
    assert read_token(message_id, [b"other"]) is None
    assert read_token(message_id.replace("t7.", "t8."), [KEY]) is None
    assert read_token(message_id.replace(".31.", ".32."), [KEY]) is None
    assert read_token(message_id, []) is None
    for junk in ("", "@", "t7@x", "t7.1.x.y@z", "é" * 50, "t٧.1.abcd.abcdefghij@x", "t1.1.aaaa.aaaaaaaaaa" * 900):
        assert read_token(junk, [KEY]) is None


def test_a_plus_address_names_its_ticket_only_with_the_right_key():
    address = reply_address("support@example.com", 7, KEY)
    assert read_reply_address(address, [b"new", KEY]) == 7
    assert read_reply_address(address.upper(), [KEY]) == 7
    assert read_reply_address(address, [b"other"]) is None
    assert read_reply_address(address.replace("+t7.", "+t8."), [KEY]) is None
    assert read_reply_address("support+sales@example.com", [KEY]) is None
    assert read_reply_address("", [KEY]) is None
