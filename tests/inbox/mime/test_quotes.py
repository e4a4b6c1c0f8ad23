import random
import re
import time
from pathlib import Path

import lxml.html
import pytest

from helpdesk.html import to_text
from inbox.mime.parse import parse
from inbox.mime.quotes import split, split_html

EMAILS = Path(__file__).parent.parent / "emails"
QUOTED_WORDS = "please send us the serial number"


def halves(name: str) -> tuple[str, str]:
    mail = parse((EMAILS / f"{name}.eml").read_bytes())
    return split_html(mail.html) if mail.html else split(mail.text)


def names(pattern: str) -> list[str]:
    return sorted(path.stem for path in EMAILS.glob(pattern))


ANSWERED = [
    *(name for name in names("*reply*") if name != "reply"),
    "thunderbird_answer_below_quote",
]


@pytest.mark.parametrize("name", ANSWERED)
def test_the_answer_is_new_and_the_question_is_folded(name):
    new, quoted = halves(name)
    assert "1234" in new
    assert QUOTED_WORDS not in new
    assert QUOTED_WORDS in quoted
    assert "1234" not in quoted


@pytest.mark.parametrize("name", ANSWERED)
def test_the_line_that_announces_the_quote_is_folded_with_it(name):
    new, quoted = halves(name)
    assert "support@example.com" not in new
    assert not re.search(r"wrote:|From:|Von:|Från:|schrieb|kirjoitti|skrev", new)
    assert "2026" in quoted


@pytest.mark.parametrize("name", ANSWERED)
def test_nothing_visible_is_lost(name):
    mail = parse((EMAILS / f"{name}.eml").read_bytes())
    new, quoted = halves(name)
    if mail.html:
        before, after = to_text(mail.html), to_text(new) + " " + to_text(quoted)
    else:
        before, after = mail.text, new + " " + quoted
    assert sorted(before.split()) == sorted(after.split())


def test_answers_between_the_lines_stay_with_the_lines_they_answer():
    new, quoted = halves("thunderbird_inline_answers")
    assert "It is 1234." in new
    assert "Version 7." in new
    assert "> And which version do you use?" in new
    assert quoted == "> Best regards\n> Support"


def test_answers_between_html_quotes_stay():
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">On Tue, X wrote:<br></div><blockquote class="gmail_quote">one'
        '</blockquote><div>my answer</div><blockquote class="gmail_quote">two</blockquote></div>'
    )
    new, quoted = split_html(html)
    assert "my answer" in new
    assert "one" in new
    assert "two" in quoted
    assert "two" not in new


def test_a_forwarded_mail_is_what_the_sender_wants_to_show():
    new, quoted = halves("gmail_forward")
    assert "The pump is broken." in new
    assert quoted == ""


@pytest.mark.parametrize(
    "text",
    ["", "hello", "> only a quote\n> no words", "I wrote: this\nand that:\n1. x", "From: here to there\nit is far"],
)
def test_a_mail_without_an_answer_to_tell_apart_is_all_new(text):
    assert split(text) == (text, "")


def test_html_that_only_quotes_is_all_new():
    html = '<div class="gmail_quote"><blockquote>old</blockquote></div>'
    assert split_html(html) == (html, "")


