"""Who may open a page, whatever the page is."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from people.access import admin_required, may_reply_or_403, reply_required, settings_required, signed_in
from people.models import Role
from tests.factories import make_user

pytestmark = pytest.mark.django_db

DOORS = {"settings": settings_required, "admin": admin_required, "reply": reply_required}


@pytest.fixture
def open_door(rf):
    def go(door, user):
        request = rf.get("/page/?of=interest")
        request.user = user
        return DOORS[door](lambda request: HttpResponse("in"))(request)

    return go


@pytest.mark.parametrize("door", DOORS)
def test_a_stranger_signs_in_and_comes_back(open_door, door):
    answer = open_door(door, AnonymousUser())
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/page/%3Fof%3Dinterest")


@pytest.mark.parametrize(
    ("role", "opens"),
    [(Role.ADMIN, {"settings", "admin", "reply"}), (Role.AGENT, {"settings", "reply"}), (Role.COLLABORATOR, set())],
)
def test_each_role_opens_its_own_doors(open_door, role, opens):
    user = make_user(role)
    for door in opens:
        assert open_door(door, user).content == b"in"
    for door in DOORS.keys() - opens:
        with pytest.raises(PermissionDenied):
            open_door(door, user)


def test_a_stranger_is_nobody(rf):
    request = rf.get("/")
    request.user = AnonymousUser()
    with pytest.raises(PermissionDenied):
        signed_in(request)
    request.user = make_user()
    assert signed_in(request) == request.user


def test_a_collaborator_may_not_reply():
    may_reply_or_403(make_user())
    with pytest.raises(PermissionDenied):
        may_reply_or_403(make_user(Role.COLLABORATOR))
