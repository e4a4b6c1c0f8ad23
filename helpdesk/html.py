"""The one place where foreign HTML becomes safe, and the only one that may call mark_safe.

`clean` is for mail, once, in a worker, before the database keeps its result; the small functions below it (`mark_clean`,
`resolve_cids`, `show_remote_images` …) take what `clean` made and are cheap enough for every view.

bleach is thorough but slow on hostile input (10,000 nested elements take seconds), so `fits` walks the tags first, with
the rules by which a browser opens and closes them. Above a cap the mail is shown as its plain text.
"""

import html as entities
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import css_inline
import tinycss2
from bleach import html5lib_shim
from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import BleachSanitizerFilter, Cleaner
from django.utils.safestring import SafeString, mark_safe
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

MAX_CHARACTERS = 512 * 1024
MAX_TAGS = 20_000
MAX_OPENINGS = 10_000
MAX_AMPERSANDS = 20_000
MAX_DEPTH = 256
MAX_ATTRIBUTES = 60
MAX_REOPENED = 100_000
MAX_STYLE_WORK = 4_000_000
MAX_PLAIN = 512 * 1024

_TEXT_TAGS = frozenset(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn "
    "div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q "
    "rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul "
    "var wbr".split()
)
_EDITOR_TAGS = frozenset(
    "a b blockquote br code div em font h1 h2 h3 h4 hr i img li ol p pre s span strong sub sup table tbody td tfoot th "
    "thead tr u ul".split()
)
# Their content goes with them. noscript is not here: mail is read without scripts, so what it holds is shown, cleaned.
_DROPPED_TAGS = frozenset("script style title svg math template iframe".split())
# Elements whose content a browser reads by other rules than the rest; the scan needs them gone to be exact.
_OTHER_RULES = "script|style|title|svg|math|template|iframe|xmp|plaintext|noembed|noframes|noscript|textarea|select"
_SCAFFOLD = (
    "html|head|meta|base|link|form|button|input|option|optgroup|frameset|frame|object|applet|marquee|embed|param"
)

_SHARED_ATTRIBUTES = frozenset({"title", "dir", "lang", "align", "valign", "style"})
_TABLE_ATTRIBUTES = frozenset({"width", "height", "bgcolor", "border", "cellpadding", "cellspacing", "nowrap"})
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href"}),
    "img": frozenset({"src", "data-remote-src", "alt", "width", "height", "border"}),
    "table": _TABLE_ATTRIBUTES,
    "tr": _TABLE_ATTRIBUTES,
    "tbody": _TABLE_ATTRIBUTES,
    "thead": _TABLE_ATTRIBUTES,
    "td": _TABLE_ATTRIBUTES | {"colspan", "rowspan"},
    "th": _TABLE_ATTRIBUTES | {"colspan", "rowspan", "scope"},
    "col": frozenset({"span", "width"}),
    "colgroup": frozenset({"span", "width"}),
    "font": frozenset({"color", "face", "size"}),
    "ol": frozenset({"start", "type", "reversed"}),
    "ul": frozenset({"type"}),
    "li": frozenset({"value"}),
    "hr": frozenset({"width", "size", "color", "noshade"}),
    "time": frozenset({"datetime"}),
    "details": frozenset({"open"}),
    "blockquote": frozenset({"type"}),
}
_EDITOR_ATTRIBUTES: dict[str, frozenset[str]] = _ATTRIBUTES | {
    "img": _ATTRIBUTES["img"] | {"data-cid", "data-upload"},
    "span": frozenset({"data-mention"}),
    "a": frozenset({"href", "data-mention"}),
}
_NUMBER = re.compile(r"\s*\+?(\d{1,300}(?:\.\d{1,20})?)")
_DATA_VALUE = re.compile(r"[\w.@+-]{1,255}")

