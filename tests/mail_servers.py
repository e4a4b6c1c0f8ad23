"""Mail servers for tests: a real Dovecot, and an SMTP server that answers as it is told."""

import email
import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "secret"  # of everybody, on both servers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_dovecot() -> str | None:
    return shutil.which("dovecot") or next((p for p in ["/usr/sbin/dovecot"] if Path(p).exists()), None)


class Dovecot:
    """Any user name may log in with `PASSWORD` and has an empty INBOX, Junk and Sent of their own.

    `host`, `port`: plain IMAP. `deliver(user, raw)` puts a mail there as an MTA would.
    """

    host = "127.0.0.1"

    def __init__(self, program: str, certificate: "tuple[Path, Path] | None" = None) -> None:
        """With a certificate and its key (PEM files) it also speaks STARTTLS at `port`, and TLS at `tls_port`."""
        self.program = program
        self.port = free_port()
        self.tls_port = free_port() if certificate else 0
        self.certificate = certificate
        self.folder = Path(tempfile.mkdtemp(prefix="hd-dovecot-"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        as_owner: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if root else {}
        for name in ("run", "state", "mail", "home"):
            (self.folder / name).mkdir()
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                port=self.port,
                user=owner.pw_name,
                group=grp.getgrgid(owner.pw_gid).gr_name,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                tls_port=self.tls_port,
                tls=self._tls(),
            )
        )
        self.folder.chmod(0o755)
        if root:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self.process = subprocess.Popen(
            [self.program, "-F", "-c", str(configuration)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "stderr.log").open("wb"),
            **as_owner,
        )
        deadline = time.monotonic() + 10
        while not self._greets():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Dovecot did not start: {(self.folder / 'stderr.log').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def login(self, user: str) -> imaplib.IMAP4:
        client = imaplib.IMAP4(self.host, self.port, timeout=10)
        client.login(user, PASSWORD)
        return client

    def deliver(self, user: str, raw: bytes, folder: str = "INBOX") -> None:
        client = self.login(user)
        try:
            answer, words = client.append(folder, "", imaplib.Time2Internaldate(time.time()), raw)
            assert answer == "OK", words
        finally:
            client.logout()

    def _tls(self) -> str:
        if self.certificate is None:
            return "ssl = no"
        certificate, key = self.certificate
        for name, source in (("cert.pem", certificate), ("key.pem", key)):
            (self.folder / name).write_bytes(source.read_bytes())
        return f"ssl = yes\nssl_cert = <{self.folder}/cert.pem\nssl_key = <{self.folder}/key.pem"

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=2) as probe:
                return probe.recv(200).startswith(b"* OK")
        except OSError:
            return False


@dataclass
class Taken:
    """A mail that the SMTP server took."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> Message:
        return email.message_from_bytes(self.raw)


@dataclass
class SmtpServer:
    """Takes every mail into `taken`, unless a script says otherwise.

    `answer_to["rcpt"]`, `answer_to["mail"]`, `answer_to["data"]` is a function of the address (for data: of the raw
    mail) that gives the server's line, or None for "take it". `cut_after_data` takes the mail and hangs up before
    its last answer, as a lost connection does.
    """

    host: str = "127.0.0.1"
    port: int = 0
    require_login: bool = False
    taken: list[Taken] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    answer_to: dict[str, Callable[[Any], str | None]] = field(default_factory=dict)
    cut_after_data: bool = False
    _controller: Any = None

    def start(self) -> None:
        self.port = self.port or free_port()
        self._controller = Controller(
            self,
            hostname=self.host,
            port=self.port,
            ready_timeout=10,
            data_size_limit=100_000_000,
            authenticator=self._authenticate,
            auth_require_tls=False,
            auth_required=self.require_login,
        )
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._scripted("mail", address):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._scripted("rcpt", address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = bytes(envelope.original_content or b"")
        if refusal := self._scripted("data", raw):
            return refusal
        self.taken.append(Taken(envelope.mail_from or "", list(envelope.rcpt_tos), raw))
        if self.cut_after_data:
            assert server.transport is not None
            server.transport.abort()
        return f"250 OK queued as {len(self.taken)}"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if isinstance(data, LoginPassword) and data.password == PASSWORD.encode():
            self.logins.append(data.login.decode())
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False)

    def _scripted(self, step: str, subject: Any) -> str | None:
        answer = self.answer_to.get(step)
        return answer(subject) if answer else None


_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
{tls}
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail/%u
mail_home = {folder}/home/%u
first_valid_uid = 1
mail_max_userip_connections = 100
auth_failure_delay = 0
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Junk {{
    special_use = \\Junk
    auto = create
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-hibernate {{
  unix_listener imap-hibernate {{
    mode = 0600
  }}
}}
"""
