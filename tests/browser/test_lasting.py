"""A context of the tests outlives them; nobody finds in it what another left there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.lasting import LastingContext

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LEAVE = """async () => {
  localStorage.setItem("left", "words")
  sessionStorage.setItem("left", "words")
  document.cookie = "left=words"
  await new Promise((done) => indexedDB.open("left", 1).addEventListener("success", done))
  await (await caches.open("left")).put("/left", new Response("words"))
  addEventListener("pagehide", () => localStorage.setItem("left at the end", "words"))
}"""
FIND = """async () => [
  ...[...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter((name) => name.startsWith("left")),
  ...document.cookie.match(/left/g) ?? [],
  ...(await indexedDB.databases()).map(({ name }) => name),
  ...await caches.keys(),
  (await navigator.permissions.query({ name: "geolocation" })).state,
]"""


def test_a_lasting_context_keeps_files_and_nothing_that_somebody_left(browser: Browser, live_server, live_desk):
    lasting = LastingContext(browser)
    addresses = [f"{server.url}/login/" for server in (live_server, live_desk)]

    def visit(page: Page, address: str) -> list[str]:
        page.goto(address)
        found: list[str] = page.evaluate(FIND)
        return found

    with lasting.lent() as context:
        page = context.new_page()
        clean = [visit(page, address) for address in addresses]
        context.grant_permissions(["geolocation"])
        context.route("**/login/", lambda route: route.continue_(headers={"Accept-Language": "fi"}))
        for address in addresses:
            page.goto(address)
            page.evaluate(LEAVE)
            assert page.evaluate(FIND) == ["left"] * 5 + ["granted"]
        context.set_offline(True)
    with lasting.lent() as context:
        assert len(context.pages) == 1
        page = context.new_page()
        assert [visit(page, address) for address in addresses] == clean
        assert page.get_by_role("button", name="Sign in", exact=True).is_visible()
        sizes = page.evaluate("performance.getEntriesByType('resource').map(({ transferSize }) => transferSize)")
        assert sizes
        assert not any(sizes), "files are fetched again"
