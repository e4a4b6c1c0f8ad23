"""The header of a mail: fields, encoded words, parameters, addresses, ids and dates.

Works on the raw bytes and decodes late, since an address must be taken apart before its words are decoded.
Every function takes linear time and raises nothing.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from inbox.mime.charsets import decode, scrub

MAX_HEADERS = 2_000
MAX_HEADER_BYTES = 65_536
MAX_BLOCK_BYTES = 4 * 1024 * 1024
MAX_ADDRESSES = 1_000
MAX_IDS = 200
MAX_PARAMETERS = 200

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*")
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?\r\n]*)\?=")
_GAP = re.compile(r"[ \t\r\n]*")
_ID = re.compile(r"<([^<>]*)>")
_SPACES = re.compile(r"\s+")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")

Address = tuple[str, str]


class Header:
    """The fields of one header block, in order, as raw unfolded bytes; names are lower case."""

    def __init__(self, fields: Sequence[tuple[str, bytes]] = (), hints: Sequence[str] = ()) -> None:
        self.fields = list(fields)
        self.hints = tuple(hints)

    def raw(self, name: str) -> bytes:
        return next((value for field, value in self.fields if field == name), b"")

    def all_raw(self, name: str) -> Iterator[bytes]:
        return (value for field, value in self.fields if field == name)

    def has(self, name: str) -> bool:
        return any(field == name for field, _ in self.fields)

    def get(self, name: str) -> str:
        """The first field of that name as one line of decoded text, "" when there is none."""
        return decode_words(self.text(name), self.hints)

    def text(self, name: str) -> str:
        """The first field of that name, encoded words left as they are."""
        return _as_text(self.raw(name), self.hints)

    def addresses(self, name: str) -> list[Address]:
        found: list[Address] = []
        for value in self.all_raw(name):
            found += parse_addresses(_as_text(value, self.hints), self.hints, MAX_ADDRESSES - len(found))
            if len(found) >= MAX_ADDRESSES:
                break
        return found

    def ids(self, name: str) -> list[str]:
        return parse_ids(" ".join(_as_text(value, self.hints) for value in self.all_raw(name)))

    def parameters(self, name: str) -> tuple[str, dict[str, str]]:
        return parse_parameters(self.raw(name), self.hints)


def read_block(raw: bytes, start: int, end: int, hints: Sequence[str] = ()) -> tuple[Header, int, list[str]]:
    """The header that begins at `start`, where its body begins, and what was wrong with it."""
    fields: list[tuple[str, bytearray]] = []
    defects: list[str] = []
    position = start
    limit = min(end, start + MAX_BLOCK_BYTES)
    first = True
    while position < limit:
        stop = raw.find(b"\n", position, end)
        next_line = end if stop < 0 else stop + 1
        # A field is cut at its cap before it is copied, so a megabyte of subject costs 64 kB.
        line = raw[position : min(next_line, position + MAX_HEADER_BYTES)].rstrip(b"\r\n")
        if not line:
            position = next_line
            break
        if line[:1] in b" \t":
            if not fields:
                if line.strip():
                    break
            elif len(fields[-1][1]) < MAX_HEADER_BYTES:
                fields[-1][1].extend(b" " + line.strip(b" \t"))
            position, first = next_line, False
            continue
        match = _FIELD.match(line)
        if match:
            if len(fields) < MAX_HEADERS:
                fields.append((match[1].decode("ascii").lower(), bytearray(line[match.end() :])))
            elif len(fields) == MAX_HEADERS:
                defects.append("too many header fields")
                fields.append(("x-desk-rest", bytearray()))
        elif line.startswith((b"From ", b">From ")) and first:
            pass  # the separator line of an mbox file
        elif not fields or not _FIELD.match(raw[next_line : next_line + 210]):
            defects.append("no empty line between header and body")
            break
        else:
            defects.append("a line in the header is no field")
        position, first = next_line, False
    else:
        if position < end:
            defects.append("the header is too long")
            blank = re.compile(rb"\r?\n\r?\n").search(raw, position, end)
            position = blank.end() if blank else end
    if not fields:
        position = start if not first or position < end else position
    return Header([(name, bytes(value[:MAX_HEADER_BYTES])) for name, value in fields], hints), position, defects


def decode_words(text: str, hints: Sequence[str] = ()) -> str:
    """One line of text with its encoded words (RFC 2047) decoded; broken ones are read as far as they can be."""
    if "=?" not in text:
        return one_line(text)
    out: list[str] = []
    pending: list[tuple[str, bytes]] = []
    last = 0
    for match in _WORD.finditer(text):
        between = text[last : match.start()]
        if not (pending and _GAP.fullmatch(between)):
            _flush(pending, out, hints)
            out.append(between)
        pending.append((match[1], _word_bytes(match[2], match[3])))
        last = match.end()
    _flush(pending, out, hints)
    out.append(text[last:])
    return one_line("".join(out))


def one_line(text: str) -> str:
    """`text` with every control character and line break made a space: no header can be injected with it."""
    return scrub(_BREAKS.sub(" ", text)).strip()


def parse_addresses(text: str, hints: Sequence[str] = (), limit: int = MAX_ADDRESSES) -> list[Address]:
    """(name, address) for each mailbox of an address header; groups are opened, what has no @ is left out."""
    found: list[Address] = []
    for phrase, angle, comment in _split_mailboxes(text):
        if len(found) >= limit:
            break
        address = angle
        name = phrase
        if address is None or "@" not in address:
            words = (phrase if address is None else f"{phrase} {address}").split()
            at = next((i for i in range(len(words) - 1, -1, -1) if "@" in words[i]), None)
            if at is None:
                continue
            address, name = words[at], " ".join(words[:at] + words[at + 1 :])
        address = _tidy_address(address)
        if "@" not in address:
            continue
        name = decode_words(name, hints) or decode_words(comment, hints)
        found.append((_SPACES.sub(" ", name).strip(" \"'")[:500], address))
    return found


def parse_ids(text: str) -> list[str]:
    """Message-IDs without their angle brackets, in order, each once (the first and the last ones of a flood)."""
    found = [_tidy_id(item) for item in _ID.findall(text)]
    if not any(found):
        # Some senders forget the brackets.
        found = [_tidy_id(word) for word in re.split(r"[\s,]+", text) if "@" in word]
    ids = list(dict.fromkeys(item for item in found if item))
    return ids if len(ids) <= MAX_IDS else ids[:1] + ids[1 - MAX_IDS :]


def parse_date(text: str) -> datetime | None:
    """An aware datetime, None when there is none or it is junk."""
    try:
        date = parsedate_to_datetime(text[:200])
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        date.astimezone(UTC)  # a far year with an offset overflows only here
        return date
    except Exception:  # the standard library raises half a dozen kinds here
        return None


def parse_parameters(raw: bytes, hints: Sequence[str] = ()) -> tuple[str, dict[str, str]]:
    """The lower-case value of a field like Content-Type, and its parameters decoded (RFC 2231, 2047 and raw 8 bits)."""
    pieces = _split_parameters(raw[:MAX_HEADER_BYTES])
    value = pieces[0].decode("ascii", "replace").strip().lower() if pieces else ""
    plain: dict[str, str] = {}
    parts: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for piece in pieces[1 : MAX_PARAMETERS + 1]:
        key_bytes, found, content = piece.partition(b"=")
        key = key_bytes.decode("ascii", "replace").strip().lower()
        if not found or not key:
            continue
        content = _unquote(content.strip())
        name, star, rest = key.partition("*")
        if not star:
            plain.setdefault(key, decode_words(_as_text(content, hints), hints))
            continue
        encoded = rest.endswith("*") or not rest
        number = rest.rstrip("*") or "0"
        if number.isdecimal() and len(number) < 5:
            parts.setdefault(name, {}).setdefault(int(number), (content, encoded))
    for name, numbered in parts.items():
        plain[name] = _join_2231(numbered, hints)
    return value, plain


def _as_text(raw: bytes, hints: Sequence[str]) -> str:
    return decode(raw, hints=hints, header=True)


def _flush(pending: list[tuple[str, bytes]], out: list[str], hints: Sequence[str]) -> None:
    # Neighbours of one charset are joined first: some senders cut a character in two.
    while pending:
        charset, joined = pending.pop(0)
        chunks = [joined]
        while pending and pending[0][0].lower() == charset.lower():
            chunks.append(pending.pop(0)[1])
        out.append(decode(b"".join(chunks), charset, hints=hints, header=True))


def _word_bytes(kind: str, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    if kind in "qQ":
        return binascii.a2b_qp(raw.replace(b"_", b" "), header=False) if b"=" in raw else raw.replace(b"_", b" ")
    raw = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    raw = raw[: len(raw) - 1] if len(raw) % 4 == 1 else raw
    return base64.b64decode(raw + b"=" * (-len(raw) % 4))


def _split_mailboxes(text: str) -> Iterator[tuple[str, str | None, str]]:
    """(phrase, what stood in angle brackets, comment) of each member of an address list."""
    phrase: list[str] = []
    comment: list[str] = []
    angle: str | None = None
    i, size = 0, len(text)
    # Where a quote or a bracket is never closed it is an ordinary character, and looking once is enough.
    open_quote = open_comment = False
    while i < size:
        c = text[i]
        if c == '"' and not open_quote:
            word, i, open_quote = _read_quoted(text, i)
            phrase.append(word)
            continue
        if c == "(" and not open_comment:
            note, i, open_comment = _read_comment(text, i)
            comment.append(note)
            phrase.append(" ")
            continue
        if c == "<":
            stop = text.find(">", i)
            if stop < 0:
                stop = size
            inside = text[i + 1 : stop]
            if angle is None or "@" not in angle:
                angle = inside
            i = stop + 1
            continue
        if c in ",;":
            yield "".join(phrase), angle, " ".join(comment)
            phrase, comment, angle = [], [], None
        elif c == ":" and angle is None and "@" not in "".join(phrase[-80:]):
            phrase, comment = [], []  # the name of a group
        elif c not in "\r\n>":
            phrase.append(c)
        i += 1
    if phrase or angle:
        yield "".join(phrase), angle, " ".join(comment)


def _read_quoted(text: str, start: int) -> tuple[str, int, bool]:
    """What stands in quotes, where it ends, and whether the closing quote is missing."""
    out: list[str] = []
    i = start + 1
    while i < len(text):
        c = text[i]
        if c == "\\" and i + 1 < len(text):
            out.append(text[i + 1])
            i += 2
            continue
        if c == '"':
            return "".join(out), i + 1, False
        out.append(c)
        i += 1
    return "", start + 1, True


def _read_comment(text: str, start: int) -> tuple[str, int, bool]:
    depth = 0
    for i in range(start, len(text)):
        if text[i] == "(":
            depth += 1
        elif text[i] == ")":
            depth -= 1
            if not depth:
                return text[start + 1 : i], i + 1, False
    return "", start + 1, True


def _tidy_address(address: str) -> str:
    address = _BREAKS.sub("", address).strip().strip("<>'").strip()
    if address.startswith("@") and ":" in address:
        address = address.rsplit(":", 1)[1]  # a source route (RFC 5322, 4.4)
    if address.lower().startswith("mailto:"):
        address = address[7:]
    local, _, domain = address.rpartition("@")
    if not local.startswith('"'):
        local = re.sub(r"\s+", "", local)
    domain = re.sub(r"\s+", "", domain).rstrip(".")
    if not local or not domain or len(address) > 1_000:
        return ""
    return f"{local}@{domain}"


def _tidy_id(text: str) -> str:
    text = _SPACES.sub("", _BREAKS.sub("", text)).strip("<>")
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return text[:4_000]


def _split_parameters(raw: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    current = bytearray()
    quoted = escaped = False
    depth = 0
    for byte in raw:
        if escaped:
            escaped = False
        elif byte == 0x5C and quoted:  # a backslash
            escaped = True
        elif byte == 0x22:  # a quote
            quoted = not quoted
        elif not quoted and byte == 0x28:  # an opening bracket: a comment
            depth += 1
            continue
        elif depth and byte == 0x29:
            depth -= 1
            continue
        elif byte == 0x3B and not quoted and not depth:  # a semicolon
            pieces.append(bytes(current))
            current.clear()
            if len(pieces) > MAX_PARAMETERS:
                return pieces
            continue
        if not depth:
            current.append(byte)
    pieces.append(bytes(current))
    return pieces


def _unquote(value: bytes) -> bytes:
    if value.startswith(b'"'):
        value = value[1:-1] if value.endswith(b'"') and len(value) > 1 else value[1:]
        # `C:\dir\file` is written unescaped by old mailers; only an escaped quote or backslash is undone.
        value = re.sub(rb'\\(["\\])', rb"\1", value)
    return value


def _join_2231(numbered: dict[int, tuple[bytes, bool]], hints: Sequence[str]) -> str:
    charset = ""
    chunks: list[bytes] = []
    for number in sorted(numbered):
        content, encoded = numbered[number]
        if encoded:
            if number == min(numbered) and content.count(b"'") >= 2:
                name, _, content = content.split(b"'", 2)
                charset = name.decode("ascii", "replace")
            content = unquote_to_bytes(content)
        chunks.append(content)
    return one_line(decode_words(decode(b"".join(chunks), charset, hints=hints, header=True), hints))
