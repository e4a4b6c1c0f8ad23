"""The whole way: a customer writes, the ticket appears, an agent answers in the browser, the customer reads the answer.

On the desk as `make run` starts it, with all its processes, its demo data and its mail room.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.helpdesk.desk import CHECKOUT, RunningDesk, environment, eventually, processes_of
from tests.mail_servers import PASSWORD, Dovecot, SmtpServer

pytestmark = pytest.mark.browser

# Without a reload: the customer's page asks by itself every three seconds.
BY_ITSELF = 20_000
CUSTOMER = "lumi.aalto@customer.example"


@pytest.fixture(scope="module")
def desk() -> Iterator[RunningDesk]:
    # Not among pytest's own folders, which another run of pytest closes to others, as PostgreSQL's user is one.
    folder = Path(tempfile.mkdtemp(prefix="hd-way-"))
    folder.chmod(0o755)
    desk = RunningDesk(folder / "state")
    try:
        assert eventually(desk.is_ready, within=90)
        assert desk.process.poll() is None, desk.said()
        assert eventually(lambda: "The mail room takes mail" in desk.said(), within=30), desk.said()
        yield desk
    finally:
        desk.end()
    assert eventually(lambda: not processes_of(desk.state)), "something was left running"
    shutil.rmtree(folder)


@pytest.fixture
def agent(page: Page, desk: RunningDesk) -> Page:
    """Aino of the demo, with the password that the first start printed."""
    password = re.search(r"password: (\S+)", desk.said())
    assert password, desk.said()
    page.goto(f"http://127.0.0.1:{desk.port}/login/")
    page.get_by_label("Email").fill("aino@korpi.example")
    page.get_by_label("Password", exact=True).fill(password[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#list")).to_be_visible()
    return page


def soon(agent: Page, seen: Locator, *, within: float = 20) -> None:
    """The page is told, and shows it by itself."""

    def look() -> bool:
        agent.wait_for_timeout(250)
        return seen.count() > 0

    assert eventually(look, within=within), agent.locator("main").inner_text()


def answer(agent: Page, words: str) -> None:
    """In the editor, as a person types it: a line, and one word in bold."""
    reply = agent.locator("#composer-reply")
    editor = reply.locator(".editor")
    editor.click()
    agent.keyboard.type(f"{words} ")
    agent.keyboard.press("Control+b")
    agent.keyboard.type("tomorrow")
    agent.keyboard.press("Control+b")
    reply.get_by_role("button", name="Send", exact=True).click()


def test_a_customer_writes_and_reads_the_answer_on_one_machine(agent: Page, desk: RunningDesk, tmp_path: Path) -> None:
    photo = tmp_path / "zip.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n")
    customer = agent.context.new_page()
    customer.goto(f"http://127.0.0.1:{desk.port}/mail-room/")
    customer.get_by_role("link", name="New mail").click()
    customer.get_by_label("Name").fill("Lumi Aalto")
    customer.get_by_label("Email", exact=True).fill(CUSTOMER)
    customer.get_by_label("To", exact=True).select_option("support@korpi.example")
    customer.get_by_label("Subject").fill("The zip of my Tuuli vest broke")
    customer.get_by_label("Message").fill("It broke after a week. What can I do?")
    customer.get_by_label("Attachments").set_input_files(photo)
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_role("heading", name="The zip of my Tuuli vest broke")).to_be_visible()
    expect(customer.get_by_role("link", name="zip.png")).to_be_visible()

    ticket = agent.get_by_role("link", name="The zip of my Tuuli vest broke")
    soon(agent, ticket)
    ticket.click()
    expect(agent.locator("#messages")).to_contain_text("It broke after a week.")
    expect(agent.locator("#messages")).to_contain_text("zip.png")
    answer(agent, "We send you a new one")
    expect(agent.locator("#messages")).to_contain_text("We send you a new one tomorrow")
    soon(agent, agent.locator("#messages .receipt"))  # sent

    # The customer's page shows it by itself, in the same thread, as their mail program would.
    expect(customer.locator("#room-thread .msg")).to_have_count(2, timeout=BY_ITSELF)
    body = customer.frame_locator("#room-thread .msg.is-latest iframe")
    expect(body.locator("body")).to_contain_text("We send you a new one tomorrow")
    expect(body.locator("b, strong", has_text="tomorrow")).to_be_visible()
    expect(body.get_by_text("It broke after a week.")).to_be_hidden()
    body.get_by_text("Quoted text").click()
    expect(body.get_by_text("It broke after a week.")).to_be_visible()

    # And back again, onto the same ticket.
    customer.get_by_role("link", name="Reply").last.click()
    customer.get_by_label("Message").fill("Thank you, that is quick.")
    customer.get_by_role("button", name="Send").click()
    expect(customer.locator("#room-thread .msg")).to_have_count(3)
    soon(agent, agent.locator("#messages", has_text="Thank you, that is quick."))
    expect(agent.locator("#messages .msg")).to_have_count(3)


def connect(desk: RunningDesk, dovecot: Dovecot, smtp_server: SmtpServer) -> None:
    connecting: list[Any] = [sys.executable, "manage.py", "connect_mailbox", "help@real.example", "--name", "Real help"]
    connecting += ["--imap-host", dovecot.host, "--imap-port", dovecot.port, "--imap-security", "none"]
    connecting += ["--imap-user", "help", "--poll-seconds", "5", "--secret-stdin"]
    connecting += ["--smtp-host", smtp_server.host, "--smtp-port", smtp_server.port, "--smtp-security", "none"]
    done = subprocess.run(
        [str(word) for word in connecting],
        cwd=CHECKOUT,
        env=environment(desk.state),
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_same_over_a_real_imap_and_smtp_server(
    agent: Page, desk: RunningDesk, dovecot: Dovecot, smtp_server: SmtpServer
) -> None:
    connect(desk, dovecot, smtp_server)
    mail = EmailMessage()
    mail["From"], mail["To"] = "Veikko Ylönen <veikko@customer.example>", "help@real.example"
    mail["Subject"], mail["Message-ID"] = "Is the shop open on Sunday?", "<sunday@customer.example>"
    mail.set_content("Hello, are you open on Sunday?")
    dovecot.deliver("help", mail.as_bytes())

    ticket = agent.get_by_role("link", name="Is the shop open on Sunday?")
    soon(agent, ticket)
    ticket.click()
    expect(agent.locator("#messages")).to_contain_text("are you open on Sunday?")
    answer(agent, "From ten to four, also")
    soon(agent, agent.locator("#messages .receipt"))

    assert eventually(lambda: smtp_server.taken)
    assert len(smtp_server.taken) == 1
    taken = message_from_bytes(smtp_server.taken[0].raw, policy=policy.default)
    assert smtp_server.taken[0].recipients == ["veikko@customer.example"]
    assert taken["In-Reply-To"] == "<sunday@customer.example>"
    plain = taken.get_body(("plain",))
    assert plain is not None
    assert "From ten to four, also" in plain.get_content()

    # The customer answers that, and it lands on the same ticket.
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = mail["From"], "help@real.example", f"Re: {mail['Subject']}"
    reply["In-Reply-To"] = taken["Message-ID"]
    reply["Message-ID"] = "<thanks@customer.example>"
    reply.set_content("Great, see you then.")
    dovecot.deliver("help", reply.as_bytes())
    soon(agent, agent.locator("#messages", has_text="Great, see you then."))
