"""What views do with HTML that `clean` made and the database kept. Never call it on anything else."""

import html as entities
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from django.utils.safestring import SafeString, mark_safe

from helpdesk.html.tags import SURROGATES

_REMOTE_IMAGE = re.compile(r'<img data-remote-src="([^"]*)"')
_IMAGE = re.compile(r"<img(?=[\s>])[^<>]*>")
_DESCRIPTION = re.compile(r' alt="([^"]*)"')
_SOURCE = re.compile(r' (?:src|data-remote-src)="([^"]*)"')
_MENTIONING_TAG = re.compile(r"<(?:span|a)(?= )[^<>]*>")
_MENTION_MARK = re.compile(r' data-mention="([^"]*)"')
_CID_IMAGE = re.compile(r'<img src="cid:([^"]*)"', re.IGNORECASE)


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
    cid = unquote(SURROGATES.sub("", cid)).strip().strip("<>").strip().lower()
    return cid.removeprefix("cid:")[:500]
