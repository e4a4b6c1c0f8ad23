"""Fields that are encrypted at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class Unreadable(Exception):
    """A stored secret was encrypted with a key that is not in HELPDESK_ENCRYPTION_KEYS any more."""


def _box() -> MultiFernet:
    """The first key encrypts, every key decrypts: put a new one in front to rotate."""
    return MultiFernet([Fernet(key) for key in settings.HELPDESK_ENCRYPTION_KEYS])


def encrypt(plain: str) -> str:
    return _box().encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    """Raises Unreadable."""
    try:
        return _box().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


class Secret(str):
    """A decrypted secret. It is an ordinary string, except that it does not show itself in logs and error pages."""

    def __repr__(self) -> str:
        return "'••••••'"


class Sealed:
    """A secret as the database holds it. `str()` decrypts it and raises Unreadable; nothing else needs its key, so a
    row whose key is lost can be loaded, shown, saved as it is, and given a new secret.
    """

    def __init__(self, token: str) -> None:
        self.token = token

    def __str__(self) -> str:
        return Secret(decrypt(self.token))

    def __repr__(self) -> str:
        return "'••••••'"

    def __eq__(self, other: object) -> bool:
        """The same secret, sealed or not. One that cannot be read is only the same as itself."""
        if isinstance(other, Sealed) and other.token == self.token:
            return True
        if not other or not isinstance(other, str | Sealed):
            return False
        try:
            return str(self) == str(other)
        except Unreadable:
            return False

    __hash__ = None  # type: ignore[assignment]  # equal to strings, whose hash it does not know without its key


if TYPE_CHECKING:
    _TextField = models.TextField[str | Sealed, str | Sealed]
else:
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """Text that the database holds encrypted (Fernet: AES-128-CBC with HMAC-SHA256). "" stays "".

    What is loaded is Sealed, what is set is plain text.
    """

    description = "Encrypted text"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | str | None:
        return Sealed(value) if value else value

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Sealed) else super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.token
        value = super().get_prep_value(value)
        return encrypt(value) if value else value
