"""A mail as a tree of parts, and the bytes of a part out of its transfer encoding.

The tree holds offsets into the raw mail, so nothing is copied until a part is read; an outer boundary always wins over
an inner one, so a mail that was cut inside still gives its other parts. The standard library's parser would recurse
and re-read here (2,000 nested parts end it); this takes one pass for each level, and there are at most MAX_DEPTH.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from inbox.mime.headers import Header, one_line, read_block

MAX_PARTS = 1_000
MAX_DEPTH = 50

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_BOUNDARY_LINE = re.compile(rb"(?m)^--(\S[^\r\n]{0,198}\S)[ \t]*\r?\n(?=Content-[A-Za-z-]{3,30}:)")
_WHITE = b" \t\r\n"


@dataclass(slots=True)
class Part:
    header: Header
    content_type: str
    parameters: dict[str, str]
    start: int
    end: int
    children: list["Part"] = field(default_factory=list)

    @property
    def main_type(self) -> str:
        return self.content_type.partition("/")[0]

    def disposition(self) -> tuple[str, dict[str, str]]:
        return self.header.parameters("content-disposition")


class Tree:
    """Reads the parts of one mail; `defects` says in words what was wrong with it."""

    def __init__(self, raw: bytes, hints: tuple[str, ...], *, headers_only: bool = False) -> None:
        self.raw = raw
        self.hints = hints
        self.defects: list[str] = []
        self.count = 0
        self.headers_only = headers_only
        self.root = self._read(0, len(raw), "text/plain", 0)

    def data(self, part: Part) -> bytes:
        encoding = part.header.raw("content-transfer-encoding")
        return decode_transfer(self.raw[part.start : part.end], encoding, self.defects)

    def _read(self, start: int, end: int, default_type: str, depth: int) -> Part:
        self.count += 1
        header, body, defects = read_block(self.raw, start, end, self.hints)
        self.defects += defects
        content_type, parameters = header.parameters("content-type")
        if not re.fullmatch(r"[^\s/;,]{1,100}/[^\s/;,]{1,100}", content_type):
            content_type = {"text": "text/plain", "html": "text/html"}.get(content_type, default_type)
        part = Part(header, content_type, parameters, body, end)
        if content_type.startswith("multipart/") and not self.headers_only:
            self._read_children(part, depth)
        return part

    def _read_children(self, part: Part, depth: int) -> None:
        boundary = part.parameters.get("boundary", "")
        spans = list(self._split(part, boundary)) if boundary and depth < MAX_DEPTH else []
        if not spans and depth < MAX_DEPTH and (guess := _BOUNDARY_LINE.search(self.raw, part.start, part.end)):
            self.defects.append("the boundary in the header is not the one in the body")
            spans = list(self._split(part, guess[1].decode("utf-8", "surrogateescape")))
        if not spans:
            self.defects.append("a multipart without parts" if depth < MAX_DEPTH else "parts are nested too deeply")
            part.content_type = "text/plain"
            return
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        for start, end in spans:
            if self.count >= MAX_PARTS:
                self.defects.append("too many parts")
                break
            part.children.append(self._read(start, end, default, depth + 1))

    def _split(self, part: Part, boundary: str) -> Iterator[tuple[int, int]]:
        mark = b"--" + boundary.encode("utf-8", "surrogateescape")
        raw, position, begun = self.raw, part.start, -1
        found = 0
        while found < MAX_PARTS:
            at = raw.find(mark, position, part.end)
            if at < 0:
                break
            position = at + len(mark)
            if at > part.start and raw[at - 1 : at] != b"\n":
                continue
            newline = raw.find(b"\n", position, min(part.end, position + 200))
            tail_end = newline if newline >= 0 else min(part.end, position + 200)
            tail = raw[position:tail_end].strip(_WHITE)
            if tail not in (b"", b"--"):
                continue
            if begun >= 0:
                yield begun, max(begun, self._before_line(at))
                found += 1
            if tail == b"--":
                return
            position = begun = newline + 1 if newline >= 0 else tail_end
        if begun >= 0:
            if found < MAX_PARTS:
                self.defects.append("the closing boundary is missing")
            yield begun, part.end

    def _before_line(self, at: int) -> int:
        at -= 1 if self.raw[at - 1 : at] == b"\n" else 0
        return at - 1 if self.raw[at - 1 : at] == b"\r" else at


def decode_transfer(data: bytes, encoding: bytes, defects: list[str]) -> bytes:
    """`data` out of its Content-Transfer-Encoding; what cannot be read is left out, an unknown encoding changes nothing."""
    name = one_line(encoding[:100].decode("ascii", "replace")).lower().strip("\"' ")
    if "base64" in name:
        return _decode_base64(data, defects)
    if name.startswith("quoted"):
        return binascii.a2b_qp(data)
    if name in ("x-uuencode", "uuencode", "uue", "x-uue"):
        decoded = decode_uuencoded(data)
        if decoded is None:
            defects.append("uuencoded text without a beginning")
            return data
        return decoded
    return data


def decode_uuencoded(data: bytes) -> bytes | None:
    """The bytes between `begin 644 name` and `end`, None when there is no beginning."""
    begin = re.search(rb"(?m)^begin [0-7]{3,4} [^\r\n]*\r?\n", data)
    if begin is None:
        return None
    out: list[bytes] = []
    for line in data[begin.end() :].splitlines():
        if line.strip() in (b"end", b"`", b""):
            if line.strip() == b"end":
                break
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            try:
                # Some encoders pad a line with junk; its first character says how much of it counts.
                out.append(binascii.a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3]))
            except binascii.Error:
                continue
    return b"".join(out)


def _decode_base64(data: bytes, defects: list[str]) -> bytes:
    packed = data.translate(None, _WHITE)
    try:
        return binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error:
        defects.append("broken base64")
    out: list[bytes] = []
    chunk = bytearray()
    padded = False
    for line in data.splitlines():
        line = line.strip(_WHITE)
        foreign = _NOT_BASE64.search(line) is not None
        if foreign and (padded or b" " in line):
            break  # a list's footer or a scanner's note behind the encoded text
        if foreign:
            line = _NOT_BASE64.sub(b"", line)
        pieces = line.split(b"=")
        for number, piece in enumerate(pieces):
            padded = padded or number > 0
            chunk += piece
            if number < len(pieces) - 1:
                out.append(_decode_chunk(chunk))
                chunk = bytearray()
    out.append(_decode_chunk(chunk))
    return b"".join(out)


def _decode_chunk(chunk: bytearray) -> bytes:
    if len(chunk) % 4 == 1:
        chunk = chunk[:-1]
    return binascii.a2b_base64(bytes(chunk) + b"=" * (-len(chunk) % 4)) if chunk else b""
