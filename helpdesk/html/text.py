"""From HTML to words, and from words to HTML."""

import html as entities
import re

from django.utils.safestring import SafeString, mark_safe
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from helpdesk.html.links import link_address
from helpdesk.html.tags import BLANK_LINES, MAX_CHARACTERS, is_ordinary, prepare, scrub, strip_tags

_URL_IN_TEXT = re.compile(
    r"(?<![\w@.])(?P<url>(?:https?://|www\.)[^\s<>\"\u00ab\u00bb\u201c\u201d]{3,2000})"
    r"|(?<![\w.+-])(?P<mail>[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24})(?![\w@])",
    re.IGNORECASE,
)
_AFTER_URL = frozenset(".,;:!?'*_)]")
_LINK_MARKS = re.compile(r"\[([^\[\]\n]{0,2000})\]\(([^()\s]{1,2000})\)")


def to_text(html: str, *, links: bool = False) -> str:
    """The words of any HTML, for search, previews and text parts; with `links` an address follows its words."""
    if not html.strip():
        return ""
    prepared, _ = prepare(scrub(html)[: MAX_CHARACTERS * 4])
    if len(prepared) > MAX_CHARACTERS or not is_ordinary(prepared):
        return strip_tags(prepared)
    try:
        text = get_text(
            f"<html><body>{prepared}</body></html>", ParserConfig(css=CSS_PROFILES["strict"], display_links=links)
        )
    except Exception:  # lxml and inscriptis have many ways to stumble; the words matter more
        return strip_tags(prepared)
    if links:
        text = _LINK_MARKS.sub(_write_link, text)
    lines = (line.rstrip() for line in text.replace("\xa0", " ").split("\n"))
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def has_words(html: str) -> bool:
    """Whether any HTML says something, told in much less time than `to_text` takes."""
    return bool(strip_tags(prepare(scrub(html)[: MAX_CHARACTERS * 2])[0]).strip())


def from_text(text: str) -> SafeString:
    """Plain text as safe paragraphs, line breaks and indents kept, addresses made links."""
    text = scrub(text).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not text.strip():
        return mark_safe("")
    paragraphs = re.split(r"\n(?:[ \t]*\n)+", text)
    return mark_safe("\n".join(f"<p>{_link_text(paragraph)}</p>" for paragraph in paragraphs))


def _link_text(text: str) -> str:
    out: list[str] = []
    position = 0
    for match in _URL_IN_TEXT.finditer(text):
        if match["mail"]:
            shown, url = match["mail"], f"mailto:{match['mail']}"
        else:
            shown = _without_end_of_sentence(match["url"])
            url = link_address(shown)
        if not url:
            continue
        out.append(_escape_lines(text[position : match.start()]))
        out.append(
            f'<a href="{entities.escape(url)}" target="_blank" rel="noopener noreferrer nofollow">'
            f"{entities.escape(shown, quote=False)}</a>"
        )
        position = match.start() + len(shown)
    out.append(_escape_lines(text[position:]))
    return "".join(out)


def _without_end_of_sentence(url: str) -> str:
    """The address alone: no full stop after it, and no bracket that opened before it."""
    closed_too_often = url.count(")") + url.count("]") - url.count("(") - url.count("[")
    end = len(url)
    while end and url[end - 1] in _AFTER_URL:
        if url[end - 1] in ")]":
            if closed_too_often <= 0:
                break
            closed_too_often -= 1
        end -= 1
    return url[:end]


def _escape_lines(text: str) -> str:
    text = entities.escape(text, quote=False).replace("\t", "    ")
    text = re.sub(r"(?m)^ +| {2,}", lambda match: "\xa0" * len(match[0]), text)
    return text.replace("\n", "<br>\n")


def _write_link(match: re.Match[str]) -> str:
    words, url = match[1].strip(), entities.unescape(match[2])
    bare = re.sub(r"^(?:https?://|mailto:)", "", url).rstrip("/")
    if not words:
        return url if link_address(url) else ""
    if bare in words or not link_address(url):
        return words
    return f"{words} ({url})"
