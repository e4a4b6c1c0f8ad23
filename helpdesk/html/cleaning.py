"""Foreign HTML made safe: bleach, with what mail needs around it. Above a cap the mail is shown as its plain text."""

import html as entities
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import css_inline
from bleach import html5lib_shim
from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import BleachSanitizerFilter, Cleaner
from django.urls import Resolver404, resolve
from django.utils.safestring import SafeString, mark_safe

from helpdesk.html.allowed import (
    ATTRIBUTES,
    CSS,
    DROPPED_TAGS,
    EDITOR_ATTRIBUTES,
    EDITOR_CSS,
    EDITOR_TAGS,
    SHARED_ATTRIBUTES,
    TEXT_TAGS,
    is_modest,
    safe_css,
)
from helpdesk.html.cleaned import normalize_cid
from helpdesk.html.links import IN_URL, LINK_SCHEMES, link_address, other_host
from helpdesk.html.tags import MAX_CHARACTERS, is_ordinary, prepare, scrub, strip_tags
from helpdesk.html.text import from_text

MAX_STYLE_WORK = 4_000_000
MAX_PLAIN = 512 * 1024
_DATA_VALUE = re.compile(r"[\w.@+-]{1,255}")
# In our own pages a block is as large as its words; only these have a size of their own.
_SIZED_IN_EDITOR = frozenset("img table td th".split())
_SIZE = re.compile(r"(?:^|(?<=; ))(?:width|height): [^;]*(?:; |$)")
_OWN_ADDRESS = re.compile(r"/(?![/\\])[\w./?=&%-]*")
_FILES = frozenset({"inbox:upload", "inbox:attachment"})
"""Addresses of ours that a picture may have: whoever opens a text asks for nothing else by it."""
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=]+", re.IGNORECASE)


def clean(html: str) -> SafeString:
    """Foreign HTML made safe to show: a fragment, links marked, remote images not loaded.

    Style sheets are applied to the elements first. A remote image has its address in `data-remote-src` until
    `show_remote_images`; a `cid:` one waits for `resolve_cids`. Cleaning twice gives the same again. What does not
    `fit` comes out as its plain text.
    """
    return _clean(html, _MailCleaner)


def clean_editor(html: str) -> SafeString:
    """HTML of our own editor, or on its way into it: fewer elements, images may be uploads and attachments of ours.

    Keeps `data-cid`, `data-upload` (img) and `data-mention` (a, span), plain values only.
    """
    return _clean(html, _EditorCleaner)


def fits(html: str) -> bool:
    """Whether `clean` shows this as HTML and not as plain text: its size, depth and count of elements are ordinary."""
    return len(html) <= MAX_CHARACTERS and is_ordinary(prepare(scrub(html))[0])


def _clean(html: str, cleaner: type["_MailCleaner"]) -> SafeString:
    if not html.strip():
        return mark_safe("")
    html = scrub(html)
    if len(html) > MAX_CHARACTERS:
        return from_text(strip_tags(prepare(html[: MAX_CHARACTERS * 2])[0])[:MAX_PLAIN])
    prepared, css = prepare(html)
    if not is_ordinary(prepared):
        return from_text(strip_tags(prepared)[:MAX_PLAIN])
    try:
        styled = _apply_styles(prepared, css)
        # The body's own colours survive on a block of their own.
        styled = re.sub(r"<(/?)body(?=[\s/>])", r"<\1div", styled, flags=re.IGNORECASE)
        return mark_safe(cleaner().clean(styled).strip())
    except (ValueError, RecursionError, AssertionError, KeyError, IndexError, AttributeError, TypeError):
        # The parsers below stumble over some hostile input (a number with 5,000 digits); its words are still shown.
        return from_text(strip_tags(prepared)[:MAX_PLAIN])


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


class _Css(CSSSanitizer):
    def sanitize_css(self, style: str) -> str:
        return safe_css(style, self.allowed_css_properties)  # type: ignore[arg-type]  # a frozenset


class _DropFilter(html5lib_shim.Filter):  # type: ignore[name-defined]  # the stubs leave it out
    """Takes elements out together with their content, before the sanitizer would print it."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        inside = 0
        for token in super().__iter__():
            kind, name = token["type"], token.get("name", "")
            if kind == "StartTag" and (inside or name in DROPPED_TAGS):
                inside += 1
            elif kind == "EndTag" and inside:
                inside -= 1
            elif not inside and not (kind == "EmptyTag" and name in DROPPED_TAGS):
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
                if self.shows_hosts and (host := other_host("".join(words), target)):
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
        source = IN_URL.sub("", source) if not source.lower().startswith(("http", "//")) else source.strip()
        first: dict[tuple[None, str], str] = {}
        if source.lower().startswith("cid:"):
            first[None, "src"] = entities.escape("cid:" + quote(normalize_cid(source), safe="@.-_+$!=~"))
        elif _DATA_IMAGE.fullmatch(source):
            first[None, "src"] = source
        elif self.own_addresses and _is_file_of_ours(source):
            first[None, "src"] = entities.escape(source)
        elif source.lower().startswith(("http://", "https://", "//")) and (url := link_address(source)):
            first[None, "data-remote-src"] = entities.escape(url)
        token["data"] = {**first, **attributes}


def _is_file_of_ours(source: str) -> bool:
    if not _OWN_ADDRESS.fullmatch(source):
        return False
    try:
        return resolve(source.partition("?")[0]).view_name in _FILES
    except Resolver404:
        return False


class _EditorFinishFilter(_FinishFilter):
    own_addresses = True
    shows_hosts = False

    def _value(self, tag: str, attribute: str, value: str) -> str:
        value = super()._value(tag, attribute, value)
        if attribute == "style" and tag not in _SIZED_IN_EDITOR:
            value = _SIZE.sub("", value).removesuffix("; ")
        return value if is_modest(attribute, value) else ""


class _MailCleaner(Cleaner):
    allowed = TEXT_TAGS
    attributes_by_tag = ATTRIBUTES
    css = CSS
    finish: type[_FinishFilter] = _FinishFilter

    def __init__(self) -> None:
        super().__init__(tags=self.allowed, attributes=self._allows, strip=True, css_sanitizer=_Css(self.css, ()))
        # bleach's parser makes text of tags it was not told of; these it must see whole, to drop them with their content.
        self.parser = html5lib_shim.BleachHTMLParser(
            tags=self.allowed | DROPPED_TAGS, strip=True, consume_entities=False, namespaceHTMLElements=False
        )

    def clean(self, text: str) -> str:
        tree = self.parser.parseFragment(text)
        sanitized = BleachSanitizerFilter(
            source=_DropFilter(self.walker(tree)),  # type: ignore[operator]
            allowed_tags=self.allowed,
            attributes=self._allows,
            strip_disallowed_tags=True,
            css_sanitizer=self.css_sanitizer,
            allowed_protocols=LINK_SCHEMES | {"cid", "data"},
        )
        return str(self.serializer.render(self.finish(sanitized)))

    def _allows(self, tag: str, attribute: str, value: str) -> bool:
        if attribute not in SHARED_ATTRIBUTES and attribute not in self.attributes_by_tag.get(tag, ()):
            return False
        if attribute in ("data-cid", "data-upload", "data-mention"):
            return _DATA_VALUE.fullmatch(value) is not None
        return len(value) < 2_000 or attribute in ("src", "href", "data-remote-src", "style", "alt")


class _EditorCleaner(_MailCleaner):
    allowed = EDITOR_TAGS
    attributes_by_tag = EDITOR_ATTRIBUTES
    css = EDITOR_CSS
    finish = _EditorFinishFilter
