"""A keystroke on a long page: what the browser does for it, until it has drawn it, is not felt."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import make_message, make_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONGEST = 16
"""Milliseconds of the page's main thread. Of its own time, which a busy machine does not stretch as it does the clock."""


@pytest.mark.measured
def test_no_task_of_a_keystroke_is_long_on_a_page_that_shows_200_messages(
    page: Any, live_server: Any, sign_in: Any, aino: Any, support: Any
) -> None:
    ticket = make_ticket(name="Long")
    for number in range(200):
        html = f"<table><tr><td><p>Mail {number}</p></td></tr></table>" if number % 5 == 0 else ""
        make_message(ticket, text=f"Message {number} says a thing or two.\n" * 5, html=html, mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/?all=1")
    assert page.locator("#messages .msg").count() == 200
    page.locator("#composer-reply rich-editor[data-ready]").wait_for()
    page.locator("#composer-reply .editor").click()
    page.wait_for_timeout(1500)

    words = "Thank you for your patience; we looked into it and/or asked the shop. " * 3
    with Tasks(page) as tasks:
        # The first letter too, and the draft that is saved when one stops.
        page.keyboard.type(words, delay=25)
        page.wait_for_timeout(1500)
        page.keyboard.type("And on.", delay=25)
    assert tasks.keys >= len(words)
    assert tasks.longest[0] < LONGEST, tasks.longest[:10]


class Tasks:
    """What the main thread does meanwhile, in milliseconds of its own time, the longest first."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.events: list[dict[str, Any]] = []
        self.longest: list[float] = []
        self.keys = 0

    def __enter__(self) -> Tasks:
        self.session = self.page.context.new_cdp_session(self.page)
        self.session.on("Tracing.dataCollected", lambda told: self.events.extend(told["value"]))
        self.session.send("Tracing.start", {"categories": "toplevel,devtools.timeline", "transferMode": "ReportEvents"})
        return self

    def __exit__(self, *_error: object) -> None:
        ended: list[object] = []
        self.session.on("Tracing.tracingComplete", lambda told: ended.append(told))
        self.session.send("Tracing.end")
        while not ended:
            self.page.wait_for_timeout(100)
        keys = [one for one in self.events if one["name"] == "EventDispatch" and _type_of(one) == "keydown"]
        self.keys = len(keys)
        threads = {(one["pid"], one["tid"]) for one in keys}
        tasks = [one for one in self.events if one["name"].endswith("RunTask") and (one["pid"], one["tid"]) in threads]
        self.longest = sorted((one.get("tdur", 0) / 1000 for one in tasks), reverse=True)


def _type_of(event: dict[str, Any]) -> str:
    return str(event["args"].get("data", {}).get("type", ""))
