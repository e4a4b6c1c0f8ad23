from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.utils import timezone

from people import throttling
from tests.factories import PASSWORD, make_user
from tests.people.test_signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_hour(monkeypatch):
    """No test begins in one hour of the clock, which has a count of its own, and ends in the next."""
    now = throttling._hour(timezone.now())
    monkeypatch.setattr(throttling, "_hour", lambda _now: now)


def fail(client, user, times, **rest):
    for _ in range(times):
        answer = sign_in(client, user, "wrong", **rest)
    return answer


def test_too_many_wrong_passwords_make_a_pause_that_says_how_long_it_is(client):
    user = make_user()
    fail(client, user, settings.AXES_FAILURE_LIMIT - 1)
    answer = fail(client, user, 1)
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert "in 15 minutes, at " in answer.content.decode()
    assert 0 < int(answer["Retry-After"]) <= 15 * 60
    assert sign_in(client, user).status_code == 429, "the right password does not help during the pause"


def test_the_last_tries_are_counted_down(client):
    user = make_user()
    answer = fail(client, user, settings.AXES_FAILURE_LIMIT - 3)
    assert "3 tries left before a pause." in answer.content.decode()
    assert "1 try left before a pause." in fail(client, user, 2).content.decode()


def test_another_way_to_write_the_email_is_no_fresh_start(client):
    make_user(email="aino@desk.example")
    for number in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(client, "aino@desk.example" if number % 2 else "AINO@desk.example", "wrong")
    assert answer.status_code == 429


def test_another_person_at_the_same_address_can_sign_in(client):
    fail(client, make_user(), settings.AXES_FAILURE_LIMIT)
    assert sign_in(client, make_user()).status_code == 302


def test_the_person_can_sign_in_from_another_address(client):
    user = make_user()
    fail(client, user, settings.AXES_FAILURE_LIMIT, REMOTE_ADDR="203.0.113.5")
    assert sign_in(client, user, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_guessing_from_many_addresses_is_stopped_too(client):
    user = make_user()
    addresses = [f"203.0.113.{number}" for number in range(10)]
    for address in addresses:
        fail(client, user, settings.AXES_FAILURE_LIMIT // 2, REMOTE_ADDR=address)
    assert sign_in(client, user, REMOTE_ADDR="198.51.100.7").status_code == 429


def test_one_password_tried_on_many_people_from_one_address_is_stopped_too(client):
    user = make_user()
    people = [make_user() for _ in range(25)]
    for guessed in ("Summer2026!", "Password1!"):
        for one in people:
            answer = sign_in(client, one, guessed, REMOTE_ADDR="203.0.113.5")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert sign_in(client, user, REMOTE_ADDR="203.0.113.5").status_code == 429
    assert sign_in(client, user, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_an_office_behind_one_address_can_go_on_after_a_few_wrong_passwords_each(client):
    for _ in range(12):
        fail(client, make_user(), 3)
    assert sign_in(client, make_user()).status_code == 302


def test_the_pause_ends(client):
    user = make_user()
    fail(client, user, settings.AXES_FAILURE_LIMIT)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert sign_in(client, user).status_code == 302


def test_tries_during_the_pause_do_not_make_it_longer(client):
    user = make_user()
    fail(client, user, settings.AXES_FAILURE_LIMIT)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    fail(client, user, 3)
    assert int(sign_in(client, user)["Retry-After"]) <= 60


def test_signing_in_starts_the_count_anew(client):
    user = make_user()
    fail(client, user, settings.AXES_FAILURE_LIMIT - 1)
    sign_in(client, user)
    client.post("/logout/")
    assert fail(client, user, 1).status_code == 422


def test_passwords_are_not_kept_with_the_failures(client):
    sign_in(client, make_user(), "my other password")
    attempt = AccessAttempt.objects.get()
    assert "my other password" not in attempt.post_data
    assert PASSWORD not in attempt.post_data
