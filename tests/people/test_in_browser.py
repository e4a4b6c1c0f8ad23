"""Signing in and the admin in a real browser, under our Content-Security-Policy."""

import pytest

from people.models import Membership, Role
from tests.factories import make_contact, make_team, make_user
from tests.signing_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def refused(page):
    """What the browser refused to run or load."""
    heard: list[str] = []
    page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def test_an_admin_signs_in_and_makes_a_member_of_a_team(page, live_server, refused):
    boss, team, aino = make_user(Role.ADMIN), make_team("Returns"), make_user(name="Aino Virtanen")
    sign_in(page, f"{live_server.url}/admin/people/team/{team.pk}/change/", boss)
    page.get_by_text("Add another Membership").click()
    page.locator("#memberships-0 .select2-selection").click()
    page.locator(".select2-search__field").fill("aino")
    page.locator(".select2-results__option", has_text="Aino Virtanen").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    assert Membership.objects.get().user == aino
    assert not refused


def test_the_lists_of_the_admin_filter_search_and_act(page, live_server, refused):
    boss, contact = make_user(Role.ADMIN), make_contact()
    sign_in(page, f"{live_server.url}/admin/people/contact/", boss)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("delete_selected")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="Yes, I’m sure").click()
    page.get_by_text("Successfully deleted").wait_for()
    assert not type(contact).objects.exists()
    assert not refused


def test_a_wrong_password_is_said_beside_the_form(page, live_server, refused):
    user = make_user()
    page.goto(live_server.url + "/login/")
    page.get_by_label("Email", exact=True).fill(user.email)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert "do not match" in page.get_by_role("alert").first.inner_text()
    assert page.get_by_label("Email", exact=True).input_value() == user.email
    assert [line for line in refused if "422" not in line] == []
