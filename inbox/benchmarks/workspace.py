"""How quick the workspace is, how many queries it costs, and how many bytes come before one can work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inbox.benchmarks.browsing import Browser, CannotMeasure, agent, first_load, web
from inbox.benchmarks.figures import Report, machine
from inbox.benchmarks.processor_time import of_tree
from people.models import TicketAccess, User
from tickets.models import Pipeline, Source, Ticket

WARM_UP = 15
TICKETS = 50


def measure(*, url: str | None, times: int, now: datetime) -> Report:
    """Raises CannotMeasure."""
    numbers = list(Ticket.objects.open().order_by("-last_message_at").values_list("pk", flat=True)[:TICKETS])
    if not numbers:
        raise CannotMeasure("There are no open tickets to show. Run `load_sample` or `load_demo` first.")
    report = Report("workspace", setting={"tickets": Ticket.objects.count()} | machine())
    with web(url) as site, agent() as (user, password):
        browser = Browser(site.url)
        browser.sign_in(user.email, password)
        opened = cycle(numbers)
        pages = _Pages(report, browser, site.pid, times)
        pages.time("workspace page", lambda: "/")
        pages.time("list fragment", lambda: "/tickets/", fragment=True)
        pages.time("one ticket, page", lambda: f"/tickets/{next(opened)}/")
        pages.time("one ticket, fragment", lambda: f"/tickets/{next(opened)}/?listed=all-open", fragment=True)
        _add_bytes(report, site.url, user, password, numbers[0])
        browser.close()
    _add_queries(report, now)
    return report


@dataclass
class _Pages:
    report: Report
    browser: Browser
    pid: int | None
    times: int

    def time(self, name: str, path: Callable[[], str], *, fragment: bool = False) -> None:
        for _ in range(min(WARM_UP, self.times)):
            self._ask(path(), fragment)
        before = self._processor_time()
        seconds = [self._ask(path(), fragment) for _ in range(self.times)]
        after = self._processor_time()
        self.report.add_times(name, seconds, f"{self.times} times, one client")
        if before is not None and after is not None:
            each = (after - before) * 1000 / self.times
            self.report.add(f"{name}, processor time", each, "ms", "of the web process, whatever else runs")

    def _ask(self, path: str, fragment: bool) -> float:
        answer = self.browser.get(path, fragment=fragment)
        if answer.status != 200:
            raise CannotMeasure(f"{path} was answered with {answer.status}.")
        return answer.seconds

    def _processor_time(self) -> float | None:
        return of_tree(self.pid) if self.pid else None


def _add_bytes(report: Report, address: str, user: User, password: str, number: int) -> None:
    browser = Browser(address)
    browser.sign_in(user.email, password)
    page = first_load(browser, "/")
    ticket = first_load(browser, f"/tickets/{number}/")
    browser.close()
    report.add("first load", sum(page.page.values()) / 1000, "kB", f"compressed, {len(page.page)} files, list usable")
    # A ticket's page has the list too; the editor is what its scripts fetch when there is something to write in.
    files = {**ticket.page, **ticket.editor}
    report.add("first load with a ticket and the editor", sum(files.values()) / 1000, "kB", f"{len(files)} files")
    report.add("list page alone", page.page["/"] / 1000, "kB", "as sent")


def _add_queries(report: Report, now: datetime) -> None:
    """In this process and a transaction that is taken back: an agent who sees one ticket, then fifty."""
    for path, name in (("/", "workspace page"), ("/tickets/", "list fragment")):
        with transaction.atomic():
            user = User.objects.create_user(
                "benchmark-queries@desk.example", "Benchmark", ticket_access=TicketAccess.OWN, sees_unassigned=False
            )
            client = Client(
                headers={"HX-Request": "true"} if name.endswith("fragment") else {}, SERVER_NAME="localhost"
            )
            client.force_login(user)
            for rows in (1, 49):
                for _ in range(rows):
                    Ticket.objects.begin(
                        "Benchmark", pipeline=Pipeline.first(), source=Source.MANUAL, now=now, owner=user
                    )
                client.get(path, secure=True)  # what is read once and kept does not count
                with CaptureQueriesContext(connection) as captured:
                    client.get(path, secure=True)
                report.add(f"{name}, {1 if rows == 1 else 50} rows", len(captured), "queries")
            transaction.set_rollback(True)
