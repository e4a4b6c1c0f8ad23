"""What other programs put on the clipboard, pasted into the editor of a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from helpdesk.html import clean_editor
from tests.factories import make_message, make_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CLIPBOARDS = Path(__file__).parent / "clipboards"
BORDER = "border: 1px solid #b3b3b3; padding: 4px 8px"
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPjPAAADAQEAGNiz0wAAAABJRU5ErkJggg=="


@pytest.fixture
def editor(page: Page, live_server, sign_in, aino, support) -> Iterator[Page]:
    """A reply that was begun; nothing is asked of any other server while the test runs."""
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator("#composer-reply rich-editor[data-ready]").wait_for()
    page.locator("#composer-reply .editor").click()
    yield page
    ours = ("blob:", "data:", live_server.url)
    assert [url for url in elsewhere if not url.startswith(ours)] == []


def paste(page: Page, html: str, text: str = "words", *, shift: bool = False) -> None:
    if shift:
        page.keyboard.down("Control")
        page.keyboard.down("Shift")
    page.locator("#composer-reply .editor").evaluate(
        """(editor, [html, text]) => {
            const data = new DataTransfer()
            if (html) data.setData("text/html", html)
            data.setData("text/plain", text)
            editor.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data }))
        }""",
        [html, text],
    )
    if shift:
        page.keyboard.up("Shift")
        page.keyboard.up("Control")


def written(page: Page) -> str:
    """What would be sent, whoever asks the form."""
    return str(page.locator("#composer-reply form").evaluate("form => new FormData(form).get('html')"))


def flat(html: str) -> str:
    """Whether an item's words stand in a paragraph is the editor's own affair."""
    html = html.replace("&nbsp;", " ").replace(';"', '"')
    return re.sub(r"\s*\n\s*", "", re.sub(r"<(li|td|th)([^>]*)><(p|div)>(.*?)</\3>", r"<\1\2>\4", html)).strip()


@pytest.mark.parametrize("name", ["word", "google_docs", "gmail", "excel", "google_sheets"])
def test_what_another_program_copied_becomes_clean_and_stays_so_on_the_server(editor, name):
    paste(editor, (CLIPBOARDS / f"{name}.html").read_text())
    html = written(editor)
    expected = (CLIPBOARDS / f"{name}.expected.html").read_text().replace("{border}", BORDER)

    assert flat(html) == flat(expected)
    assert "mso" not in html
    assert "font" not in html
    assert "class=" not in html
    cleaned = str(clean_editor(html))
    assert re.findall(r"<(\w+)", cleaned) == re.findall(r"<(\w+)", html)  # nothing is left for the server to take away


def test_html_that_attacks_runs_nothing_and_leaves_its_words(editor):
    paste(editor, (CLIPBOARDS / "attack.html").read_text())
    editor.wait_for_timeout(400)
    html = written(editor)

    assert editor.evaluate("window.attacked") is None
    assert "Safe words" in html
    assert '<a href="https://korpi.fi/ok">four</a>' in html
    assert "evil.example" not in html
    assert re.findall(r"<(?!/?(?:p|a|br)\b)[^>]*>", html) == []
    assert re.findall(r"\son\w+=|javascript:|style=|id=|class=|data-", html) == []
    assert editor.locator("#ticket").count() == 1
    assert editor.locator("#composer").count() == 1
    expect(editor).to_have_url(re.compile(r"/tickets/\d+/"))


def test_our_own_copy_keeps_what_it_is(editor):
    paste(editor, "<!-- squire --><p>Hello <b>there</b></p><ul><li>one</li></ul>")
    assert flat(written(editor)) == "<p>Hello <b>there</b></p><ul><li>one</li></ul>"


def test_pasting_with_shift_brings_the_words_alone(editor):
    paste(editor, "<p><b>Bold</b> words</p>", "Bold words\nand more\n\nA paragraph", shift=True)
    assert written(editor) == "<p>Bold words<br>and more</p><p>A paragraph</p>"


def test_a_picture_in_what_is_pasted_goes_up_and_one_elsewhere_is_left_out(editor):
    paste(editor, f'<p>See <img src="{PICTURE}"> and <img src="https://elsewhere.example/a.png" alt="a"> this</p>')
    editor.locator("#composer-reply .editor img[src^='/uploads/']").wait_for()
    html = written(editor)

    assert html.count("<img") == 1
    assert "elsewhere" not in html
    assert editor.locator("#composer-reply .attachment:visible").count() == 0


def test_what_is_pasted_is_undone_in_one_step(editor):
    editor.keyboard.type("Before ")
    paste(editor, "<p>one</p><p>two</p><p>three</p>")
    assert "three" in written(editor)
    editor.keyboard.press("Control+z")
    assert flat(written(editor)) == "<p>Before </p>"


def test_right_to_left_words_say_so_in_the_mail(editor):
    editor.keyboard.type("שלום לך")
    editor.keyboard.press("Enter")
    editor.keyboard.type("Hello 👩‍👩‍👧")
    assert written(editor) == '<p dir="rtl">שלום לך</p><p>Hello 👩‍👩‍👧</p>'


def test_a_table_pasted_before_words_leaves_them_below_it(editor):
    editor.keyboard.type("Later words")
    editor.keyboard.press("Home")
    paste(editor, "<p>Prices</p><table><tr><td>1</td><td>2</td></tr></table>")
    below = flat(written(editor)).rpartition("</table>")[2]
    assert "Later words" in below
    assert "2Later" not in written(editor)
