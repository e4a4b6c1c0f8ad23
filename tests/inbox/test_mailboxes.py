"""The settings page of mailboxes, as an admin and as an agent use it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from inbox.models import Mailbox, Outgoing
from inbox.replying import reply
from people.models import AuditEntry, Role, User
from tests.factories import make_mailbox, make_message, make_pipeline, make_team, make_ticket, make_user
from tests.mail_servers import PASSWORD, Dovecot, SmtpServer, free_port
from tickets.models import Kind

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin() -> User:
    return make_user(Role.ADMIN)


@pytest.fixture
def boss(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def everyday(client: Client) -> Client:
    client.force_login(make_user(Role.AGENT))
    return client


@pytest.fixture
def filled(dovecot: Dovecot, smtp_server: SmtpServer) -> dict[str, Any]:
    """The form for a new mailbox as one fills it in."""
    return {
        "address": "Returns@desk.example",
        "name": "Korpi Returns",
        "receiving": "imap",
        "imap_host": "127.0.0.1",
        "imap_port": dovecot.port,
        "imap_security": "none",
        "imap_user": "returns",
        "imap_password": PASSWORD,
        "imap_folder": "INBOX",
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp_server.port,
        "smtp_security": "none",
        "same_login": "on",
        "import_choice": "now",
        "poll_seconds": 60,
        "enabled": "on",
        "makes_tickets": "on",
    }


def test_an_admin_connects_an_address(boss: Client, admin: User, filled: dict[str, Any], smtp_server: Any) -> None:
    assert boss.get("/settings/mailboxes/new/").status_code == 200
    answer = boss.post("/settings/mailboxes/new/", filled, follow=True)
    assert "returns@desk.example is connected" in answer.content.decode()
    box = Mailbox.objects.get()
    assert box.address == "returns@desk.example"
    assert (box.smtp_user, box.smtp_password, box.imap_password) == ("returns", PASSWORD, PASSWORD)
    assert smtp_server.logins == ["returns"]
    entry = AuditEntry.objects.get()
    assert entry.by == admin
    assert entry.changes["imap_password"] == "changed"
    assert PASSWORD not in str(entry.changes)
    assert box.folders.get().uidvalidity is not None
    with connection.cursor() as cursor:
        cursor.execute("select imap_password from inbox_mailbox")
        assert PASSWORD not in cursor.fetchone()[0]


def test_a_refusal_saves_nothing_and_says_which_server_said_what(boss: Client, filled: dict[str, Any]) -> None:
    answer = boss.post("/settings/mailboxes/new/", filled | {"imap_password": "not-the-one"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "refused this user name or password" in text
    assert "AUTHENTICATIONFAILED" in text
    assert "not-the-one" not in text
    assert not Mailbox.objects.exists()
    boss.post("/settings/mailboxes/new/", filled | {"imap_password": "not-the-one", "untested": "1"})
    assert Mailbox.objects.exists()


def test_testing_saves_nothing_and_swaps_only_the_list_of_steps(boss: Client, filled: dict[str, Any]) -> None:
    answer = boss.post("/settings/mailboxes/new/", filled | {"do": "test"}, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert text.lstrip().startswith('<section class="stack" id="connection-test"')
    assert text.count('<li class="ok">') == 8
    plain = boss.post("/settings/mailboxes/new/", filled | {"do": "test"}).content.decode()
    assert "<html" in plain
    assert PASSWORD not in plain.replace('name="imap_password"', "")
    assert not Mailbox.objects.exists()


def test_a_test_without_a_new_page_marks_the_fields_that_are_wrong(boss: Client, filled: dict[str, Any]) -> None:
    page = "/settings/mailboxes/new/"
    wrong = boss.post(page, filled | {"do": "test", "imap_user": "", "same_login": ""}, headers=HTMX).content.decode()
    assert (
        '<div class="field__errors" id="id_imap_user-errors" hx-swap-oob="outerMorph"><p class="field__error"' in wrong
    )
    right = boss.post(page, filled | {"do": "test"}, headers=HTMX).content.decode()
    assert '<div class="field__errors" id="id_imap_user-errors" hx-swap-oob="outerMorph"></div>' in right
    assert "hx-swap-oob" not in boss.post(page, filled | {"do": "test"}).content.decode()


def test_what_is_wrong_is_said_once_and_in_the_readers_language(boss: Client, filled: dict[str, Any]) -> None:
    User.objects.update(language="fi")
    page = "/settings/mailboxes/new/"
    assert len(boss.post(page, filled | {"address": ""}).context["form"].errors["address"]) == 1
    [error] = boss.post(page, filled | {"imap_host": "http://x/"}).context["form"].errors["imap_host"]
    assert error == "Vain palvelimen nimi, kuten mail.example.com."


def test_a_choice_of_nothing_says_what_it_means(boss: Client) -> None:
    make_pipeline("Support")
    text = boss.get("/settings/mailboxes/new/").content.decode()
    assert "---------" not in text
    for words in ("The default (Support)", "No team", "Nobody"):
        assert words in text


def test_forwarding_only_needs_no_imap_server(boss: Client, filled: dict[str, Any]) -> None:
    boss.post(
        "/settings/mailboxes/new/",
        filled | {"receiving": "forward", "imap_host": "", "imap_user": "", "imap_password": "", "same_login": ""},
    )
    box = Mailbox.objects.get()
    assert not box.fetches
    assert box.imap_password == ""


def test_the_choice_of_what_to_import(boss: Client, filled: dict[str, Any]) -> None:
    answer = boss.post("/settings/mailboxes/new/", filled | {"import_choice": "date"})
    assert "Choose the day" in answer.content.decode()
    boss.post("/settings/mailboxes/new/", filled | {"import_choice": "date", "import_date": "2026-01-31"})
    assert Mailbox.objects.get().import_since == datetime(2026, 1, 31, tzinfo=UTC)
    boss.post("/settings/mailboxes/new/", filled | {"address": "b@desk.example", "import_choice": "all"})
    assert Mailbox.objects.get(address="b@desk.example").import_all


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"imap_host": "mail.example", "imap_security": "none"}, "imap_security"),
        ({"imap_host": "http://mail.example/"}, "imap_host"),
        ({"imap_host": ""}, "imap_host"),
        ({"imap_user": ""}, "imap_user"),
        ({"imap_password": ""}, "imap_password"),
        ({"imap_port": "0"}, "imap_port"),
        ({"imap_port": "99999"}, "imap_port"),
        ({"smtp_host": ""}, "smtp_host"),
        ({"address": "no address"}, "address"),
        ({"address": "known@desk.example"}, "address"),
        ({"ca_certificate": "nonsense"}, "ca_certificate"),
        ({"poll_seconds": "1"}, "poll_seconds"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(boss: Client, filled: dict[str, Any], typed: Any, field: str) -> None:
    make_mailbox("known@desk.example")
    answer = boss.post("/settings/mailboxes/new/", filled | typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Mailbox.objects.count() == 1


def test_an_empty_password_keeps_the_stored_one_and_none_is_ever_shown(boss: Client, filled: dict[str, Any]) -> None:
    boss.post("/settings/mailboxes/new/", filled)
    box = Mailbox.objects.get()
    AuditEntry.objects.all().delete()
    shown = boss.get(f"/settings/mailboxes/{box.pk}/").content.decode()
    assert f'value="{PASSWORD}"' not in shown
    kept = filled | {"imap_password": "", "smtp_password": "", "smtp_user": "returns", "name": "Returns"}
    assert boss.post(f"/settings/mailboxes/{box.pk}/", kept).status_code == 302
    box.refresh_from_db()
    assert (box.imap_password, box.smtp_password, box.name) == (PASSWORD, PASSWORD, "Returns")
    assert AuditEntry.objects.get().changes == {"name": ["Korpi Returns", "Returns"]}
    boss.post(f"/settings/mailboxes/{box.pk}/", kept | {"imap_password": "new one", "untested": "1"})
    box.refresh_from_db()
    assert (box.imap_password, box.smtp_password) == ("new one", PASSWORD)
    assert AuditEntry.objects.first().changes == {"imap_password": "changed"}


def test_a_saved_mailbox_is_tested_with_what_is_typed_and_saves_nothing(boss: Client, filled: dict[str, Any]) -> None:
    boss.post("/settings/mailboxes/new/", filled)
    box = Mailbox.objects.get()
    typed = filled | {"imap_password": "", "imap_folder": "Nowhere", "smtp_user": "returns"}
    answer = boss.post(f"/settings/mailboxes/{box.pk}/test/", typed, headers=HTMX).content.decode()
    assert "no folder “Nowhere”" in answer
    box.refresh_from_db()
    assert box.imap_folder == "INBOX"
    assert "Everything works" in boss.post(f"/settings/mailboxes/{box.pk}/test/").content.decode()


def test_servers_that_do_not_work_are_not_saved_unless_that_is_asked_for(boss: Client, filled: dict[str, Any]) -> None:
    boss.post("/settings/mailboxes/new/", filled)
    box = Mailbox.objects.get()
    page, port = f"/settings/mailboxes/{box.pk}/", box.smtp_port
    typed = filled | {"imap_password": "", "smtp_user": "returns", "smtp_port": free_port()}
    answer = boss.post(page, typed)
    assert answer.status_code == 422
    assert "Save although the test failed" in answer.content.decode()
    box.refresh_from_db()
    assert box.smtp_port == port
    assert boss.post(page, typed | {"untested": "1"}).status_code == 302
    box.refresh_from_db()
    assert box.smtp_port == typed["smtp_port"]
    # What has nothing to do with the servers is saved while they are away.
    assert boss.post(page, typed | {"name": "Returns"}).status_code == 302


def test_a_password_that_does_not_work_is_asked_for_again(boss: Client, filled: dict[str, Any]) -> None:
    boss.post("/settings/mailboxes/new/", filled)
    box = Mailbox.objects.get()
    answer = boss.post(f"/settings/mailboxes/{box.pk}/", filled | {"imap_password": "wrong", "smtp_user": "returns"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["imap_password"]
    box.refresh_from_db()
    assert box.imap_password == PASSWORD


ELSEWHERE = [
    {"imap_host": "mail.elsewhere.example", "imap_security": "ssl"},
    {"smtp_host": "mail.elsewhere.example", "smtp_security": "ssl"},
    {"imap_user": "somebody"},
    {"smtp_user": "somebody"},
]


@pytest.mark.parametrize("typed", ELSEWHERE)
@pytest.mark.parametrize("do", ["", "test/"])
def test_a_stored_password_goes_to_no_other_server(
    boss: Client, filled: dict[str, Any], typed: dict[str, Any], do: str
) -> None:
    boss.post("/settings/mailboxes/new/", filled)
    box = Mailbox.objects.get()
    kept = filled | {"imap_password": "", "smtp_password": "", "smtp_user": "returns"}
    answer = boss.post(f"/settings/mailboxes/{box.pk}/{do}", kept | typed)
    assert answer.status_code == 422
    field = f"{next(iter(typed))[:4]}_password"
    assert list(answer.context["form"].errors) == [field]
    assert "Enter the password again" in answer.content.decode()
    box.refresh_from_db()
    assert (box.imap_host, box.smtp_host, box.imap_user) == ("127.0.0.1", "127.0.0.1", "returns")


def test_a_stored_password_does_not_leave_the_encryption(boss: Client, filled: dict[str, Any]) -> None:
    boss.post("/settings/mailboxes/new/", filled)
    box = Mailbox.objects.get()
    Mailbox.objects.update(imap_security="ssl", smtp_security="starttls")
    kept = filled | {"imap_password": "", "smtp_password": "", "smtp_user": "returns"}
    answer = boss.post(f"/settings/mailboxes/{box.pk}/test/", kept)
    assert list(answer.context["form"].errors) == ["imap_password", "smtp_password"]
    again = kept | {"imap_password": PASSWORD, "smtp_password": PASSWORD}
    assert boss.post(f"/settings/mailboxes/{box.pk}/test/", again).status_code == 200


def test_new_servers_are_tried_at_once(boss: Client, filled: dict[str, Any]) -> None:
    boss.post("/settings/mailboxes/new/", filled)
    box = Mailbox.objects.get()
    later = timezone.now() + timedelta(hours=1)
    Mailbox.objects.update(fetch_error="wrong password", send_error="refused", failed_polls=4, next_poll_at=later)
    ticket = make_ticket()
    make_message(ticket, mailbox=box)
    reply(ticket, by=make_user(), text="Hello")
    Outgoing.objects.update(due_at=later)
    boss.post(
        f"/settings/mailboxes/{box.pk}/", filled | {"smtp_user": "returns", "imap_password": "right", "untested": "1"}
    )
    box.refresh_from_db()
    assert (box.fetch_error, box.send_error, box.failed_polls) == ("", "", 0)
    assert box.next_poll_at < timezone.now()
    assert Outgoing.objects.get().due_at < timezone.now()


def test_an_agent_changes_everyday_things_but_neither_servers_nor_passwords(everyday: Client) -> None:
    box = make_mailbox("support@desk.example", imap_host="127.0.0.1", imap_user="secret-user", imap_password="x")
    shown = everyday.get(f"/settings/mailboxes/{box.pk}/").content.decode()
    assert "secret-user" not in shown
    typed = {"name": "Helpers", "signature": "Bye", "poll_seconds": 90, "team": make_team().pk}
    assert everyday.post(f"/settings/mailboxes/{box.pk}/", typed).status_code == 302
    box.refresh_from_db()
    assert (box.name, box.signature, box.enabled, box.makes_tickets) == ("Helpers", "Bye", False, False)
    assert AuditEntry.objects.get().changes["enabled"] == [True, False]
    assert everyday.post(f"/settings/mailboxes/{box.pk}/", typed | {"imap_host": "evil.example"}).status_code == 403
    assert everyday.post(f"/settings/mailboxes/{box.pk}/test/").status_code == 403
    assert everyday.get("/settings/mailboxes/new/").status_code == 403


@pytest.mark.parametrize(
    "path", ["/settings/mailboxes/", "/settings/mailboxes/{pk}/", "/settings/mailboxes/{pk}/fetch/"]
)
def test_who_may_not_change_settings_is_refused(client: Client, path: str) -> None:
    url = path.format(pk=make_mailbox().pk)
    assert client.get(url).status_code == 302
    client.force_login(make_user(Role.COLLABORATOR))
    assert client.post(url).status_code == 403
    client.force_login(make_user(Role.AGENT, settings_right=False))
    assert client.post(url).status_code == 403


def test_the_list_tells_health_in_words(everyday: Client, boss: Client) -> None:
    now = timezone.now()
    fetched = {"imap_host": "imap.example", "imap_user": "u"}
    make_mailbox("live@desk.example", last_poll_at=now, **fetched)
    make_mailbox("stopped@desk.example", last_poll_at=now, fetch_error="The password is wrong.", **fetched)
    make_mailbox("pipe@desk.example", smtp_host="")
    make_mailbox("off@desk.example", enabled=False)
    broken = make_mailbox("broken@desk.example", send_error="The server refused the password.")
    assert "0 queued" in everyday.get(f"/settings/mailboxes/{broken.pk}/").content.decode()
    text = everyday.get("/settings/mailboxes/").content.decode()
    for words in ("Live", "Stopped", "By pipe or forwarding", "No server", "Switched off", "The password is wrong."):
        assert words in text
    assert "Reconnect" not in text
    assert "Reconnect" in boss.get("/settings/mailboxes/").content.decode()


def test_the_list_costs_the_same_for_one_mailbox_and_for_ten(
    everyday: Client, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    make_mailbox(team=make_team())
    one = count_queries(lambda: everyday.get("/settings/mailboxes/"))
    for _ in range(9):
        make_mailbox(team=make_team(), owner=make_user())
    assert count_queries(lambda: everyday.get("/settings/mailboxes/")) == one


def test_fetch_now_brings_mail_in(everyday: Client, dovecot: Dovecot, on_commit: Any) -> None:
    box = make_mailbox(
        imap_host=dovecot.host, imap_port=dovecot.port, imap_security="none", imap_user="fetchnow",
        imap_password=PASSWORD, import_all=True,
    )  # fmt: skip
    dovecot.deliver("fetchnow", b"From: a@b.example\r\nSubject: Hello\r\nMessage-ID: <fetchnow@b>\r\n\r\nHi\r\n")
    with on_commit():
        everyday.post(f"/settings/mailboxes/{box.pk}/fetch/")
    assert box.incoming.count() == 1


def test_fetch_now_of_one_that_is_not_fetched_says_so(everyday: Client) -> None:
    box = make_mailbox("pipe@desk.example")
    answer = everyday.post(f"/settings/mailboxes/{box.pk}/fetch/", follow=True)
    assert "is not fetched from a server" in answer.content.decode()


def test_a_new_mailbox_is_fetched_as_often_as_the_desk_says(settings: Any, boss: Client) -> None:
    settings.HELPDESK_POLL_SECONDS = 300
    assert make_mailbox("support@desk.example").poll_seconds == 300
    assert 'value="300"' in boss.get("/settings/mailboxes/new/").content.decode()


def test_a_status_belongs_to_the_pipeline_and_an_owner_can_own() -> None:
    support, returns = make_pipeline("Support"), make_pipeline("Returns")
    box = make_mailbox(pipeline=support, status=returns.first_status(Kind.NEW))
    with pytest.raises(ValidationError, match="not of that pipeline"):
        box.full_clean()
    box = make_mailbox(owner=make_user(Role.COLLABORATOR))
    with pytest.raises(ValidationError, match="cannot own"):
        box.full_clean()
    box = make_mailbox(smtp_host="127.0.0.1", smtp_security="none", smtp_port=free_port())
    box.full_clean()


def test_every_page_says_when_a_mailbox_does_not_work_to_those_who_can_mend_it(client: Client) -> None:
    words = "Something does not work"
    client.force_login(make_user(Role.AGENT))
    box = make_mailbox()
    assert words not in client.get("/").content.decode()
    Mailbox.objects.update(send_error="The server refused the password.")
    assert words in client.get("/").content.decode()
    client.force_login(make_user(Role.AGENT, settings_right=False))
    assert words not in client.get("/").content.decode()
    client.force_login(make_user(Role.AGENT))
    Mailbox.objects.filter(pk=box.pk).update(enabled=False)
    assert words not in client.get("/").content.decode()


@pytest.fixture
def fetched(dovecot: Dovecot) -> Mailbox:
    return make_mailbox(
        "support@desk.example", imap_host=dovecot.host, imap_port=dovecot.port, imap_security="none",
        imap_user="whatcame", imap_password=PASSWORD, import_all=True,
    )  # fmt: skip


def test_who_fetched_hears_once_what_came(everyday: Client, fetched: Mailbox, dovecot: Dovecot, on_commit: Any) -> None:
    for number in range(2):
        raw = f"From: a@b.example\r\nSubject: Hello\r\nMessage-ID: <whatcame{number}@b>\r\n\r\nHi {number}\r\n"
        dovecot.deliver("whatcame", raw.encode())
    everyday.post(f"/settings/mailboxes/{fetched.pk}/fetch/")
    rows = everyday.get("/settings/mailboxes/", headers=HTMX)
    assert rows.content.decode().lstrip().startswith('<section class="stack" id="mailboxes"')
    assert "new mail" not in rows.headers.get("HX-Trigger", "")
    with on_commit():
        everyday.post(f"/settings/mailboxes/{fetched.pk}/fetch/")
    assert "support@desk.example: 2 new mails" in everyday.get("/settings/mailboxes/", headers=HTMX)["HX-Trigger"]
    assert "HX-Trigger" not in everyday.get("/settings/mailboxes/", headers=HTMX)


def test_who_fetched_hears_that_it_failed_on_the_page_they_came_from(
    everyday: Client, fetched: Mailbox, on_commit: Any
) -> None:
    Mailbox.objects.update(imap_port=free_port())
    page = f"/settings/mailboxes/{fetched.pk}/"
    with on_commit():
        answer = everyday.post(f"{page}fetch/", {"from": "mailbox"})
    assert answer["Location"] == page
    assert "support@desk.example could not be fetched." in everyday.get(page).content.decode()


def test_a_mailbox_without_a_team_says_so(everyday: Client) -> None:
    make_mailbox()
    text = everyday.get("/settings/mailboxes/").content.decode()
    assert "No team" in text
    assert "Unassigned" not in text