_CSS = frozenset(
    "background background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width "
    "border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius "
    "border-right border-right-color border-right-style border-right-width border-spacing border-style border-top "
    "border-top-color border-top-style border-top-width border-width box-sizing caption-side clear color direction "
    "display empty-cells float font font-family font-size font-style font-variant font-weight height letter-spacing "
    "line-height list-style list-style-position list-style-type margin margin-bottom margin-left margin-right "
    "margin-top max-height max-width min-height min-width opacity overflow overflow-wrap padding padding-bottom "
    "padding-left padding-right padding-top table-layout text-align text-decoration text-indent text-transform "
    "unicode-bidi vertical-align white-space width word-break word-spacing word-wrap".split()
)
_EDITOR_CSS = frozenset(
    "background-color border border-bottom border-collapse border-left border-right border-top color font-family "
    "font-size font-style font-weight height margin-left padding text-align text-decoration vertical-align width "
    "white-space".split()
)
_BAD_CSS = re.compile(r"url|expression|javascript|behavio|binding|@|\\|<|>|var\s*\(|env\s*\(|image|attr\s*\(|/\*|[{};]")
# Distances below nothing lay words over those of others. What a calculation comes to is not seen here.
_NEGATIVE = re.compile(r"-\s*[\d.]")
_COMPUTED = re.compile(r"(?:calc|min|max|clamp)\s*\(")
_SPACING = ("margin", "text-indent", "letter-spacing", "word-spacing")
# What stands in our own pages is no larger than they are: at most so many pixels, and per cent where that is a length.
_MOST_PIXELS = {"font-size": 48, "width": 2_000, "height": 2_000, "margin-left": 200, "padding": 60}
_MOST_PER_CENT = {"font-size": 100, "width": 100, "height": 100}
_MOST_OTHERWISE = 20
_PIXELS = {"px": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "rem": 16.0, "em": 16.0}
_PIXELS |= {"ex": 8.0, "ch": 8.0}
# An element in another of the same name is larger by this again, and again.
_GROWING = frozenset({"em", "ex", "ch"})
_MOST_OF_ATTRIBUTE = {"width": 2_000, "height": 2_000, "border": 20, "cellpadding": 60, "cellspacing": 60, "size": 20}
# In our own pages a block is as large as its words; only these have a size of their own.
_SIZED_IN_EDITOR = frozenset("img table td th".split())
_SIZE = re.compile(r"(?:^|(?<=; ))(?:width|height): [^;]*(?:; |$)")

# Tags as a browser's tokenizer sees them: one that nothing ends takes in all that follows. Possessive, so that all of
# them are found in linear time.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)"
    r"(?P<attributes>(?:[\s/]++|(?:=[^\s/>=]*+|[^\s/>=]++)"
    r"(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+|(?=>)))?+)*+)(?P<whole>>?)"
)
_ATTRIBUTE = re.compile(r"[\s/]++[^\s/>]")
_QUOTED_VALUE = re.compile(r"=\s*+[\"']")
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_SCOPES = frozenset({"table", "td", "th", "caption"})
# What ends an open paragraph, and what a list item looks through for the one before it (HTML, 13.2.6.4.7).
_CLOSE_P = frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer h1 h2 h3 "
    "h4 h5 h6 header hgroup li main menu nav ol p pre section summary ul".split()
)
_SPECIAL = _CLOSE_P | frozenset("caption colgroup listing table tbody td tfoot th thead tr".split())
_TABLE_PARTS = frozenset("caption col colgroup tbody td tfoot th thead tr".split())
_IN_ITEMS = _FORMATTING | frozenset(
    "abbr address bdi bdo cite del dfn div ins kbd mark p q samp span sub sup var".split()
)

