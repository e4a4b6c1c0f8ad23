"""Where a person may be led, and whether the words of a link say so."""

import re
from urllib.parse import urlsplit

IN_URL = re.compile("[\x00-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sip", "sms"})
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}", re.IGNORECASE)
_HOST_IN_TEXT = re.compile(
    r"(?:https?://|www\.|@)[^\s/@:?#]{3,253}|^\s*(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}(?=[/:?#\s]|$)"
    r"|(?<![\w.@/-])(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}(?=/)",  # with a path after it, also among other words
    re.IGNORECASE,
)
_FILE_ENDINGS = frozenset(
    "pdf doc docx xls xlsx ppt pptx txt md html htm csv zip png jpg jpeg gif ics eml py js".split()
)


def link_address(url: str) -> str:
    """`url` when a person may be led there, completed where its scheme is missing; "" for anything else.

    Addresses without a host would point into this program, so they are not links. A scheme may not hide behind
    spaces, controls or invisible characters.
    """
    url = IN_URL.sub(lambda match: "%20" if match[0] == " " else "", url.strip())
    while url.startswith("%20"):
        url = url[3:]
    if len(url) > 4_000:
        return ""
    if url.startswith("//"):
        url = f"https:{url}"
    scheme = _SCHEME.match(url)
    if scheme is None or "." in scheme[1]:
        if not _HOST.match(url) or not re.match(r"[^/:?#@]+(?::\d{1,5})?(?:[/?#]|$)", url):
            return ""
        url = f"http://{url}"
    elif scheme[1].lower() not in LINK_SCHEMES:
        return ""
    if url.lower().startswith("http"):
        try:
            parts = urlsplit(url.replace("\\", "/"))
            host = parts.hostname
        except ValueError:
            return ""
        if not host or parts.scheme.lower() not in ("http", "https"):
            return ""
        url = url.replace("\\", "/")
    return url.replace('"', "%22").replace("'", "%27").replace("<", "%3C").replace(">", "%3E").replace("`", "%60")


def other_host(words: str, target: str) -> str:
    """The host of `target` when the words of the link name another one, else ""."""
    if not target.lower().startswith("http"):
        return ""
    real = (urlsplit(target).hostname or "").removeprefix("www.")
    return real if any(_names_another(shown[0], real) for shown in _HOST_IN_TEXT.finditer(words[:2_000])) else ""


def _names_another(shown: str, real: str) -> bool:
    name = re.sub(r"^(?:https?://|@)", "", shown.strip().lower()).rstrip(".,;:!)")
    if name.rsplit(".", 1)[-1] in _FILE_ENDINGS and not shown.lower().startswith(("http", "www.")):
        return False
    name = name.removeprefix("www.")
    return not (name == real or real.endswith(f".{name}") or name.endswith(f".{real}"))
