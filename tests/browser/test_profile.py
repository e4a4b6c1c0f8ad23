"""The profile page in a browser: its sections are saved one by one."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_saving_one_section_keeps_what_was_typed_into_the_others(page, live_server, sign_in, aino):
    sign_in(page, aino)
    page.goto(f"{live_server.url}/profile/")
    page.get_by_label("Language", exact=True).select_option("fi")
    page.locator("#signature textarea").fill("Yours, Aino")
    page.locator("#password input[type='password']").first.fill("not to be kept")
    page.locator("#you input[type='text']").first.fill("Aino V.")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", name="Aino V.")).to_be_visible()
    expect(page.get_by_label("Language", exact=True)).to_have_value("fi")
    expect(page.locator("#signature textarea")).to_have_value("Yours, Aino")
    expect(page.locator("#password input[type='password']").first).to_have_value("")
    page.reload()
    expect(page.locator("#signature textarea")).to_have_value("")


def test_on_a_phone_every_section_of_the_page_can_be_seen_and_pressed(page, live_server, sign_in, aino):
    aino.language = "fi"
    aino.save(update_fields=["language"])
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, aino)
    page.goto(f"{live_server.url}/profile/")
    links = page.locator(".page__nav a")
    expect(links).to_have_count(8)
    for link in links.all():
        box = link.bounding_box()
        assert 0 <= box["x"] <= 390 - box["width"], link.inner_text()
