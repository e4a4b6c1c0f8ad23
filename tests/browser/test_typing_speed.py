"""A keystroke on a long page: what the browser does for it, until it has drawn it, is not felt."""

from __future__ import annotations

import pytest

from tests.factories import make_message, make_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_keystroke_on_a_page_of_200_messages_is_no_long_task(page, live_server, sign_in, aino, support):
    ticket = make_ticket(name="Long")
    for number in range(200):
        html = f"<table><tr><td><p>Mail {number}</p></td></tr></table>" if number % 5 == 0 else ""
        make_message(ticket, text=f"Message {number} says a thing or two.\n" * 5, html=html, mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator("#composer-reply rich-editor[data-ready]").wait_for()
    page.locator("#composer-reply .editor").click()
    page.keyboard.type("Warming up the editor with a sentence. ")
    page.evaluate(
        """() => {
            window.keys = []
            let begun = 0
            // From the key to the end of its own work, ahead of everybody and behind everybody.
            addEventListener("keydown", () => { begun = performance.now() }, true)
            addEventListener("input", () => queueMicrotask(() => {
                document.querySelector("#composer-reply .editor").offsetHeight // and the layout that it needs
                window.keys.push(performance.now() - begun)
            }))
            window.tasks = []
            new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((one) => one.duration))).observe({ type: "longtask" })
        }"""
    )
    words = "Thank you for your patience; we looked into it and/or asked the shop. " * 4
    page.keyboard.type(words, delay=25)
    page.wait_for_timeout(1500)
    keys = sorted(page.evaluate("window.keys"))
    assert len(keys) >= len(words) * 0.9
    assert keys[int(len(keys) * 0.95)] < 16, (keys[-10:], page.evaluate("window.tasks"))
