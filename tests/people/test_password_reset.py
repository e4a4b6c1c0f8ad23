import re

import pytest
from django.conf import settings
from django.core import mail

from people import resetting
from people.models import User
from tests.factories import PASSWORD, make_user
from tests.people.test_signing_in import is_signed_in, sign_in
from tests.people.test_throttling import fail

pytestmark = pytest.mark.django_db

NEW = "quite another horse"


def ask(client, email):
    return client.post("/password-reset/", {"email": email})


def link_in(message) -> str:
    link = re.search(r"https?://\S+", message.body).group()
    assert link.startswith(settings.HELPDESK_PUBLIC_URL + "/")
    return link.removeprefix(settings.HELPDESK_PUBLIC_URL)


def set_password(client, link, password=NEW):
    form = client.get(link, follow=True)
    return client.post(form.request["PATH_INFO"], {"new_password1": password, "new_password2": password})


def test_a_forgotten_password_is_set_anew_by_mail(client):
    user = make_user()
    assert ask(client, user.email.upper())["Location"] == "/password-reset/sent/"
    [message] = mail.outbox
    assert message.to == [user.email]
    link = link_in(message)
    assert link in message.alternatives[0].content
    assert set_password(client, link)["Location"] == "/password-reset/complete/"
    assert sign_in(client, user, NEW).status_code == 302


def test_an_unknown_or_deactivated_address_gets_the_same_answer_and_no_mail(client):
    known, gone = make_user(), make_user(is_active=False)
    answers = [ask(client, email) for email in (known.email, gone.email, "nobody@desk.example")]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/password-reset/sent/")}
    assert [message.to for message in mail.outbox] == [[known.email]]


def test_asking_twice_within_a_minute_sends_one_mail(client):
    user = make_user()
    ask(client, user.email)
    ask(client, user.email)
    assert len(mail.outbox) == 1


def test_a_link_works_once(client):
    user = make_user()
    link = resetting.link_for(user).removeprefix(settings.HELPDESK_PUBLIC_URL)
    set_password(client, link)
    assert "does not work any more" in client.get(link).content.decode()


@pytest.mark.parametrize("change", [{"email": "new@desk.example"}, {"is_active": False}])
def test_a_link_is_dead_after_the_user_changed(client, change):
    user = make_user()
    link = resetting.link_for(user).removeprefix(settings.HELPDESK_PUBLIC_URL)
    User.objects.filter(pk=user.pk).update(**change)
    assert "does not work any more" in client.get(link).content.decode()


def test_a_link_is_dead_after_another_password_was_set(client):
    user = make_user()
    link = resetting.link_for(user).removeprefix(settings.HELPDESK_PUBLIC_URL)
    user.set_password("set in between 42")
    user.save()
    assert "does not work any more" in client.get(link).content.decode()


@pytest.mark.parametrize(
    "link",
    [
        "/password-reset/MQ/x-y/",
        "/password-reset/AAAA/set-password/",
        "/password-reset/OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk/a-b/",
    ],
)
def test_an_invented_link_says_so(client, link):
    assert "does not work any more" in client.get(link).content.decode()


def test_a_weak_password_is_refused_in_words(client):
    user = make_user()
    link = resetting.link_for(user).removeprefix(settings.HELPDESK_PUBLIC_URL)
    answer = set_password(client, link, "12345")
    assert answer.status_code == 422
    assert "too short" in answer.content.decode()


def test_a_reset_ends_the_pause_and_all_sessions(client):
    from django.test import Client

    user = make_user()
    elsewhere = Client()
    sign_in(elsewhere, user)
    fail(client, user, settings.AXES_FAILURE_LIMIT)
    user.refresh_from_db()
    set_password(client, resetting.link_for(user).removeprefix(settings.HELPDESK_PUBLIC_URL))
    assert not is_signed_in(elsewhere)
    assert sign_in(client, user, NEW).status_code == 302


def test_a_user_without_a_password_is_invited_by_the_same_link(client):
    user = make_user(password=None)
    resetting.send_link(user)
    assert mail.outbox[0].subject.startswith("Your account at")
    set_password(client, link_in(mail.outbox[0]))
    assert sign_in(client, user, NEW).status_code == 302


def test_the_link_never_comes_from_the_host_header(client, settings):
    settings.ALLOWED_HOSTS = ["*"]
    user = make_user()
    client.post("/password-reset/", {"email": user.email}, headers={"Host": "evil.example"})
    assert "evil.example" not in mail.outbox[0].body
    assert PASSWORD not in mail.outbox[0].body
