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


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """Text that the database holds encrypted (Fernet: AES-128-CBC with HMAC-SHA256). "" stays "". Loading raises Unreadable."""

    description = "Encrypted text"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return Secret(decrypt(value)) if value else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value
