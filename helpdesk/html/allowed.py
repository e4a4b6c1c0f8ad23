"""What may stand in a mail that we show, and what in our own editor: elements, attributes, and styles."""

import html as entities
import math
import re
from functools import lru_cache
from typing import Any

import tinycss2

TEXT_TAGS = frozenset(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn "
    "div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q "
    "rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul "
    "var wbr".split()
)
EDITOR_TAGS = frozenset(
    "a b blockquote br code div em font h1 h2 h3 h4 hr i img li ol p pre s span strong sub sup table tbody td tfoot th "
    "thead tr u ul".split()
)
# Their content goes with them. noscript is not here: mail is read without scripts, so what it holds is shown, cleaned.
DROPPED_TAGS = frozenset("script style title svg math template iframe".split())
SHARED_ATTRIBUTES = frozenset({"title", "dir", "lang", "align", "valign", "style"})
_TABLE_ATTRIBUTES = frozenset({"width", "height", "bgcolor", "border", "cellpadding", "cellspacing", "nowrap"})
ATTRIBUTES: dict[str, frozenset[str]] = {
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
EDITOR_ATTRIBUTES: dict[str, frozenset[str]] = ATTRIBUTES | {
    "img": ATTRIBUTES["img"] | {"data-cid", "data-upload"},
    "span": frozenset({"data-mention"}),
    "a": frozenset({"href", "data-mention"}),
}
_NUMBER = re.compile(r"\s*\+?(\d{1,300}(?:\.\d{1,20})?)")
CSS = frozenset(
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
EDITOR_CSS = frozenset(
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


@lru_cache(maxsize=1_024)  # the cells of a table have one style
def safe_css(style: str, allowed: frozenset[str]) -> str:
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
        if (is_spacing or allowed is EDITOR_CSS) and _COMPUTED.search(lowered):
            continue
        if allowed is EDITOR_CSS and not _fits_in_page(token.lower_name, token.value):
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


def is_modest(attribute: str, value: str) -> bool:
    most = _MOST_OF_ATTRIBUTE.get(attribute)
    number = _NUMBER.match(value)
    if most is None or number is None:
        return True
    return float(number[1]) <= (100 if "%" in value else most)
