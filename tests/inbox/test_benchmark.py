"""The figures must be of the real thing, and taking them must leave no trace."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import models

from inbox.benchmarks.figures import Report, percentile
from inbox.models import Incoming, Mailbox, Message, Outgoing, RoomMail
from people.models import Company, Contact, User
from tests.factories import make_mailbox, make_ticket, make_user
from tickets.models import Ticket

TRACES: list[type[models.Model]] = [Ticket, Incoming, Mailbox, RoomMail, Contact, Company, User]


def count() -> list[int]:
    return [model._default_manager.count() for model in TRACES]


def benchmark(*arguments: str) -> dict[str, Any]:
    said = StringIO()
    call_command("benchmark", *arguments, "--json", stdout=said)
    report = json.loads(said.getvalue())
    return {one["name"]: one["value"] for one in report["figures"]} | {"setting": report["setting"]}


@pytest.mark.thorough
def test_the_workspace_is_measured_over_http(live_server: Any, transactional_db: None) -> None:
    make_user()
    make_ticket()
    before = count()
    figures = benchmark("workspace", "--url", live_server.url, "--times", "3")
    assert figures["setting"]["tickets"] == 1
    assert figures["workspace page, p95"] >= figures["workspace page, p50"] > 0
    assert figures["list fragment, 1 rows"] == figures["list fragment, 50 rows"] > 0
    assert figures["first load with a ticket and the editor"] > figures["first load"] > 50
    assert count() == before


@pytest.mark.thorough
def test_a_long_conversation_is_measured_over_http_and_leaves_nothing(live_server: Any, transactional_db: None) -> None:
    make_ticket()
    before = [*count(), Message.objects.count(), Outgoing.objects.count()]
    figures = benchmark("conversation", "--url", live_server.url, "--times", "2")
    assert (figures["setting"]["messages"], figures["setting"]["letters"]) == (200, 40)
    for name in ("open, page", "open, fragment", "open, every message shown", "draft save", "Send"):
        assert figures[f"{name}, p95"] >= figures[f"{name}, p50"] > 0
    assert [*count(), Message.objects.count(), Outgoing.objects.count()] == before


@pytest.mark.thorough
def test_how_soon_a_mail_is_seen_is_measured_and_leaves_nothing(
    live_server: Any, transactional_db: None, settings: Any
) -> None:
    settings.HELPDESK_MAIL_ROOM = True
    make_mailbox()
    before = count()
    figures = benchmark("ingest", "--latency-only", "--url", live_server.url)
    assert 0 < figures["seen in the list after `receive` stored it, p50"] < 2_000
    assert figures["seen in the list after the mail room's 250"] is None  # nothing listens
    assert count() == before


def test_it_says_what_is_missing(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no open tickets"):
        benchmark("workspace")
    with pytest.raises(CommandError, match="--eml FOLDER or --imap"):
        benchmark("ingest")
    with pytest.raises(CommandError, match="host and a port"):
        benchmark("ingest", "--imap", "localhost")


def test_a_table_says_how_each_figure_was_taken() -> None:
    report = Report("workspace", setting={"tickets": 20_000})
    report.add_times("list", [0.010, 0.020, 0.030], "3 times")
    report.add("not measured", None, "ms", "why")
    table = report.as_table()
    assert "tickets 20000" in table
    assert "list, p50" in table
    assert "20 ms       3 times" in table
    assert "– ms       why" in table


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 95), percentile([7.0], 95)) == (50, 95, 7)


@pytest.mark.thorough
def test_how_soon_pages_hear_is_measured_and_leaves_nothing(transactional_db: None) -> None:
    from django.contrib.sessions.models import Session

    from tests.web_server import running

    before = [*count(), Session.objects.count()]
    with running() as server:
        figures = benchmark("live", "--url", server.url, "--streams", "25")
    assert 0 < figures["mail accepted, heard at a second agent's stream, p95"] < 2000
    assert figures["a notice, heard by all 26 streams, p50"] > 0
    assert [*count(), Session.objects.count()] == before
