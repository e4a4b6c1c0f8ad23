"""Comments in the workspace: written, changed, deleted, and whom one can name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inbox.commenting import comment, delete
from inbox.models import Draft, Message
from people.models import Role, User
from tests.factories import make_team, make_ticket, make_user
from tests.inbox.test_commenting import named
from tests.inbox.views.conftest import HTMX
from tickets.models import Notification, Share, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(agent: User) -> Ticket:
    return make_ticket(owner=agent)


@pytest.fixture
def outsider() -> User:
    return make_user(name="Olli Outsider", ticket_access="own", sees_unassigned=False)


def test_naming_somebody_who_sees_nothing_is_asked_about_and_the_text_stays(
    desk: Client, ticket: Ticket, outsider: User
) -> None:
    answer = desk.post(f"/tickets/{ticket.pk}/comments/", {"html": named(outsider)}, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Olli Outsider cannot see this ticket" in page
    assert "Give access to this ticket" in page
    assert "Add without telling them" in page
    assert f"user-{outsider.pk}" in page
    assert not Message.objects.filter(ticket=ticket).exists()


@pytest.mark.parametrize(("choice", "shares", "told"), [("give", 1, 1), ("withhold", 0, 0)])
def test_and_then_it_is_added_as_one_chose(
    desk: Client, ticket: Ticket, outsider: User, choice: str, shares: int, told: int
) -> None:
    answer = desk.post(f"/tickets/{ticket.pk}/comments/", {"html": named(outsider), "access": choice}, headers=HTMX)
    assert answer.status_code == 200
    assert Share.objects.count() == shares
    assert Notification.objects.filter(user=outsider).count() == told


def test_a_comment_uses_up_its_draft(desk: Client, agent: User, ticket: Ticket) -> None:
    draft = Draft.objects.create(
        user=agent, ticket=ticket, mode="comment", html="<p>Half</p>", updated_at=timezone.now()
    )
    desk.post(
        f"/tickets/{ticket.pk}/comments/",
        {"html": "<p>Whole</p>", "draft_version": draft.version, "form_key": str(draft.form_key)},
        headers=HTMX,
    )
    assert Message.objects.get(ticket=ticket).text == "Whole"
    assert not Draft.objects.exists()


def test_the_author_changes_a_comment_in_its_place(desk: Client, agent: User, ticket: Ticket) -> None:
    written = comment(ticket, by=agent, html="<p>Old words</p>")
    address = f"/messages/{written.pk}/comment/"
    editor = desk.get(address, headers=HTMX).content.decode()
    assert "Old words" in editor
    assert "hx-morph-skip" in editor.split("<form")[0]
    answer = desk.post(address, {"html": "<p>New words</p>"}, headers=HTMX)
    assert "New words" in answer.content.decode()
    assert "edited" in answer.content.decode()
    assert "Old words" in desk.get(f"{address}versions/", headers=HTMX).content.decode()
    assert "Old words" not in desk.get(f"/tickets/{ticket.pk}/").content.decode()


def test_a_comment_changed_in_two_windows_is_not_overwritten_unseen(desk: Client, agent: User, ticket: Ticket) -> None:
    written = comment(ticket, by=agent, html="<p>Old words</p>")
    address = f"/messages/{written.pk}/comment/"
    assert 'name="version" value="0"' in desk.get(address, headers=HTMX).content.decode()
    assert desk.post(address, {"html": "<p>From the desk</p>", "version": "0"}, headers=HTMX).status_code == 200

    late = desk.post(address, {"html": "<p>From the phone</p>", "version": "0"}, headers=HTMX)
    assert late.status_code == 409
    shown = late.content.decode()
    assert "You changed this comment in another window" in shown
    assert "<q>From the desk</q>" in shown
    assert "From the phone" in shown
    assert 'name="version" value="0"' in shown
    assert 'name="over" value="1"' in shown
    written.refresh_from_db()
    assert written.text == "From the desk"

    again = desk.post(address, {"html": "<p>From the desk</p>", "version": "0"}, headers=HTMX)
    assert again.status_code == 200, "the same text again is no conflict"
    answer = desk.post(address, {"html": "<p>From the phone</p>", "version": "0", "over": "1"}, headers=HTMX)
    assert answer.status_code == 200
    written.refresh_from_db()
    assert written.text == "From the phone"
    assert [version.text for version in written.versions.order_by("pk")] == ["Old words", "From the desk"]


def test_names_stand_in_the_editor_as_names(desk: Client, agent: User, ticket: Ticket) -> None:
    maija = make_user(name="Maija Laine")
    written = comment(ticket, by=agent, html=named(maija))
    editor = desk.get(f"/messages/{written.pk}/comment/", headers=HTMX).content.decode()
    assert f"data-mention=&quot;user-{maija.pk}&quot;" in editor


def test_an_empty_change_is_refused_with_the_text_kept(desk: Client, agent: User, ticket: Ticket) -> None:
    written = comment(ticket, by=agent, html="<p>Old words</p>")
    answer = desk.post(f"/messages/{written.pk}/comment/", {"html": ""}, headers=HTMX)
    assert answer.status_code == 422
    written.refresh_from_db()
    assert written.text == "Old words"


def test_deleting_leaves_a_line_and_a_way_back(desk: Client, agent: User, ticket: Ticket) -> None:
    written = comment(ticket, by=agent, html="<p>Secret words</p>")
    gone = desk.post(f"/messages/{written.pk}/comment/deletion/", headers=HTMX).content.decode()
    assert "was deleted" in gone
    assert "Undo" in gone
    page = desk.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Secret words" not in page
    assert "was deleted" in page
    back = desk.post(f"/messages/{written.pk}/comment/restoration/", headers=HTMX).content.decode()
    assert "Secret words" in back


def test_each_is_offered_what_they_may_do_with_a_comment(
    desk: Client, agent: User, ticket: Ticket, browser_of: Callable[[User], Client]
) -> None:
    written, address = comment(ticket, by=agent, text="For the file."), f"/tickets/{ticket.pk}/"
    admin, colleague = browser_of(make_user(Role.ADMIN)), browser_of(make_user())

    def offered(browser: Client) -> tuple[bool, bool, bool]:
        page = browser.get(address).content.decode()
        return tuple(words in page for words in ("Change this comment", "Delete this comment", "Restore"))  # type: ignore[return-value]

    assert offered(desk) == (True, True, False)
    assert offered(admin) == (False, True, False)
    assert offered(colleague) == (False, False, False)
    delete(written, by=agent)
    assert [offered(each) for each in (desk, admin, colleague)] == [
        (False, False, True), (False, False, True), (False, False, False)
    ]  # fmt: skip


def test_without_scripts_everything_works_on_pages(desk: Client, agent: User, ticket: Ticket) -> None:
    written = comment(ticket, by=agent, html="<p>Old words</p>")
    address = f"/messages/{written.pk}/comment/"
    assert "Old words" in desk.get(address).content.decode()
    assert desk.post(address, {"text": "New words"}).status_code == 302
    assert "Old words" in desk.get(f"{address}versions/").content.decode()
    assert desk.post(f"{address}deletion/").status_code == 302
    assert desk.post(f"{address}restoration/").status_code == 302


@pytest.mark.parametrize("path", ["", "versions/", "deletion/", "restoration/"])
def test_a_colleague_may_not_change_a_comment_and_an_outsider_does_not_know_it(
    agent: User, ticket: Ticket, outsider: User, browser_of: Callable[[User], Client], path: str
) -> None:
    written = comment(ticket, by=agent, html="<p>Old words</p>")
    address = f"/messages/{written.pk}/comment/{path}"
    ask: Callable[[Client], Any] = lambda client: (client.get if path == "versions/" else client.post)(address)  # noqa: E731
    assert ask(browser_of(outsider)).status_code == 404
    assert ask(browser_of(make_user())).status_code == (200 if path == "versions/" else 403)


def test_a_picture_of_a_comment_survives_a_change(desk: Client, agent: User, ticket: Ticket) -> None:
    from django.core.files.base import ContentFile

    from inbox.models import Upload

    upload = Upload(user=agent, name="shelf.png", content_type="image/png", size=3)
    upload.file.save(str(upload.pk), ContentFile(b"png"), save=False)
    upload.save()
    written = comment(ticket, by=agent, html=f'<p>Look</p><img src="/uploads/{upload.pk}/">', uploads=[upload])
    editor = desk.get(f"/messages/{written.pk}/comment/", headers=HTMX).content.decode()
    file = written.attachments.get()
    assert f"/attachments/{file.pk}/" in editor
    desk.post(
        f"/messages/{written.pk}/comment/",
        {"html": f'<p>Look here</p><img src="/attachments/{file.pk}/">'},
        headers=HTMX,
    )
    written.refresh_from_db()
    assert "cid:" in written.html
    assert f"/attachments/{file.pk}/" in desk.get(f"/tickets/{ticket.pk}/").content.decode()


def test_whom_one_can_name_is_found_by_the_first_letters_and_says_who_sees_the_ticket(
    desk: Client, agent: User, ticket: Ticket, outsider: User
) -> None:
    maija = make_user(Role.COLLABORATOR, name="Maija Laine")
    team = make_team("Markkinointi")
    make_user(name="Matti Gone", is_active=False)

    def find(words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = desk.get(f"/mentions/?q={words}&ticket={ticket.pk}").json()["people"]
        return found

    assert [one["key"] for one in find("ma")] == [f"user-{maija.pk}", f"team-{team.pk}"]
    assert [one["key"] for one in find("lai")] == [f"user-{maija.pk}"]
    assert [one["sees"] for one in find("olli")] == [False]
    assert find("zzz") == []
    assert desk.get("/mentions/?q=ma&ticket=99999").status_code == 404


def test_finding_names_costs_the_same_for_one_and_for_many(
    desk: Client, ticket: Ticket, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    make_user(name="Maija Laine", team=make_team("Maja"))
    one = count_queries(lambda: desk.get(f"/mentions/?q=ma&ticket={ticket.pk}"))
    for number in range(6):
        make_user(name=f"Maija {number}", team=make_team(f"Maja {number}"))
    assert count_queries(lambda: desk.get(f"/mentions/?q=ma&ticket={ticket.pk}")) == one
