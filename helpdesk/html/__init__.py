"""The one place where foreign HTML becomes safe, and the only one that may call mark_safe.

`clean` is for mail, once, in a worker, before the database keeps its result; what cleaned.py holds (`mark_clean`,
`resolve_cids`, `show_remote_images` …) takes what `clean` made and is cheap enough for every view.
"""

from helpdesk.html.cleaned import (
    count_remote_images,
    describe_images,
    mark_clean,
    mentions_in,
    normalize_cid,
    resolve_cids,
    show_remote_images,
    with_sources,
    without_mentions,
)
from helpdesk.html.cleaning import clean, clean_editor, fits
from helpdesk.html.links import link_address
from helpdesk.html.text import from_text, has_words, to_text

__all__ = [
    "clean",
    "clean_editor",
    "count_remote_images",
    "describe_images",
    "fits",
    "from_text",
    "has_words",
    "link_address",
    "mark_clean",
    "mentions_in",
    "normalize_cid",
    "resolve_cids",
    "show_remote_images",
    "to_text",
    "with_sources",
    "without_mentions",
]
