"""Bytes to text: what a mail says its charset is, what it more likely is, and never an exception."""

import codecs
import re
from collections.abc import Iterable

from charset_normalizer import from_bytes

# What senders write against what they mean: the larger charset that holds the one they name.
_MEANT = {
    "ascii": "ascii",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "johab": "cp949",
    "tis-620": "cp874",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
}
_UNKNOWN_TO_PYTHON = {
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "iso-gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "ansi_x3.110-1983": "cp1252",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "unknown-8bit": "",
    "x-unknown": "",
    "default": "",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "cp-850": "cp850",
    "windows-874": "cp874",
    "dos-874": "cp874",
}
# Text codecs of Python that no mail may choose: they are slow, or are not charsets.
_REFUSED = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_WESTERN = {"ascii", "cp1252", "iso8859-15"}
# Ordered by how often they turn up undeclared; a short list keeps one-sentence mails from being read as rarities.
_CANDIDATES = [
    "utf_8",
    "cp1252",
    "cp1251",
    "koi8_r",
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
]
_DETECT_BYTES = 16_384
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def find_codec(name: str, *, header: bool = False) -> str:
    """The name of the codec to read `name` with, "" when it is unknown or not a charset at all."""
    name = name.strip().strip("\"'").strip().lower()[:60].split("*", 1)[0]
    if not name or not name.isascii():
        return ""
    name = _UNKNOWN_TO_PYTHON.get(name, name)
    if name in ("utf-7", "utf7", "unicode-1-1-utf-7"):
        return "" if header else "utf-7"
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return ""
    if not getattr(info, "_is_text_encoding", True) or info.name.replace("-", "_") in _REFUSED:
        return ""
    return _MEANT.get(info.name, info.name)


def decode(data: bytes, declared: str = "", *, hints: Iterable[str] = (), header: bool = False) -> str:
    """Text of `data`, by its declared charset, then UTF-8, the hints, a detector and at last Windows-1252.

    Control characters that no text holds, NULs and lone surrogates do not come out.
    """
    return scrub(_decode(data, declared, hints, header))


def scrub(text: str) -> str:
    """`text` without what PostgreSQL refuses (NUL, lone surrogates) and without other invisible control characters."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def _decode(data: bytes, declared: str, hints: Iterable[str], header: bool) -> str:
    codec = find_codec(declared, header=header)
    if data.isascii() and codec in ("", "ascii", "cp1252", "utf-8"):
        # Japanese mail without a declared charset is 7 bits wide and starts its characters with an escape.
        japanese = _try(data, "iso2022_jp") if b"\x1b$" in data else None
        return data.decode("ascii") if japanese is None else japanese
    # Text that is valid UTF-8 by chance, yet is not UTF-8, is not seen in mail.
    if (codec in _WESTERN or not codec) and (text := _try(data, "utf-8")) is not None:
        return text
    if codec and (text := _try(data, codec)) is not None:
        return text
    if codec == "utf-8":
        text = data.decode("utf-8", "replace")
        wide = sum(1 for character in text[:_DETECT_BYTES] if character > "\x7f")
        if text[:_DETECT_BYTES].count("\ufffd") * 2 <= wide:
            return text
    elif codec and codec not in _WESTERN:
        # A few broken characters, as a cut mail has: the declared charset is still the best guess.
        text = data.decode(codec, "replace")
        if text.count("\ufffd") * 20 <= len(text):
            return text
    elif codec and (text := _try(data, "utf-8")) is not None:
        return text
    for hint in hints:
        hinted = find_codec(hint, header=header)
        if hinted and hinted not in _WESTERN and (text := _try(data, hinted)) is not None:
            return text
    if codec in _WESTERN and codec != "ascii":
        return data.decode(codec, "replace")
    return _detect(data)


def _try(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def _detect(data: bytes) -> str:
    try:
        best = from_bytes(data[:_DETECT_BYTES], cp_isolation=_CANDIDATES, steps=5, chunk_size=512).best()
        codec = best.encoding if best is not None else "cp1252"
    except Exception:  # a detector that stumbles over hostile bytes is no reason to lose a mail
        codec = "cp1252"
    return data.decode(codec, "replace")