_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL)
_BEGINNINGS = {
    name: (re.compile(rf"<{name}\b", re.IGNORECASE), re.compile(rf"</{name}\b", re.IGNORECASE))
    for name in ("style", "script", "title", "svg", "math", "template", "iframe")
}
_ODD_TAGS = re.compile(rf"</?(?:{_OTHER_RULES}|{_SCAFFOLD})(?![\w-])[^<>]*+>?", re.IGNORECASE)
# A doctype, <?xml …?>, <![if !mso]>: what a browser takes for a comment.
_DECLARATION = re.compile(r"<[!?][^<>]*+>")
_NOT_A_TAG = re.compile(r"<(?!/?[a-zA-Z])")
# No character has so many digits, and Python refuses to read a number of thousands.
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}+;?")
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")
_BREAKING_TAG = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h[1-6]|/?table|/?blockquote)\b[^<>]{0,2000}>", re.IGNORECASE)

_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_IN_URL = re.compile("[\x00-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sip", "sms"})
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=]+", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}", re.IGNORECASE)
_HOST_IN_TEXT = re.compile(
    r"(?:https?://|www\.|@)[^\s/@:?#]{3,253}|^\s*(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}(?=[/:?#\s]|$)"
    r"|(?<![\w.@/-])(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}(?=/)",  # with a path after it, also among other words
    re.IGNORECASE,
)
_FILE_ENDINGS = frozenset(
    "pdf doc docx xls xlsx ppt pptx txt md html htm csv zip png jpg jpeg gif ics eml py js".split()
)

_REMOTE_IMAGE = re.compile(r'<img data-remote-src="([^"]*)"')
_IMAGE = re.compile(r"<img(?=[\s>])[^<>]*>")
_DESCRIPTION = re.compile(r' alt="([^"]*)"')
_SOURCE = re.compile(r' (?:src|data-remote-src)="([^"]*)"')
_MENTIONING_TAG = re.compile(r"<(?:span|a)(?= )[^<>]*>")
_MENTION_MARK = re.compile(r' data-mention="([^"]*)"')
_CID_IMAGE = re.compile(r'<img src="cid:([^"]*)"', re.IGNORECASE)

_URL_IN_TEXT = re.compile(
    r"(?<![\w@.])(?P<url>(?:https?://|www\.)[^\s<>\"\u00ab\u00bb\u201c\u201d]{3,2000})"
    r"|(?<![\w.+-])(?P<mail>[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24})(?![\w@])",
    re.IGNORECASE,
)
_AFTER_URL = frozenset(".,;:!?'*_)]")
_LINK_MARKS = re.compile(r"\[([^\[\]\n]{0,2000})\]\(([^()\s]{1,2000})\)")
_BLANK_LINES = re.compile(r"\n(?:[ \t\xa0]*\n){2,}")


def clean(html: str) -> SafeString:
    """Foreign HTML made safe to show: a fragment, links marked, remote images not loaded.

    Style sheets are applied to the elements first. A remote image has its address in `data-remote-src` until
    `show_remote_images`; a `cid:` one waits for `resolve_cids`. Cleaning twice gives the same again. What does not
    `fit` comes out as its plain text.
    """
    return _clean(html, _MailCleaner)


def clean_editor(html: str) -> SafeString:
    """HTML of our own editor, or on its way into it: fewer elements, addresses of our own allowed for images.

    Keeps `data-cid`, `data-upload` (img) and `data-mention` (a, span), plain values only.
    """
    return _clean(html, _EditorCleaner)


def fits(html: str) -> bool:
    """Whether `clean` shows this as HTML and not as plain text: its size, depth and count of elements are ordinary."""
    return len(html) <= MAX_CHARACTERS and _is_ordinary(_prepare(_scrub(html))[0])


def mark_clean(clean_html: str) -> SafeString:
    """What `clean` or `clean_editor` made, come back from the database. Never call it on anything else."""
    return mark_safe(clean_html)


def count_remote_images(clean_html: str) -> int:
    """How many images of a cleaned HTML wait to be loaded from elsewhere."""
    return len(_REMOTE_IMAGE.findall(clean_html))


def show_remote_images(clean_html: str) -> SafeString:
    """The cleaned HTML with its remote images, since the reader asked for them."""
    return mark_safe(_REMOTE_IMAGE.sub(r'<img referrerpolicy="no-referrer" src="\1"', clean_html))


