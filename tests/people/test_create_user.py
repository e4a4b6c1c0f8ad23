import io
import sys

import pytest
from django.core.management import CommandError, call_command

from people.models import AuditEntry, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def create_user(monkeypatch, *arguments, password="a fine password 7\n"):
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    out = io.StringIO()
    call_command("create_user", *arguments, "--password-stdin", stdout=out)
    return out.getvalue()


def test_it_makes_somebody_who_can_sign_in(client, monkeypatch):
    said = create_user(monkeypatch, "Aino@Desk.example", "--name", "Aino Virtanen", "--role", "agent")
    assert said == "aino@desk.example can sign in as agent.\n"
    answer = client.post("/login/", {"username": "aino@desk.example", "password": "a fine password 7"})
    assert answer.status_code == 302
    assert AuditEntry.objects.get().what == "User aino@desk.example made by create_user"


def test_teams_and_ticket_access_can_be_given(monkeypatch):
    create_user(
        monkeypatch, "a@desk.example", "--name", "A", "--role", "collaborator",
        "--team", "Returns", "--team", "Shop", "--ticket-access", "team",
    )  # fmt: skip
    user = User.objects.get()
    assert user.ticket_access == "team"
    assert dict(user.memberships.values_list("team__name", "is_main")) == {"Returns": True, "Shop": False}


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("not an address", "a fine password 7\n", "email: Enter a valid email address."),
        ("a@desk.example", "12345\n", "too short"),
        ("a@desk.example", "", "standard input held no password"),
        ("taken@desk.example", "a fine password 7\n", "There is already a user with this email."),
        ("TAKEN@desk.example", "a fine password 7\n", "There is already a user with this email."),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_made(monkeypatch, email, password, sentence):
    make_user(email="taken@desk.example")
    with pytest.raises(CommandError, match=sentence) as refusal:
        create_user(monkeypatch, email, "--name", "A", "--role", "agent", password=password)
    assert refusal.value.returncode == 1
    assert User.objects.count() == 1