@pytest.mark.parametrize(
    "block",
    [
        "From: A <a@b.c>\nSent: Tuesday\nTo: B\nSubject: x",
        "*From:* A <a@b.c>\n*Sent:* Tuesday\n*To:* B\n*Subject:* x",
        "Lähettäjä: A\nLähetetty: tiistai\nVastaanottaja: B\nAihe: x",
        "Von: A\nGesendet: Dienstag\nAn: B\nBetreff: x",
        "De : A\nEnvoyé : mardi\nÀ : B\nObjet : x",
        "De: A\nEnviado el: martes\nPara: B\nAsunto: x",
        "Da: A\nInviato: martedì\nA: B\nOggetto: x",
        "Van: A\nVerzonden: dinsdag\nAan: B\nOnderwerp: x",
        "Fra: A\nSendt: tirsdag\nTil: B\nEmne: x",
        "Från: A\nSkickat: tisdag\nTill: B\nÄmne: x",
        "Od: A\nWysłano: wtorek\nDo: B\nTemat: x",
        "От: A\nОтправлено: вторник\nКому: B\nТема: x",
        "差出人: A\n送信日時: 火曜日\n宛先: B\n件名: x",
        "-----Original Message-----\nFrom: A",
        "-----Ursprüngliche Nachricht-----\nVon: A",
    ],
)
def test_outlooks_header_block_begins_the_quote_in_every_language(block):
    new, quoted = split(f"My answer.\n\n{block}\n\nold words\n")
    assert new == "My answer."
    assert quoted.startswith(block)
    assert quoted.endswith("old words")


def test_both_html_halves_keep_the_style_sheet_and_stand_alone():
    new, quoted = halves("outlook_web_reply_html")
    for half in (new, quoted):
        assert half.startswith("<style")
        assert lxml.html.fragments_fromstring(half)
        assert half.count("<div") == half.count("</div>")


SLOW = {
    "1 MB of marks": ">\n" * 500_000,
    "1 MB of marks in a line": ">" * 1_000_000,
    "quoted with a last word": "> x\n" * 250_000 + "a",
    "8,000 blank lines": "x" + "\n" * 8_000,
    "a line of 300 kB": "word " * 60_000,
    "spaces": " " * 1_000_000,
    "colons": ("a" * 100 + ":\n") * 10_000,
    "attributions": "On 2026 10:00 x wrote:\n" * 40_000,
    "header blocks": "From: x\nSent: \n" * 50_000,
    "back and forth": "> a\nb\n" * 150_000,
    "underscores": "_" * 20 + "\n" + "\n" * 300_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_any_text_is_split_within_a_second(name):
    start = time.perf_counter()
    new, quoted = split(SLOW[name])
    assert time.perf_counter() - start < 1
    assert len(new) + len(quoted) <= len(SLOW[name])


SLOW_HTML = {
    "quotes in a row": '<blockquote type="cite">x</blockquote>' * 5_000,
    "quotes with answers": '<blockquote type="cite">x</blockquote><p>y</p>' * 3_000,
    "quotes in quotes": '<blockquote type="cite">' * 250 + "x",
    "labels": "<p>From: x</p>" * 5_000,
    "border tops": '<div style="border-top:solid #eee">x</div>' * 5_000,
    "10,000 nested": "<div>" * 10_000,
    "1 MB of ampersands": "&" * 1_000_000,
}


@pytest.mark.parametrize("name", SLOW_HTML)
def test_any_html_is_split_within_two_seconds(name):
    start = time.perf_counter()
    split_html(SLOW_HTML[name])
    assert time.perf_counter() - start < 2


def test_no_word_is_lost_from_random_mails():
    chance = random.Random(7)
    pieces = [
        "> q",
        "",
        "words",
        "On Tue, Nov 24, 2026, X <x@y.z> wrote:",
        "From: A",
        "Sent: B",
        "To: C",
        "-- ",
        "____________",
        "x:",
    ]
    tags = [
        '<blockquote type="cite">',
        "</blockquote>",
        "<p>w1</p>",
        "w2",
        "<br>",
        "<div>",
        "</div>",
        "On 2026 X wrote:",
        "<b>From:</b> x",
    ]
    for _ in range(1_500):
        text = "\n".join(chance.choice(pieces) for _ in range(chance.randint(1, 25)))
        assert sorted("\n".join(split(text)).split()) == sorted(text.split())
        html = "".join(chance.choice(tags) for _ in range(chance.randint(1, 20)))
        before = lxml.html.document_fromstring(f"<body>{html}</body>").text_content().split()
        after = lxml.html.document_fromstring(f"<body>{' '.join(split_html(html))}</body>").text_content().split()
        assert sorted("".join(before)) == sorted("".join(after)), html
