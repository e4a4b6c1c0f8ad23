"""What everybody sets for themselves."""

from __future__ import annotations

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client

from inbox.models import TrustedSender
from people.models import Role, User
from tests.factories import PASSWORD, make_mailbox, make_user
from tests.inbox.views.conftest import HTMX
from tests.people.test_signing_in import sign_in
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(Role.COLLABORATOR, name="Maija Laine")


@pytest.fixture
def page(user: User) -> Client:
    return signed_in(user)


def save(page: Client, section: str, **fields: Any) -> Any:
    return page.post("/profile/", {"section": section, **fields}, headers=HTMX)


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        ("you", {"name": "Maija Mäkinen"}),
        ("language", {"language": "fi", "time_zone": "Europe/Helsinki"}),
        ("signature", {"signature": "Maija\nSupport"}),
        ("sending", {"undo_seconds": 45}),
        ("looks", {"theme": "dark", "density": "compact"}),
    ],
)
def test_each_section_saves_its_own_fields_and_no_others(
    page: Client, user: User, section: str, fields: dict[str, Any]
) -> None:
    before = User.objects.filter(pk=user.pk).values().get()
    answer = save(page, section, **fields, role="admin", email="other@desk.example")
    assert answer.status_code in (200, 302)
    after = User.objects.filter(pk=user.pk).values().get()
    assert {name: after[name] for name in fields} == fields
    assert {name for name in after if after[name] != before[name]} == set(fields)


def test_notifications_are_switched_off_by_not_being_ticked(page: Client, user: User) -> None:
    save(page, "notifications", mail_on_answer="on")
    user.refresh_from_db()
    assert (user.mail_on_mention, user.mail_on_answer) == (False, True)


@pytest.mark.parametrize(
    ("section", "fields", "words"),
    [
        ("sending", {"undo_seconds": "61"}, "Choose a number from 0 to 60."),
        ("sending", {"undo_seconds": "soon"}, "Choose a number from 0 to 60."),
        ("language", {"language": "fi", "time_zone": "Mars/Base"}, "error"),
        ("you", {"name": "  "}, "error"),
        ("looks", {"theme": "pink", "density": ""}, "error"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_saved(
    page: Client, user: User, section: str, fields: dict[str, Any], words: str
) -> None:
    before = User.objects.filter(pk=user.pk).values().get()
    answer = save(page, section, **fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert User.objects.filter(pk=user.pk).values().get() == before
    plain = page.post("/profile/", {"section": section, **fields})
    assert plain.status_code == 422
    assert "<html" in plain.content.decode()


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_wrong_old_passwords_count_as_wrong_ones_at_sign_in_do(
    page: Client, user: User, headers: dict[str, str]
) -> None:
    new = {"section": "password", "new_password1": "another good horse", "new_password2": "another good horse"}
    for left in reversed(range(settings.AXES_FAILURE_LIMIT)):
        answer = page.post("/profile/", {**new, "old_password": "wrong"}, headers=headers)
        assert answer.status_code == 422
        said = answer.content.decode()
        assert ("1 try left before a pause." in said) == (left == 1)
    assert "too many wrong passwords" in said
    assert 'id="password"' in said
    # The right one does not help during the pause, here or at sign-in.
    assert page.post("/profile/", {**new, "old_password": PASSWORD}, headers=headers).status_code == 422
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert sign_in(Client(), user).status_code == 429


def test_a_new_password_on_the_profile_ends_the_count(page: Client, user: User) -> None:
    new = {"new_password1": "another good horse", "new_password2": "another good horse"}
    save(page, "password", old_password="wrong", **new)
    assert AccessAttempt.objects.exists()
    save(page, "password", old_password=PASSWORD, **new)
    assert not AccessAttempt.objects.exists()


def test_a_new_password_asks_for_the_old_one_and_ends_other_sessions(page: Client, user: User) -> None:
    elsewhere = signed_in(user)
    new = {"new_password1": "another good horse", "new_password2": "another good horse"}
    refused = save(page, "password", old_password="wrong", **new)
    assert refused.status_code == 422
    assert "This is not your password now" in refused.content.decode()
    assert elsewhere.get("/profile/").status_code == 200

    assert save(page, "password", old_password=PASSWORD, **new).status_code == 200
    user.refresh_from_db()
    assert user.check_password("another good horse")
    assert page.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").status_code == 302


def test_the_signature_is_shown_above_the_mailbox_s_own(page: Client) -> None:
    make_mailbox(signature="Korpi Support\nkorpi.example")
    answer = save(page, "signature", signature="Maija Laine\nWarehouse").content.decode()
    preview = answer.split("ends like this")[1]
    assert preview.index("Warehouse") < preview.index("korpi.example")


def test_density_and_theme_are_on_the_page(page: Client) -> None:
    save(page, "looks", theme="dark", density="comfortable")
    html = page.get("/profile/").content.decode()
    assert 'data-theme="dark"' in html
    assert 'data-density="comfortable"' in html


def test_a_trusted_sender_is_removed_by_whoever_trusted_them(page: Client, user: User) -> None:
    mine = TrustedSender.objects.create(user=user, address="elina@customer.example")
    theirs = TrustedSender.objects.create(user=make_user(), address="olu@customer.example")
    html = page.get("/profile/").content.decode()
    assert "elina@customer.example" in html
    assert "olu@customer.example" not in html
    assert page.post(f"/senders/{theirs.pk}/removal/").status_code == 404
    assert page.post(f"/senders/{mine.pk}/removal/", headers=HTMX).status_code == 200
    assert list(TrustedSender.objects.all()) == [theirs]


def test_an_unknown_section_is_refused(page: Client) -> None:
    assert save(page, "rights", role="admin").status_code == 400
