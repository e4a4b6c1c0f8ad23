"""What the server that took a mail wrote down about its sender (Authentication-Results, RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

_COMMENT = re.compile(r"\([^()]{0,1000}\)")
_DMARC_FAILS = re.compile(r"(?<![\w.-])dmarc\s{0,50}(?:/\s{0,50}\d{1,5}\s{0,50})?=\s{0,50}fail\b", re.IGNORECASE)


def is_denied(results: Sequence[str]) -> bool:
    """Whether our own server says that nobody at the domain in From sent it; `results` as they stand, the topmost first.

    Only who put theirs on top is believed, and the fields of the same server right below: what stands further down any
    sender can write. A "pass" is never asked for, so where our server writes nothing, a forged field on top helps nobody.
    """
    ours = list(takewhile(lambda one: _server(one) == _server(results[0]), results))
    return any(_DMARC_FAILS.search(one) for one in ours)


def _server(result: str) -> str:
    """Its name; "" where there is none, as in the fields of Exchange Online."""
    words = _COMMENT.sub(" ", result.partition(";")[0]).split()
    return words[0].strip('"').lower() if words and "=" not in words[0] else ""
