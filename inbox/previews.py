"""What one sees of a file without opening it in a program of one's own."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files import File

from helpdesk.attachments import SHOWN_IN_PLACE

MOST_SHOWN = 200_000
"""So many bytes of a text are shown; the rest is in the file."""

MOST_ROWS = 500
MOST_COLUMNS = 40

_TEXTS = frozenset({"text/plain", "text/csv", "text/tab-separated-values", "text/markdown", "application/json"})
_TEXT_ENDINGS = (".txt", ".log", ".csv", ".tsv", ".md", ".json", ".ini", ".conf", ".yaml", ".yml")
# What a browser or a mail program says of a file that it knows nothing about.
_UNKNOWN = frozenset({"", "application/octet-stream", "text/x-log", "application/vnd.ms-excel"})


def kind_of(content_type: str, name: str) -> str:
    """How a file can be looked at: image, pdf or text; "" when it can only be kept."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in SHOWN_IN_PLACE:
        return "image"
    if kind == "application/pdf":
        return "pdf"
    if kind in _TEXTS or (kind in _UNKNOWN and name.lower().endswith(_TEXT_ENDINGS)):
        return "text"
    return ""


@dataclass(frozen=True)
class TextPreview:
    text: str
    rows: list[list[str]]
    """Of a table; empty for other texts."""
    is_cut: bool


def read_text(file: File[bytes] | BinaryIO, *, content_type: str, name: str) -> TextPreview:
    """The beginning of a text, whatever it is written in."""
    data = file.read(MOST_SHOWN + 1)
    is_cut = len(data) > MOST_SHOWN
    text = decoded(data[:MOST_SHOWN])
    separator = _separator(text, content_type, name)
    if not separator:
        return TextPreview(text, [], is_cut)
    lines = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=separator)
    rows: list[list[str]] = []
    try:
        for row in lines:
            if len(rows) == MOST_ROWS:
                is_cut = True
                break
            rows.append(row[:MOST_COLUMNS])
    except csv.Error:  # a field longer than csv reads: it is no table, whatever it says
        return TextPreview(text, [], is_cut)
    return TextPreview(text, rows, is_cut)


def decoded(data: bytes) -> str:
    """Text of bytes that do not say what they are: by their mark, as UTF-8, else as Windows writes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        # What was cut in the middle of a letter is UTF-8 all the same.
        return data.decode("utf-8-sig") if len(data) < MOST_SHOWN else _cut(data).decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _cut(data: bytes) -> bytes:
    """`data` without the beginning of a letter at its end."""
    for back in range(1, 4):
        if data[-back] >= 0xC0:
            return data[:-back]
        if data[-back] < 0x80:
            break
    return data


def _separator(text: str, content_type: str, name: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/tab-separated-values" or name.lower().endswith(".tsv"):
        return "\t"
    if kind != "text/csv" and not name.lower().endswith(".csv"):
        return ""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)
