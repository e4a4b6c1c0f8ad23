"""The first steps of a connection test: is there a server, and is it of the kind we look for?"""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from inbox.channels import tls
from inbox.channels.steps import Step, cut

PATIENCE = 10.0
# A server that speaks plainly greets at once; one that waits for TLS would wait for ever.
PATIENCE_WITH_GREETING = 3.0


@dataclass(frozen=True)
class Kind:
    name: str
    greetings: tuple[bytes, ...]
    turned_away: tuple[bytes, ...]


IMAP = Kind("IMAP", greetings=(b"* OK", b"* PREAUTH"), turned_away=(b"* BYE",))
SMTP = Kind("SMTP", greetings=(b"220",), turned_away=(b"421", b"554", b"520"))


class NotReached(Exception):
    def __init__(self, step: Step) -> None:
        self.step = step
        super().__init__(step.message)


def reach(kind: Kind, host: str, port: int, security: str, ca_certificate: str) -> list[Step]:
    """The steps up to the server's greeting; when one fails it is the last."""
    steps: list[Step] = []
    try:
        steps.append(_find(host, port))
        with contextlib.closing(_connect(host, port, security)) as plain:
            steps.append(Step("connect", True, _("%(host)s answers at port %(port)d.") % {"host": host, "port": port}))
            line: socket.socket = plain
            if security == "ssl":
                line = _encrypt(plain, host, port, ca_certificate)
                steps.append(encrypted(line))
            with contextlib.closing(line):
                _greet(kind, line, host, port, over_tls=security == "ssl")
    except NotReached as problem:
        # A greeting that is missing takes back that we are connected.
        steps = [step for step in steps if step.name != problem.step.name] + [problem.step]
    return steps


def encrypted(line: socket.socket | None) -> Step:
    """The step of a handshake that went well."""
    version, until = "TLS", "?"
    if isinstance(line, ssl.SSLSocket):
        version = line.version() or version
        if moment := str((line.getpeercert() or {}).get("notAfter", "")):
            end = datetime.fromtimestamp(ssl.cert_time_to_seconds(moment), UTC)
            until = date_format(end, pgettext("date format", "j M Y"))
    return Step("tls", True, _("%(version)s, certificate valid until %(date)s.") % {"version": version, "date": until})


def failed_tls(problem: Exception, host: str, port: int) -> Step:
    if isinstance(problem, ssl.SSLError) and not isinstance(problem, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Step("tls", False, tls.explain(problem, host), _said_of_certificate(problem))
    if isinstance(problem, tls.BadAuthority):
        return Step("tls", False, str(problem))
    return Step(
        "tls",
        False,
        _("%(host)s does not speak TLS at port %(port)d. Choose STARTTLS, or the port for SSL/TLS.")
        % {"host": host, "port": port},
    )


def _said_of_certificate(problem: ssl.SSLError) -> str:
    return cut(problem.verify_message) if isinstance(problem, ssl.SSLCertVerificationError) else ""


def _find(host: str, port: int) -> Step:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        message = _("No server is called “%(host)s”. Check the spelling, or whether this machine can ask DNS.")
        raise NotReached(Step("dns", False, message % {"host": host[:100]})) from None
    addresses = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found[:3]))
    return Step("dns", True, _("%(host)s is at %(addresses)s.") % {"host": host, "addresses": addresses})


def _connect(host: str, port: int, security: str) -> socket.socket:
    words = {"host": host, "port": port}
    try:
        tls.insist_on_allowed(host, security)
        return socket.create_connection((host, port), timeout=PATIENCE)
    except tls.PlaintextForbidden as problem:
        message = str(problem)
    except ConnectionRefusedError:
        message = _("Nothing listens at port %(port)d of %(host)s. Check the port and that the server runs.") % words
    except TimeoutError:
        message = (
            _("%(host)s did not answer at port %(port)d. Check the port, and whether a firewall stops the way there.")
            % words
        )
    except (OSError, OverflowError) as problem:
        message = _("%(host)s cannot be reached at port %(port)d.") % words
        raise NotReached(Step("connect", False, message, cut(problem))) from None
    raise NotReached(Step("connect", False, message))


def _encrypt(plain: socket.socket, host: str, port: int, ca_certificate: str) -> ssl.SSLSocket:
    try:
        return tls.context(ca_certificate).wrap_socket(plain, server_hostname=host)
    except (OSError, ValueError) as problem:
        raise NotReached(failed_tls(problem, host, port)) from None


def _greet(kind: Kind, line: socket.socket, host: str, port: int, *, over_tls: bool) -> None:
    words = {"host": host, "port": port, "kind": kind.name}
    greeting = _read_line(line, PATIENCE_WITH_GREETING)
    if not greeting:
        if not over_tls and _speaks_tls(host, port):
            message = _("Port %(port)d of %(host)s speaks TLS from the start. Choose SSL/TLS.") % words
            raise NotReached(Step("connect", False, message))
        greeting = _read_line(line, PATIENCE)
    if greeting.startswith(kind.greetings):
        return
    said = cut(greeting[:300])
    if greeting.startswith(kind.turned_away):
        message = _("%(host)s turned us away. Its words may say why; try again later.") % words
    elif not greeting:
        message = (
            _("Something listens at port %(port)d of %(host)s, but it is silent. Is it the port of %(kind)s?") % words
        )
    else:
        message = _("Port %(port)d of %(host)s is not that of an %(kind)s server. Check the port.") % words
    raise NotReached(Step("connect", False, message, said))


def _read_line(line: socket.socket, patience: float) -> bytes:
    line.settimeout(patience)
    got = b""
    with contextlib.suppress(OSError):
        while b"\n" not in got and len(got) < 2000:
            more = line.recv(1000)
            if not more:
                break
            got += more
    return got


def _speaks_tls(host: str, port: int) -> bool:
    """Only asked to say it in words: nothing is sent over this connection, so its certificate does not matter."""
    look = ssl.create_default_context()
    look.check_hostname = False
    look.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as plain, look.wrap_socket(plain):
            return True
    except (OSError, ValueError):
        return False
