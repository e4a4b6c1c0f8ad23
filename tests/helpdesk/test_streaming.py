"""The stream at /events/, over real HTTP: who gets one, what it tells, and when it ends."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from helpdesk import live, streaming
from tests.factories import make_team, make_ticket, make_user
from tests.helpdesk.desk import eventually
from tests.signing_in import signed_in
from tests.web_server import WebServer, running
from tickets.models import Priority, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(transactional_db: None) -> Iterator[WebServer]:
    with running() as server:
        yield server


class Listener:
    """A browser's end of a stream."""

    def __init__(self, server: WebServer, client: Any = None, **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        if client:
            headers["Cookie"] = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        self.connection.request("GET", "/events/", headers=headers)
        self.response = self.connection.getresponse()
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.ended = threading.Event()
        if self.response.status == 200:
            threading.Thread(target=self._read, daemon=True).start()
            assert eventually(lambda: "catch-up" in self.kinds, within=5)
            self.heard.clear()

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _detail in self.heard]

    def hears(self, kind: str, within: float = 3, **detail: Any) -> bool:
        return bool(eventually(lambda: (kind, detail) in self.heard, within=within))

    def ends(self, within: float = 3) -> bool:
        return self.ended.wait(within)

    def _read(self) -> None:
        kind = ""
        try:
            for line in self.response:
                if line.startswith(b"event: "):
                    kind = line[7:].decode().strip()
                elif line.startswith(b"data: "):
                    self.heard.append((kind, json.loads(line[6:])))
        except (OSError, http.client.HTTPException):
            pass
        self.ended.set()


def test_a_change_is_heard_by_whoever_sees_the_ticket_and_by_nobody_else(server):
    team = make_team()
    agent, member = make_user(), make_user(team=team, ticket_access="team", sees_unassigned=False)
    stranger = make_user(ticket_access="own", sees_unassigned=False)
    listeners = [Listener(server, signed_in(user)) for user in (agent, member, stranger)]
    ticket = make_ticket(team=team, owner=agent)
    assert listeners[0].hears("ticket", ticket=ticket.pk)
    assert listeners[1].hears("ticket", ticket=ticket.pk)
    time.sleep(0.3)
    assert listeners[2].heard == []

    # Given away: who saw it by the team hears of it once more.
    Ticket.objects.filter(pk=ticket.pk).update(team=None)
    ticket.refresh_from_db()
    ticket.assign(member, by=agent, now=timezone.now())
    listeners[1].heard.clear()
    ticket.assign(agent, by=agent, now=timezone.now())
    assert listeners[1].hears("ticket", ticket=ticket.pk)
    time.sleep(0.1)
    listeners[1].heard.clear()
    ticket.prioritise(Priority.HIGH, by=agent, now=timezone.now())
    assert listeners[0].hears("ticket", ticket=ticket.pk)
    time.sleep(0.2)
    assert listeners[1].heard == []


def test_nothing_but_kinds_and_numbers_travels(server):
    listener = Listener(server, signed_in(make_user()))
    ticket = make_ticket(name="A secret name")
    assert listener.hears("ticket", ticket=ticket.pk)
    assert {key for _kind, detail in listener.heard for key in detail} == {"ticket"}


def test_the_answer_is_neither_kept_nor_held_back_on_its_way(server):
    listener = Listener(server, signed_in(make_user()))
    assert listener.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert listener.response.headers["Cache-Control"] == "no-store"
    assert listener.response.headers["X-Accel-Buffering"] == "no"


def test_whoever_is_not_signed_in_is_refused_at_once(server):
    assert Listener(server).response.status == 401
    assert Listener(server, Cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345").response.status == 401


def test_another_site_and_other_methods_are_refused(server):
    client = signed_in(make_user())
    assert Listener(server, client, Origin="https://evil.example").response.status == 403
    assert Listener(server, client, **{"Sec-Fetch-Site": "cross-site"}).response.status == 403
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/events/", b"")
    assert connection.getresponse().status == 405


def test_signing_out_ends_the_streams_of_this_session_only(server):
    user = make_user()
    one, other = signed_in(user), signed_in(user)
    here, there = Listener(server, one), Listener(server, other)
    one.post("/logout/")
    assert here.ends(1)
    assert not there.ends(0.3)


def test_switching_somebody_off_ends_their_streams_at_once(server):
    admin, user = make_user("admin"), make_user()
    listener, other = Listener(server, signed_in(user)), Listener(server, signed_in(admin))
    none = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    form = {"name": user.name, "email": user.email, "role": "agent", "ticket_access": "all", **none}
    answer = signed_in(admin).post(f"/admin/people/user/{user.pk}/change/", form)
    assert answer.status_code == 302, answer.content.decode()
    user.refresh_from_db()
    assert not user.is_active
    assert listener.ends(2)
    assert not other.ends(0.2)
    assert "catch-up" not in listener.kinds


def test_somebody_who_was_switched_off_is_told_so_and_others_are_not(server):
    user = make_user()
    browser = signed_in(user)
    user.is_active = False
    user.save()
    answer = Listener(server, browser).response
    assert (answer.status, answer.headers["X-Signed-Out"]) == (401, "switched off")
    assert Listener(server).response.headers["X-Signed-Out"] is None


def test_a_new_password_ends_the_streams_of_sessions_with_the_old_one(server):
    user = make_user()
    listener = Listener(server, signed_in(user))
    user.set_password("another one altogether")
    user.save()
    live.access_changed([user.pk])
    assert listener.ends(2)


def test_a_session_that_is_lost_ends_its_stream_at_the_next_look(server, monkeypatch):
    from django.contrib.sessions.models import Session

    monkeypatch.setattr(streaming, "CHECK_SECONDS", 0.2)
    listener = Listener(server, signed_in(make_user()))
    Session.objects.all().delete()
    assert listener.ends(3)


def test_somebody_whose_access_changed_hears_what_they_may_from_then_on(server):
    user = make_user(ticket_access="own", sees_unassigned=False)
    listener, ticket = Listener(server, signed_in(user)), make_ticket()
    time.sleep(0.2)
    assert listener.heard == []
    user.ticket_access = "all"
    user.save(update_fields=["ticket_access"])
    live.access_changed([user.pk])
    assert listener.hears("catch-up")
    ticket.prioritise(Priority.HIGH, by=make_user(), now=timezone.now())
    assert listener.hears("ticket", ticket=ticket.pk)


def test_a_lost_subscription_is_told_and_made_again(server):
    listener = Listener(server, signed_in(make_user()))
    live.client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert listener.hears("deaf")
    assert listener.hears("catch-up", within=5)
    ticket = make_ticket()
    assert listener.hears("ticket", ticket=ticket.pk)


def test_a_stopping_server_ends_its_streams_and_waits_for_none(server):
    listener = Listener(server, signed_in(make_user()))
    begun = time.monotonic()
    server.stop()
    assert listener.ends(1)
    assert time.monotonic() - begun < 3
    assert ("over", {"why": "stopping"}) in listener.heard


def test_who_reads_too_slowly_is_told_to_catch_up():
    stream = streaming.Stream(who=None)  # type: ignore[arg-type]
    for number in range(streaming.MOST_WAITING + 1):
        stream.put(streaming.written("ticket", ticket=number))
    assert list(stream.waiting) == [streaming.written("catch-up")]


def test_a_browser_that_goes_leaves_nothing_behind(server):
    listener = Listener(server, signed_in(make_user()))
    assert len(streaming.hub.streams) == 1
    # Closing would wait for the thread that reads.
    listener.response.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
    assert eventually(lambda: not streaming.hub.streams, within=3)
