"""The lists that open at the caret, snippets and placeholders, as one types."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from library.models import Snippet
from tests.browser.slowness import answer_late
from tests.factories import make_contact, make_message, make_ticket, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def editor(page: Page, live_server, sign_in, aino, support) -> Iterator[Page]:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    ticket = make_ticket(name="Wrong size", contact=make_contact("elina@gmail.com", "Elina Saarinen"))
    make_message(ticket, text="It is too small.", mailbox=support)
    Snippet.objects.create(
        name="Swap in the shop",
        shortcut="swap",
        html="<p>Hi {{ contact.first_name|there }},</p><p>swap it at {{ mailbox.address }} or {{ company.name|home }}.</p>",
    )
    Snippet.objects.create(name="Goodbye", shortcut="bye", html="<p>All the best,</p>", owner=aino)
    Snippet.objects.create(name="Secret of Maija", html="<p>Hers</p>", owner=make_user(name="Maija Laine"))
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator("#composer-reply rich-editor[data-ready]").wait_for()
    page.locator("#composer-reply .editor").click()
    yield page
    assert problems == []


def menu(page: Page):
    return page.locator("#composer-reply .caret-menu")


def active(page: Page) -> str:
    """What a screen reader says is chosen."""
    key = page.locator("#composer-reply .editor").get_attribute("aria-activedescendant")
    assert key
    return page.locator(f"#{key}").inner_text().split("\n")[0].strip()


def written(page: Page) -> str:
    return str(page.locator("#composer-reply form").evaluate("form => new FormData(form).get('html')"))


def test_what_the_toolbar_has_no_room_for_is_in_its_menu_at_each_width(editor):
    toolbar = editor.locator("#composer-reply").get_by_role("toolbar")
    more = toolbar.get_by_role("button", name="More formatting")
    every = toolbar.evaluate(
        "bar => [...bar.querySelectorAll('[data-command]')].map(tool => tool.ariaLabel).filter(Boolean)"
    )
    for width in (1440, 1024, 800):
        editor.set_viewport_size({"width": width, "height": 900})
        more.click()
        named = editor.get_by_role("menu", name="More formatting").locator("[role^=menuitem]").all_inner_texts()
        shown = toolbar.evaluate(
            "bar => [...bar.querySelectorAll('[data-command]')].filter(tool => tool.checkVisibility()).map(tool => tool.ariaLabel).filter(Boolean)"
        )
        assert sorted(named + shown) == sorted(every)
        assert {"Code", "Clear formatting", "Undo typing", "Redo typing"} <= set(named)
        editor.keyboard.press("Escape")

    # Beside the context the editor is narrowest.
    editor.set_viewport_size({"width": 1280, "height": 900})
    for name in ("Bold", "Italic", "Link", "Bulleted list", "Insert"):
        expect(toolbar.get_by_role("button", name=name)).to_be_visible()
    send = editor.locator("#composer-reply [data-send]").bounding_box()
    insert = toolbar.get_by_role("button", name="Insert").bounding_box()
    assert insert["x"] + insert["width"] < send["x"]

    editor.set_viewport_size({"width": 1440, "height": 900})
    editor.locator("#composer-reply .editor").click()
    editor.keyboard.type("order 66")
    editor.keyboard.press("Shift+Control+ArrowLeft")
    toolbar.get_by_role("button", name="Bold").focus()
    editor.keyboard.press("End")
    editor.keyboard.press("ArrowLeft")
    for _ in range(9):
        if more.evaluate("button => button === document.activeElement"):
            break
        editor.keyboard.press("ArrowLeft")
    editor.keyboard.press("Enter")
    expect(editor.locator("[data-command-of]").first).to_be_focused()
    editor.keyboard.press("ArrowUp")
    editor.keyboard.press("c")
    expect(editor.get_by_role("menuitemcheckbox", name="Code")).to_be_focused()
    editor.keyboard.press("Enter")
    expect(editor.get_by_role("menu", name="More formatting")).to_be_hidden()
    expect(editor.locator("#composer-reply .editor")).to_be_focused()
    expect(editor.locator("#composer-reply .editor code")).to_have_text("66")
    more.click()
    expect(editor.get_by_role("menuitemcheckbox", name="Code")).to_be_checked()
    expect(editor.get_by_role("menuitem", name="Redo typing")).to_be_disabled()
    editor.get_by_role("menuitem", name="Undo typing").click()
    expect(editor.locator("#composer-reply .editor code")).to_have_count(0)

    # Where there is room for all, as in the settings, it is not there.
    editor.evaluate("for (const box of document.querySelectorAll('.composer')) box.style.containerName = 'none'")
    expect(more).to_be_hidden()
    expect(toolbar.get_by_role("button", name="Code")).to_be_visible()


def test_a_slash_offers_what_can_be_inserted_and_filters_as_one_types(editor):
    editor.keyboard.type("Hello /")
    expect(menu(editor)).to_be_visible()
    assert active(editor) == "Snippet"
    editor.keyboard.type("num")
    expect(menu(editor).get_by_role("option")).to_have_count(1)
    assert active(editor) == "Numbered list"
    editor.keyboard.press("Enter")
    expect(menu(editor)).to_be_hidden()
    editor.keyboard.type("first")

    assert "<ol><li>" in written(editor)
    assert "Hello" in written(editor)
    assert "/num" not in written(editor)


@pytest.mark.parametrize(
    "words", ["and/or", "http://korpi.fi", "a;b", "fine ;)", "1/2", "see /zzz", "x; y", "either / or"]
)
def test_what_merely_holds_such_a_sign_is_not_in_the_way(editor, words):
    editor.keyboard.type(words)
    editor.wait_for_timeout(300)

    expect(menu(editor)).to_be_hidden()
    editor.keyboard.press("Enter")
    editor.keyboard.type("on")
    assert editor.locator("#composer-reply .editor").inner_text().split() == [*words.split(), "on"]


def test_escape_keeps_the_sign_and_the_composer(editor):
    editor.keyboard.type("/")
    expect(menu(editor)).to_be_visible()
    editor.keyboard.press("Escape")
    expect(menu(editor)).to_be_hidden()
    expect(editor.locator("#composer-reply .editor")).to_be_focused()
    editor.keyboard.type("li")
    expect(menu(editor)).to_be_hidden()
    assert written(editor) == "<p>/li</p>"


def test_arrows_and_the_mouse_choose_and_the_button_opens_the_same_list(editor):
    editor.locator("#composer-reply").get_by_role("button", name="Insert").click()
    expect(menu(editor)).to_be_visible()
    editor.keyboard.press("ArrowUp")
    assert active(editor) == "Divider"
    editor.keyboard.press("Escape")
    editor.keyboard.type("Text ")
    editor.locator("#composer-reply").get_by_role("button", name="Insert").click()
    menu(editor).get_by_role("option", name="Divider").click()
    assert "<hr>" in written(editor)


def test_a_snippet_is_found_shown_and_filled_in_and_undone_in_one_step(editor):
    editor.keyboard.type("Before ;sw")
    expect(menu(editor).get_by_role("option").first).to_contain_text("Swap in the shop")
    expect(menu(editor)).to_contain_text("Hi Elina,")
    expect(menu(editor)).not_to_contain_text("Hers")
    editor.keyboard.press("Tab")
    surface = editor.locator("#composer-reply .editor")
    expect(surface.locator("[data-filled='contact.first_name']")).to_have_text("Elina")
    html = written(editor)
    assert "Hi Elina," in html
    assert ">support@desk.example</a> or home." in html
    assert "data-filled" not in html
    assert ";sw" not in html

    editor.keyboard.press("Control+z")
    expect(surface).to_have_text("Before ;sw")


def test_a_key_that_is_quicker_than_the_list_chooses_what_was_typed(editor):
    answer_late(editor, "/snippets/")
    editor.keyboard.type(";")
    expect(menu(editor).get_by_role("option").first).to_contain_text("Goodbye")
    editor.keyboard.type("swap")
    editor.keyboard.press("Enter")
    expect(editor.locator("#composer-reply .editor")).to_contain_text("Hi Elina,")
    assert "All the best" not in written(editor)

    editor.keyboard.press("Control+a")
    editor.keyboard.type(";")
    expect(menu(editor).get_by_role("option").first).to_contain_text("Goodbye")
    editor.keyboard.type("nothing")
    editor.keyboard.press("Enter")
    expect(menu(editor)).to_be_hidden()
    editor.keyboard.type("below")
    assert written(editor) == "<p>;nothing</p><p>below</p>"


def test_a_placeholder_is_what_it_stands_for_as_soon_as_it_is_typed(editor):
    editor.keyboard.type("Hi {{ contact.first_name }}, it is {{ Ticket.Number }}")
    surface = editor.locator("#composer-reply .editor")
    expect(surface.locator("[data-filled]")).to_have_count(2)
    editor.keyboard.type("!")
    assert re.fullmatch(r"<p>Hi Elina, it is \d+!</p>", written(editor))


def test_a_placeholder_that_stands_for_nothing_is_marked_and_said(editor):
    editor.keyboard.type("Dear {{ company.name }} and {{ nobody.knows }} ")
    said = editor.locator("#composer-reply [data-status]")
    expect(said).to_have_text(
        "No value on this ticket for {{ company.name }}, {{ nobody.knows }}. Write what it should say, then send."
    )
    assert editor.evaluate("[...CSS.highlights.get('unresolved')].map(String)") == [
        "{{ company.name }}",
        "{{ nobody.knows }}",
    ]


def test_the_list_of_placeholders_inserts_the_value(editor):
    editor.keyboard.type("/pl")
    editor.keyboard.press("Enter")
    expect(menu(editor).get_by_role("option", name="Contact's email")).to_contain_text("elina@gmail.com")
    menu(editor).get_by_role("option", name="Contact's email").click()
    assert written(editor) == '<p><a href="mailto:elina@gmail.com">elina@gmail.com</a></p>'


def test_a_snippet_is_made_from_the_text_changed_and_deleted_in_place(editor, aino):
    editor.keyboard.type("Thank you {{ company.name }} ;")
    menu(editor).get_by_role("option", name="New snippet from this text").click()
    dialog = editor.get_by_role("dialog", name="New snippet")
    expect(dialog.locator(".editor")).to_have_text("Thank you {{ company.name }}")
    dialog.get_by_role("button", name="Save snippet").click()
    expect(dialog.get_by_role("alert").first).to_be_visible()
    dialog.get_by_label("Name").fill("Thanks")
    dialog.get_by_label("Shortcut").fill("bye")
    dialog.get_by_role("button", name="Save snippet").click()
    expect(dialog).to_contain_text("“Goodbye” has this shortcut already.")
    dialog.get_by_label("Shortcut").fill("thx")
    dialog.get_by_role("button", name="Save snippet").click()
    expect(dialog).to_be_hidden()
    expect(editor.locator(".toast")).to_contain_text("“Thanks” is saved.")
    kept = Snippet.objects.get(name="Thanks")
    assert (kept.owner, kept.shortcut, "{{ company.name }}" in kept.html) == (aino, "thx", True)
    expect(editor.locator("#composer-reply .editor")).to_be_focused()

    editor.keyboard.press("Control+End")
    editor.keyboard.type(" ;thx")
    expect(menu(editor).get_by_role("option")).to_have_count(3)
    editor.keyboard.press("F2")
    dialog = editor.get_by_role("dialog", name="Edit snippet")
    dialog.get_by_label("Name").fill("Many thanks")
    dialog.get_by_role("button", name="Save snippet").click()
    expect(editor.locator(".toast", has_text="“Many thanks” is saved.")).to_be_visible()

    editor.keyboard.type(" ;thx")  # at once, as somebody does who knows what comes
    expect(editor.locator("#composer-reply .editor")).to_contain_text(" ;thx ;thx")
    expect(menu(editor)).to_be_visible()
    editor.keyboard.press("F2")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name="Delete snippet").click()
    expect(dialog).to_be_hidden()
    assert not Snippet.objects.filter(name="Many thanks").exists()


def test_comments_have_the_same_menus(editor):
    editor.get_by_role("tab", name="Comment").click()
    editor.locator("#composer-comment rich-editor[data-ready]").wait_for()
    editor.locator("#composer-comment .editor").click()
    editor.keyboard.type(";bye")
    expect(editor.locator("#composer-comment .caret-menu").get_by_role("option").first).to_contain_text("Goodbye")
    editor.keyboard.press("Enter")
    expect(editor.locator("#composer-comment .editor")).to_contain_text("All the best,")


def test_the_keys_format_and_the_way_back_is_offered(editor):
    editor.keyboard.type("word")
    editor.keyboard.press("Shift+Home")
    editor.keyboard.press("Control+b")
    editor.keyboard.press("Control+Shift+Digit8")
    assert "<ul><li>" in written(editor)
    editor.keyboard.press("Control+z")
    editor.keyboard.press("Control+Shift+Digit7")
    assert "<ol><li>" in written(editor)
    editor.keyboard.press("Control+Shift+Digit7")
    editor.keyboard.press("Control+Shift+Digit9")
    assert "<blockquote>" in written(editor)
    editor.keyboard.press("Control+Shift+Digit9")
    editor.keyboard.press("Control+a")
    editor.keyboard.press("Control+Backslash")
    assert written(editor) == "<p>word</p>"
    editor.keyboard.press("Control+z")
    assert "<b>word</b>" in written(editor)
    editor.keyboard.press("Control+y")
    assert written(editor) == "<p>word</p>"