def resolve_cids(clean_html: str, urls: Mapping[str, str]) -> SafeString:
    """The cleaned HTML with its inline images pointed at `urls`, by content id (in any spelling normalize_cid knows).

    An image whose part did not come keeps its alternative text and gets no address.
    """
    known = {normalize_cid(cid): url for cid, url in urls.items()}

    def point(match: re.Match[str]) -> str:
        url = known.get(normalize_cid(entities.unescape(match[1])))
        return f'<img src="{entities.escape(url)}"' if url else "<img"

    return mark_safe(_CID_IMAGE.sub(point, clean_html))


def without_mentions(clean_html: str) -> SafeString:
    """The cleaned HTML without its marks of whom it names; the names stay."""
    return mark_safe(_MENTIONING_TAG.sub(lambda tag: _MENTION_MARK.sub("", tag[0]), clean_html))


def mentions_in(clean_html: str) -> list[str]:
    """Whom cleaned HTML of our editor names: what its elements say, not what reads like it among the words.

    In cleaned HTML every tag is whole, and a quote inside an attribute or the words is written otherwise.
    """
    tags = _MENTIONING_TAG.findall(clean_html)
    return [mark[1] for mark in map(_MENTION_MARK.search, tags) if mark]


def describe_images(clean_html: str) -> SafeString:
    """The cleaned HTML with the description of each image in its place, or nothing where it has none."""

    def describe(match: re.Match[str]) -> str:
        description = _DESCRIPTION.search(match[0])
        return f"[{description[1]}]" if description and description[1].strip() else ""

    return mark_safe(_IMAGE.sub(describe, clean_html))


def with_sources(clean_html: str, change: Callable[[str], str]) -> SafeString:
    """The cleaned HTML with the address of each image as `change` makes it. Clean it again if that may be unsafe."""

    def source(match: re.Match[str]) -> str:
        old = entities.unescape(match[1])
        new = change(old)
        return match[0] if new == old else f' src="{entities.escape(new)}"'

    return mark_safe(_IMAGE.sub(lambda image: _SOURCE.sub(source, image[0]), clean_html))


def normalize_cid(cid: str) -> str:
    """One spelling for a content id: no angle brackets, no `cid:`, percent signs undone, lower case."""
    cid = unquote(_SURROGATES.sub("", cid)).strip().strip("<>").strip().lower()
    return cid.removeprefix("cid:")[:500]


