"""Files on their way into a message: how far they are, what can go wrong, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from inbox.models import Upload
from tests.factories import make_message, make_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def editor(page: Page, live_server, sign_in, aino, support) -> Iterator[Page]:
    page.set_default_timeout(15_000)
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator("#composer-reply rich-editor[data-ready]").wait_for()
    return page


def drop(page: Page, *files: tuple[str, str, int]) -> None:
    """Files (name, type, bytes) let go over the composer, as far as a script can do what a hand does."""
    page.locator("#composer-reply .composer__foot").evaluate(
        """(place, files) => {
            const data = new DataTransfer()
            for (const [name, type, size] of files) data.items.add(new File([new Uint8Array(size)], name, { type }))
            const init = { bubbles: true, cancelable: true, dataTransfer: data }
            place.dispatchEvent(new DragEvent("dragover", init))
            window.sawDropZone = document.querySelector("#composer-reply .editor__drop").checkVisibility()
            place.dispatchEvent(new DragEvent("drop", init))
        }""",
        [list(file) for file in files],
    )


def chip(page: Page, name: str):
    return page.locator("#composer-reply [data-chips] .attachment", has_text=name)


def carried(page: Page) -> list[str]:
    fields = page.locator("#composer-reply form").evaluate("form => new FormData(form).getAll('upload')")
    return [str(key) for key in fields]


def test_files_that_are_dropped_go_up_three_at_a_time_and_can_be_taken_away(editor):
    held: list[Route] = []
    editor.route("**/uploads/", lambda route: held.append(route))
    drop(editor, *((f"photo{number}.pdf", "application/pdf", 1000) for number in range(5)))
    assert editor.evaluate("window.sawDropZone") is True
    expect(editor.locator("#composer-reply .editor__drop")).to_be_hidden()
    expect(editor.locator("#composer-reply [role=progressbar]:visible")).to_have_count(5)
    editor.wait_for_timeout(300)
    assert len(held) == 3

    editor.get_by_role("button", name="Remove photo0.pdf").click()
    expect(chip(editor, "photo0.pdf")).to_have_count(0)
    editor.get_by_role("button", name="Remove photo4.pdf").click()
    for _ in range(2):
        editor.wait_for_timeout(300)
        while held:
            held.pop().continue_()
    expect(editor.locator("#composer-reply [role=progressbar]")).to_have_count(0)
    kept = {str(upload.pk): upload.name for upload in Upload.objects.all()}
    assert sorted(kept[key] for key in carried(editor)) == ["photo1.pdf", "photo2.pdf", "photo3.pdf"]


def test_a_file_of_40_megabytes_is_refused_before_anything_is_sent(editor, live_server):
    asked: list[str] = []
    editor.on("request", lambda request: asked.append(request.url) if "/uploads/" in request.url else None)
    drop(editor, ("film.mp4", "video/mp4", 40 * 1024 * 1024), ("note.txt", "text/plain", 10))
    alert = chip(editor, "film.mp4").get_by_role("alert")
    expect(alert).to_have_text(
        "“film.mp4” is larger than 25 MB, the most that can be attached. Send a link to it instead."
    )
    expect(chip(editor, "film.mp4").get_by_role("button", name="Try again")).to_be_hidden()
    expect(editor.locator("#composer-reply input[name=upload][type=hidden]")).to_have_count(1)
    assert len(asked) == 1

    editor.locator("#composer-reply .editor").click()
    editor.keyboard.type("See the film")
    editor.keyboard.press("Control+Enter")
    expect(editor.locator("#composer-reply [data-status]")).to_have_text(
        "A file did not arrive. Try again or remove it, then send."
    )
    expect(editor.locator("#composer-reply .editor")).to_have_text("See the film")


def test_a_connection_that_breaks_turns_the_file_red_and_it_can_be_tried_again(editor):
    editor.route("**/uploads/", lambda route: route.abort("connectionreset"))
    drop(editor, ("guide.pdf", "application/pdf", 2000))
    expect(chip(editor, "guide.pdf").get_by_role("alert")).to_have_text("The connection broke.")
    assert chip(editor, "guide.pdf").get_attribute("data-failed") is not None

    editor.unroute("**/uploads/")
    editor.get_by_role("button", name="Try again: guide.pdf").click()
    expect(editor.locator("#composer-reply input[name=upload][type=hidden]")).to_have_count(1)
    assert chip(editor, "guide.pdf").get_attribute("data-failed") is None
    assert carried(editor) == [str(Upload.objects.get().pk)]


def test_a_picture_whose_connection_broke_stays_in_the_text_until_it_has_arrived(editor):
    editor.route("**/uploads/", lambda route: route.abort("connectionreset"))
    editor.locator("#composer-reply .editor").click()
    editor.keyboard.type("See ")
    drop(editor, ("label.png", "image/png", 500))
    expect(chip(editor, "label.png").get_by_role("alert")).to_be_visible()
    expect(editor.locator("#composer-reply .editor img[data-uploading]")).to_have_count(1)

    editor.unroute("**/uploads/")
    editor.get_by_role("button", name="Try again: label.png").click()
    expect(editor.locator("#composer-reply .editor img[src^='/uploads/']")).to_have_count(1)
    expect(chip(editor, "label.png")).to_have_count(0)


def test_files_that_are_too_much_for_one_mail_are_told_before_sending(editor):
    editor.locator("#composer-reply rich-editor").evaluate("editor => { editor.dataset.mailMost = 3_000_000 }")
    drop(editor, ("one.pdf", "application/pdf", 1_500_000))
    expect(editor.locator("#composer-reply input[name=upload][type=hidden]")).to_have_count(1)
    expect(editor.locator("#composer-reply [data-status]")).to_have_text("")
    drop(editor, ("two.pdf", "application/pdf", 1_500_000))
    status = editor.locator("#composer-reply [data-status]")
    expect(status).to_contain_text("With its files the mail is 3.9 MB, and at most 2.9 MB can be sent.")
    expect(editor.locator("#composer-reply input[name=upload][type=hidden]")).to_have_count(2)

    editor.get_by_role("button", name="Remove two.pdf").click()
    expect(status).to_have_text("")
