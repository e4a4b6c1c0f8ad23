"""What a connection test found, one step after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LABELS: dict[str, Promise] = {
    "dns": gettext_lazy("Name"),
    "connect": gettext_lazy("Connection"),
    "tls": gettext_lazy("Encryption"),
    "login": gettext_lazy("Sign-in"),
    "folder": gettext_lazy("Folder"),
    "may send": gettext_lazy("Right to send"),
}
# How imaplib shows a server's bytes in the text of its errors.
_BYTES = re.compile(r"""b(['"])(.*)\1""", re.DOTALL)


@dataclass(frozen=True)
class Step:
    """`name` is one of LABELS; `message` a sentence for people that says, when not `ok`, what to do.

    `said` holds the server's own words, cut and without control characters; a template escapes it like any text.
    """

    name: str
    ok: bool
    message: str
    said: str = ""

    @property
    def label(self) -> str:
        return str(LABELS.get(self.name, self.name))


def all_well(steps: Sequence[Step]) -> bool:
    return bool(steps) and all(step.ok for step in steps)


def cut(words: object) -> str:
    """A server's words as one line that fits a page, whatever it sent."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    if quoted := _BYTES.fullmatch(text.strip()):
        text = quoted[2]
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= 300 else _("%(words)s …") % {"words": line[:300]}
