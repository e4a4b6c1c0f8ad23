"""The passwords that mailboxes sign in with."""

from __future__ import annotations

from django.utils.translation import gettext as _

from helpdesk.secrets import Sealed, Unreadable


class PasswordUnreadable(Exception):
    """`str()` is a sentence for people."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The stored password cannot be read with the keys this desk has. Enter it again under Settings > "
                "Mailboxes, or bring the old key back."
            )
        )


def revealed(password: str | Sealed) -> str:
    """For the moment of signing in. Raises PasswordUnreadable when its key is lost."""
    try:
        return str(password)
    except Unreadable as problem:
        raise PasswordUnreadable from problem