def to_text(html: str, *, links: bool = False) -> str:
    """The words of any HTML, for search, previews and text parts; with `links` an address follows its words."""
    if not html.strip():
        return ""
    prepared, _ = _prepare(_scrub(html)[: MAX_CHARACTERS * 4])
    if len(prepared) > MAX_CHARACTERS or not _is_ordinary(prepared):
        return _strip_tags(prepared)
    try:
        text = get_text(
            f"<html><body>{prepared}</body></html>", ParserConfig(css=CSS_PROFILES["strict"], display_links=links)
        )
    except Exception:  # lxml and inscriptis have many ways to stumble; the words matter more
        return _strip_tags(prepared)
    if links:
        text = _LINK_MARKS.sub(_write_link, text)
    lines = (line.rstrip() for line in text.replace("\xa0", " ").split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def has_words(html: str) -> bool:
    """Whether any HTML says something, told in much less time than `to_text` takes."""
    return bool(_strip_tags(_prepare(_scrub(html)[: MAX_CHARACTERS * 2])[0]).strip())


def from_text(text: str) -> SafeString:
    """Plain text as safe paragraphs, line breaks and indents kept, addresses made links."""
    text = _scrub(text).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not text.strip():
        return mark_safe("")
    paragraphs = re.split(r"\n(?:[ \t]*\n)+", text)
    return mark_safe("\n".join(f"<p>{_link_text(paragraph)}</p>" for paragraph in paragraphs))


# Before bleach: what is read by other rules goes, style sheets are applied, and the tags are counted.


def _clean(html: str, cleaner: type["_MailCleaner"]) -> SafeString:
    if not html.strip():
        return mark_safe("")
    html = _scrub(html)
    if len(html) > MAX_CHARACTERS:
        return from_text(_strip_tags(_prepare(html[: MAX_CHARACTERS * 2])[0])[:MAX_PLAIN])
    prepared, css = _prepare(html)
    if not _is_ordinary(prepared):
        return from_text(_strip_tags(prepared)[:MAX_PLAIN])
    try:
        styled = _apply_styles(prepared, css)
        # The body's own colours survive on a block of their own.
        styled = re.sub(r"<(/?)body(?=[\s/>])", r"<\1div", styled, flags=re.IGNORECASE)
        return mark_safe(cleaner().clean(styled).strip())
    except (ValueError, RecursionError, AssertionError, KeyError, IndexError, AttributeError, TypeError):
        # The parsers below stumble over some hostile input (a number with 5,000 digits); its words are still shown.
        return from_text(_strip_tags(prepared)[:MAX_PLAIN])


def _scrub(text: str) -> str:
    return _SURROGATES.sub("\ufffd", _INVISIBLE.sub("", text))


def _prepare(html: str) -> tuple[str, str]:
    """`html` with ordinary elements only, and the style sheets that stood in it."""
    html = _LONG_NUMBER.sub("\ufffd", _DECLARATION.sub("", _COMMENT.sub("", html)))
    html, sheets = _cut_out(html, "style")
    for name in ("script", "title", "svg", "math", "template", "iframe"):
        html, _ = _cut_out(html, name)
    for _ in range(5):
        html, found = _ODD_TAGS.subn("", html)
        if not found:
            break
    else:
        # Tags inside tags inside tags: only somebody with bad intent writes so.
        html = _ODD_TAGS.sub(lambda match: entities.escape(match[0]), html)
    return _NOT_A_TAG.sub("&lt;", html), "\n".join(sheets)


def _cut_out(html: str, name: str) -> tuple[str, list[str]]:
    """`html` without the elements of this name, and what stood in them.

    Each search goes on where the one before it ended, and the first that finds nothing is the last: any input takes
    linear time.
    """
    if f"<{name}" not in html.lower():
        return html, []
    opening, closing = _BEGINNINGS[name]
    out: list[str] = []
    contents: list[str] = []
    position = 0
    while match := opening.search(html, position):
        start = html.find(">", match.end()) + 1
        if not start:
            break
        stop = closing.search(html, start)
        end = html.find(">", stop.end()) + 1 if stop else 0
        if not end and name != "style":  # a style sheet that nothing ends goes on to the end of the mail
            break
        out.append(html[position : match.start()])
        contents.append(html[start : stop.start() if stop and end else len(html)])
        position = end or len(html)
    return "".join(out) + html[position:], contents


def _is_ordinary(html: str) -> bool:
    if html.count("<") > MAX_TAGS or html.count("&") > MAX_AMPERSANDS:
        return False
    stack: list[str] = []
    # A browser opens formatting elements again in every block after one that left them open, and so does bleach: a few
    # kilobytes can become millions of elements.
    active: list[tuple[str, str]] = []
    bases: list[int] = []  # for each open table, how many of them were open around it
    reopened = openings = 0
    for match in _TAG.finditer(html):
        name, closes = match["name"].lower(), bool(match["end"])
        attributes = match["attributes"]
        if len(attributes) > 2 * MAX_ATTRIBUTES and _has_many_attributes(attributes):
            return False
        if not match["whole"]:
            break
        if name in _TABLE_PARTS and "table" not in stack:
            openings += 1
            continue  # ignored outside a table
        if bases and name in ("td", "th", "tr", "caption"):
            del active[bases[-1] :]
        if closes:
            if name in _FORMATTING:
                last = next((i for i in range(len(active) - 1, -1, -1) if active[i][0] == name), None)
                if last is not None:
                    del active[last]
            elif name == "table" and "table" in stack and bases:
                del active[bases.pop() :]
            _close(stack, name)
            continue
        openings += 1
        reopened += len(active)
        if openings > MAX_OPENINGS or reopened > MAX_REOPENED:
            return False
        if name in _VOID:
            continue
        if name in _FORMATTING:
            if active.count((name, attributes)) < 3:  # more than three alike are not kept (HTML, 13.2.4.3)
                active.append((name, attributes))
        elif name == "table":
            bases.append(len(active))
        elif name in ("td", "th", "tr"):
            _close_until(stack, name)
        elif name in _CLOSE_P:
            if name in ("li", "dt", "dd"):
                _close_item(stack, ("li",) if name == "li" else ("dt", "dd"))
            _close(stack, "p")
        stack.append(name)
        if len(stack) + len(active) > MAX_DEPTH:
            return False
    return True


def _has_many_attributes(attributes: str) -> bool:
    """An attribute begins after a space or right after the quote that ends the one before it."""
    return any(len(sign.findall(attributes)) > MAX_ATTRIBUTES for sign in (_ATTRIBUTE, _QUOTED_VALUE))


def _close(stack: list[str], name: str) -> None:
    """Takes the element off, with all that is open inside it; a table shields what lies around it (HTML, 13.2.6.4.7)."""
    for index in range(len(stack) - 1, -1, -1):
        opened = stack[index]
        if opened == name:
            # Blocks inside a formatting element outlive its end.
            del stack[index : index + 1 if name in _FORMATTING else len(stack)]
            return
        if opened == "table" or (opened in _SCOPES and name not in _TABLE_PARTS and name != "table"):
            return
        if (name not in _SPECIAL and name not in _FORMATTING and opened in _SPECIAL) or (
            name == "li" and opened in ("ul", "ol")
        ):
            return


def _close_item(stack: list[str], names: tuple[str, ...]) -> None:
    for index in range(len(stack) - 1, -1, -1):
        if stack[index] in names:
            del stack[index:]
            return
        if stack[index] not in _IN_ITEMS:
            return


def _close_until(stack: list[str], name: str) -> None:
    """A new row or cell closes the one before it in the same table."""
    ends = ("tr", "td", "th", "caption", "colgroup") if name == "tr" else ("td", "th", "caption")
    for index in range(len(stack) - 1, -1, -1):
        if stack[index] == "table":
            return
        if stack[index] in ends:
            del stack[index:]
            if name == "tr" and "tr" in stack[index - 1 : index]:
                stack.pop()
            return


def _apply_styles(html: str, css: str) -> str:
    css = css.replace("<!--", " ").replace("-->", " ").replace("<", " ")
    if not css.strip() or len(css) > MAX_CHARACTERS or css.count("{") * html.count("<") > MAX_STYLE_WORK:
        return html
    try:
        inlined = css_inline.inline(f"<style>{css}</style>{html}", load_remote_stylesheets=False)
    except css_inline.InlineError:
        return html
    # Every element may have taken over a long rule; then the mail is shown without its style sheet.
    return inlined if len(inlined) <= 2 * MAX_CHARACTERS else html


def _strip_tags(html: str) -> str:
    text = _ANY_TAG.sub("", _BREAKING_TAG.sub("\n", html))
    if text.count("&") <= MAX_AMPERSANDS * 5:
        text = entities.unescape(text)
    else:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
    lines = (line.strip() for line in _scrub(text).replace("\xa0", " ").split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


# bleach, with what mail needs around it.


class _Css(CSSSanitizer):
    def sanitize_css(self, style: str) -> str:
        return _safe_css(style, self.allowed_css_properties)  # type: ignore[arg-type]  # a frozenset


@lru_cache(maxsize=1_024)  # the cells of a table have one style
def _safe_css(style: str, allowed: frozenset[str]) -> str:
    style = entities.unescape(style)
    if len(style) > 8_192 or sum(style.count(c) for c in "([{") > 60:
        return ""
    kept = []
    for token in tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True):
        if token.type != "declaration" or token.lower_name not in allowed:
            continue
        value = tinycss2.serialize(token.value).strip()
        lowered = value.lower()
        if not value or _BAD_CSS.search(lowered):
            continue
        is_spacing = token.lower_name.startswith(_SPACING)
        if is_spacing and _NEGATIVE.search(lowered):
            continue
        if (is_spacing or allowed is _EDITOR_CSS) and _COMPUTED.search(lowered):
            continue
        if allowed is _EDITOR_CSS and not _fits_in_page(token.lower_name, token.value):
            continue
        kept.append(f"{token.lower_name}: {value.replace(chr(34), chr(39))}" + (" !important" * token.important))
    # Written for an attribute whose entities bleach leaves alone.
    return entities.escape("; ".join(kept), quote=False)


def _fits_in_page(name: str, value: list[Any]) -> bool:
    """Whether a declaration takes no more room than its words may have. Percentages of a font grow like `em`."""
    most = _MOST_PIXELS.get(name, _MOST_OTHERWISE)
    for part in value:
        if part.type == "ident" and part.lower_value == "larger":
            return False
        if part.type == "percentage" and not 0 <= part.value <= _MOST_PER_CENT.get(name, 50):
            return False
        if part.type == "dimension":
            pixels = part.value * _PIXELS.get(part.lower_unit, math.inf)
            grows = name == "font-size" and part.lower_unit in _GROWING
            if not 0 <= pixels <= (16 if grows else most):
                return False
    return True


def _is_modest(attribute: str, value: str) -> bool:
    most = _MOST_OF_ATTRIBUTE.get(attribute)
    number = _NUMBER.match(value)
    if most is None or number is None:
        return True
    return float(number[1]) <= (100 if "%" in value else most)


class _DropFilter(html5lib_shim.Filter):  # type: ignore[name-defined]  # the stubs leave it out
    """Takes elements out together with their content, before the sanitizer would print it."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        inside = 0
        for token in super().__iter__():
            kind, name = token["type"], token.get("name", "")
            if kind == "StartTag" and (inside or name in _DROPPED_TAGS):
                inside += 1
            elif kind == "EndTag" and inside:
                inside -= 1
            elif not inside and not (kind == "EmptyTag" and name in _DROPPED_TAGS):
                yield token


class _FinishFilter(html5lib_shim.Filter):  # type: ignore[name-defined]  # the stubs leave it out
    """Links open elsewhere and say where they lead; images keep their address where nothing loads it."""

    own_addresses = False
    shows_hosts = True

    def __iter__(self) -> Iterator[dict[str, Any]]:
        target = ""
        words: list[str] = []
        for token in super().__iter__():
            kind, name = token["type"], token.get("name", "")
            if kind in ("StartTag", "EmptyTag"):
                # Without a bare quote in it a value is always written in double quotes.
                token["data"] = {k: entities.escape(self._value(name, k[1], v)) for k, v in token["data"].items()}
            if kind in ("StartTag", "EmptyTag") and name == "a":
                target, words = self._finish_link(token), []
            elif kind in ("StartTag", "EmptyTag") and name == "img":
                self._finish_image(token)
            elif kind in ("Characters", "SpaceCharacters") and target:
                words.append(token["data"])
            elif kind == "Entity" and target:
                words.append(entities.unescape(f"&{token['name']};"))
            elif kind == "EndTag" and name == "a" and target:
                yield token
                if self.shows_hosts and (host := _other_host("".join(words), target)):
                    yield {"type": "Characters", "data": f" [{host}]"}
                target = ""
                continue
            yield token

    def _value(self, tag: str, attribute: str, value: str) -> str:
        return entities.unescape(value)

    def _finish_link(self, token: dict[str, Any]) -> str:
        attributes = token["data"]
        url = link_address(entities.unescape(attributes.pop((None, "href"), "")))
        if url:
            token["data"] = {
                (None, "href"): entities.escape(url),
                **attributes,
                (None, "target"): "_blank",
                (None, "rel"): "noopener noreferrer nofollow",
            }
        return url

    def _finish_image(self, token: dict[str, Any]) -> None:
        attributes = token["data"]
        remote = entities.unescape(attributes.pop((None, "data-remote-src"), ""))
        source = entities.unescape(attributes.pop((None, "src"), "")) or remote
        source = _IN_URL.sub("", source) if not source.lower().startswith(("http", "//")) else source.strip()
        first: dict[tuple[None, str], str] = {}
        if source.lower().startswith("cid:"):
            first[None, "src"] = entities.escape("cid:" + quote(normalize_cid(source), safe="@.-_+$!=~"))
        elif _DATA_IMAGE.fullmatch(source):
            first[None, "src"] = source
        elif self.own_addresses and re.fullmatch(r"/(?![/\\])[\w./?=&%-]*", source):
            first[None, "src"] = entities.escape(source)
        elif source.lower().startswith(("http://", "https://", "//")) and (url := link_address(source)):
            first[None, "data-remote-src"] = entities.escape(url)
        token["data"] = {**first, **attributes}


class _EditorFinishFilter(_FinishFilter):
    own_addresses = True
    shows_hosts = False

    def _value(self, tag: str, attribute: str, value: str) -> str:
        value = super()._value(tag, attribute, value)
        if attribute == "style" and tag not in _SIZED_IN_EDITOR:
            value = _SIZE.sub("", value).removesuffix("; ")
        return value if _is_modest(attribute, value) else ""


class _MailCleaner(Cleaner):
    allowed = _TEXT_TAGS
    attributes_by_tag = _ATTRIBUTES
    css = _CSS
    finish: type[_FinishFilter] = _FinishFilter

    def __init__(self) -> None:
        super().__init__(tags=self.allowed, attributes=self._allows, strip=True, css_sanitizer=_Css(self.css, ()))
        # bleach's parser makes text of tags it was not told of; these it must see whole, to drop them with their content.
        self.parser = html5lib_shim.BleachHTMLParser(
            tags=self.allowed | _DROPPED_TAGS, strip=True, consume_entities=False, namespaceHTMLElements=False
        )

    def clean(self, text: str) -> str:
        tree = self.parser.parseFragment(text)
        sanitized = BleachSanitizerFilter(
            source=_DropFilter(self.walker(tree)),  # type: ignore[operator]
            allowed_tags=self.allowed,
            attributes=self._allows,
            strip_disallowed_tags=True,
            css_sanitizer=self.css_sanitizer,
            allowed_protocols=_LINK_SCHEMES | {"cid", "data"},
        )
        return str(self.serializer.render(self.finish(sanitized)))

    def _allows(self, tag: str, attribute: str, value: str) -> bool:
        if attribute not in _SHARED_ATTRIBUTES and attribute not in self.attributes_by_tag.get(tag, ()):
            return False
        if attribute in ("data-cid", "data-upload", "data-mention"):
            return _DATA_VALUE.fullmatch(value) is not None
        return len(value) < 2_000 or attribute in ("src", "href", "data-remote-src", "style", "alt")


class _EditorCleaner(_MailCleaner):
    allowed = _EDITOR_TAGS
    attributes_by_tag = _EDITOR_ATTRIBUTES
    css = _EDITOR_CSS
    finish = _EditorFinishFilter


# Links


def link_address(url: str) -> str:
    """`url` when a person may be led there, completed where its scheme is missing; "" for anything else.

    Addresses without a host would point into this program, so they are not links. A scheme may not hide behind
    spaces, controls or invisible characters.
    """
    url = _IN_URL.sub(lambda match: "%20" if match[0] == " " else "", url.strip())
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
    elif scheme[1].lower() not in _LINK_SCHEMES:
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


def _other_host(words: str, target: str) -> str:
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
