"""What connections to mail servers have in common: whom we trust, and what a refusal means in words."""

from __future__ import annotations

import ipaddress
import ssl

from django.conf import settings
from django.utils.translation import gettext as _

# What OpenSSL calls the ways in which a certificate is wrong (X509_V_ERR_...).
_EXPIRED = {10}
_NOT_YET_VALID = {9}
_SELF_SIGNED = {18}
_UNKNOWN_AUTHORITY = {2, 7, 19, 20, 21}
_WRONG_NAME = {62, 64}


class PlaintextForbidden(OSError):
    """`str()` is a sentence for people."""

    def __init__(self, host: str) -> None:
        super().__init__(
            _(
                "Encryption “none” would send the password to %(host)s for anyone to read. Choose STARTTLS or SSL/TLS; "
                "“none” is for a server on this machine."
            )
            % {"host": host}
        )


def context(ca_certificate: str = "") -> ssl.SSLContext:
    """Certificates are always verified. A private CA is trusted on top of the public ones. Raises BadAuthority."""
    trusted = ssl.create_default_context()
    if ca_certificate.strip():
        try:
            trusted.load_verify_locations(cadata=ca_certificate)
        except (ssl.SSLError, ValueError) as problem:
            raise BadAuthority from problem
    return trusted


class BadAuthority(OSError):
    def __init__(self) -> None:
        super().__init__(
            _("The private CA cannot be read. Paste its certificate as PEM text, from BEGIN to END CERTIFICATE.")
        )


def is_loopback(host: str) -> bool:
    host = host.strip().rstrip(".").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def insist_on_allowed(host: str, security: str) -> None:
    """Raises PlaintextForbidden."""
    if security == "none" and not is_loopback(host) and not settings.HELPDESK_ALLOW_PLAINTEXT_MAIL:
        raise PlaintextForbidden(host)


def explain(problem: ssl.SSLError, host: str) -> str:
    """What is wrong with the server's certificate or its TLS, and what to do."""
    code = getattr(problem, "verify_code", None)
    words = {"host": host}
    if code in _SELF_SIGNED:
        return (
            _(
                "%(host)s has a self-signed certificate, so anyone could pretend to be it. If it is your own server, "
                "paste its certificate under “Private CA”."
            )
            % words
        )
    if code in _UNKNOWN_AUTHORITY:
        return (
            _(
                "The certificate of %(host)s is signed by an authority that is not known here. If it is your own, "
                "paste its certificate under “Private CA”."
            )
            % words
        )
    if code in _EXPIRED:
        return _("The certificate of %(host)s has expired. Renew it on the server.") % words
    if code in _NOT_YET_VALID:
        return _("The certificate of %(host)s is not valid yet. Check the clocks of both machines.") % words
    if code in _WRONG_NAME:
        return (
            _("The certificate that answered is not for %(host)s. Use the server's name that is in its certificate.")
            % words
        )
    if code is not None:
        return _("The certificate of %(host)s cannot be trusted. Renew it on the server.") % words
    reason = getattr(problem, "reason", "") or ""
    if "VERSION" in reason or "PROTOCOL" in reason:
        if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
            return (
                _("%(host)s does not speak TLS at this port from the start. Choose STARTTLS, or the port for SSL/TLS.")
                % words
            )
        return _("%(host)s only offers versions of TLS that are not safe any more. Update the server.") % words
    return _("No encrypted connection with %(host)s could be made. Check port and encryption.") % words
