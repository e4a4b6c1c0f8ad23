from pathlib import Path

import pytest

from inbox.mime import bounces
from inbox.mime.automatic import Kind, kind
from inbox.mime.parse import ParsedMail, parse

EMAILS = Path(__file__).parent.parent / "emails"


def read(name: str) -> ParsedMail:
    return parse((EMAILS / f"{name}.eml").read_bytes())


def test_a_standard_report_names_those_who_got_nothing_and_the_mail():
    bounce = bounces.read(read("bounce_postfix"))
    assert bounce is not None
    assert bounce.recipients == ["nobody@client.example", "full@client.example"]
    assert (bounce.status, bounce.permanent) == ("5.1.1", True)
    assert bounce.message_id == "t7.1.aaaa.bbbb@example.com"
    assert "User unknown" in bounce.diagnostic


@pytest.mark.parametrize(
    ("name", "recipient", "message_id"),
    [
        ("bounce_exim_without_report", "gone@client.example", "t7.2.cccc.dddd@example.com"),
        ("bounce_qmail", "lost@client.example", "t7.3.eeee.ffff@example.com"),
    ],
)
def test_bounces_without_a_report_are_read_too(name, recipient, message_id):
    bounce = bounces.read(read(name))
    assert bounce is not None
    assert bounce.recipients == [recipient]
    assert (bounce.status, bounce.permanent, bounce.message_id) == ("5.1.1", True, message_id)


def test_a_delay_or_a_success_is_no_bounce():
    assert bounces.read(read("delay_postfix")) is None
    relayed = (EMAILS / "bounce_postfix.eml").read_bytes().replace(b"Action: failed", b"Action: relayed")
    assert bounces.read(parse(relayed.replace(b"5.", b"2."))) is None


def test_a_report_of_a_passing_failure_is_not_permanent():
    raw = (EMAILS / "bounce_postfix.eml").read_bytes().replace(b"Status: 5.", b"Status: 4.")
    bounce = bounces.read(parse(raw))
    assert bounce is not None
    assert bounce.permanent is False


ORDINARY = [
    path.stem
    for path in sorted(EMAILS.glob("*.eml"))
    if not path.stem.startswith(
        ("bounce", "delay", "out_of", "vacation", "mailing", "read_", "abuse", "dmarc", "help_desk", "null")
    )
]


@pytest.mark.parametrize("name", ORDINARY)
def test_what_a_person_wrote_is_neither_a_bounce_nor_automatic(name):
    assert bounces.read(read(name)) is None
    assert kind(read(name)) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bounce_postfix", Kind.BOUNCE),
        ("bounce_exim_without_report", Kind.BOUNCE),
        ("bounce_qmail", Kind.BOUNCE),
        ("delay_postfix", Kind.DELIVERY_REPORT),
        ("out_of_office_exchange", Kind.AUTO_REPLY),
        ("vacation_sieve", Kind.AUTO_REPLY),
        ("mailing_list", Kind.LIST),
        ("read_receipt", Kind.READ_RECEIPT),
        ("abuse_report_arf", Kind.FEEDBACK_REPORT),
        ("dmarc_report", Kind.DMARC_REPORT),
        ("help_desk_acknowledgement", Kind.HELP_DESK),
        ("null_sender_no_from", Kind.AUTO_GENERATED),
    ],
)
def test_each_automatic_mail_has_its_name(name, expected):
    assert kind(read(name)) is expected


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: AUTO-REPLIED; owner-email=x@y.z",
        "Precedence: bulk",
        "Precedence: junk",
        "Precedence: auto_reply",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "Return-Path: <>",
        "List-Id: <x.y.z>",
        "X-Autoreply: yes",
        "X-Autorespond: x",
        "Subject: Out of Office: x",
        "Subject: Automaattinen vastaus: x",
        "Subject: Autosvar: x",
        "Subject: Abwesenheitsnotiz: x",
        "Subject: Réponse automatique : x",
        "Subject: Poissa toimistosta",
    ],
)
def test_each_of_these_headers_forbids_an_automatic_answer(header):
    assert kind(parse(f"From: a@b.example\n{header}\n\nhello\n".encode())) is not None


@pytest.mark.parametrize("header", ["Auto-Submitted: no", "X-Auto-Response-Suppress: none", "Precedence: first-class"])
def test_a_header_that_says_no_forbids_nothing(header):
    assert kind(parse(f"From: a@b.example\n{header}\nSubject: hello\n\nhello\n".encode())) is None


@pytest.mark.parametrize(
    "words",
    [
        "Subject: Delivery failed: my parcel did not arrive\n\nThe courier could not deliver it.",
        "Subject: Mail delivery problem at our office\n\nI get 550 5.1.1 User unknown when I write to you. What now?",
        "Subject: Undeliverable?\n\nDid you get my mail from yesterday?",
    ],
)
def test_a_customer_who_writes_about_deliveries_is_no_bounce(words):
    assert (
        bounces.read(parse(f"From: Customer <c@client.example>\nReturn-Path: <c@client.example>\n{words}\n".encode()))
        is None
    )
