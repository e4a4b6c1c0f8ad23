"""HTML as a browser's tokenizer reads it, before anything else does: what is read by other rules goes, and the tags are counted.

bleach is thorough but slow on hostile input (10,000 nested elements take seconds), so `is_ordinary` walks the tags first,
with the rules by which a browser opens and closes them.
"""

import html as entities
import re

MAX_CHARACTERS = 512 * 1024
MAX_TAGS = 20_000
MAX_OPENINGS = 10_000
MAX_AMPERSANDS = 20_000
MAX_DEPTH = 256
MAX_ATTRIBUTES = 60
MAX_REOPENED = 100_000
# Elements whose content a browser reads by other rules than the rest; the scan needs them gone to be exact.
_OTHER_RULES = "script|style|title|svg|math|template|iframe|xmp|plaintext|noembed|noframes|noscript|textarea|select"
_SCAFFOLD = (
    "html|head|meta|base|link|form|button|input|option|optgroup|frameset|frame|object|applet|marquee|embed|param"
)
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
SURROGATES = re.compile(r"[\ud800-\udfff]")
BLANK_LINES = re.compile(r"\n(?:[ \t\xa0]*\n){2,}")


def scrub(text: str) -> str:
    return SURROGATES.sub("\ufffd", _INVISIBLE.sub("", text))


def prepare(html: str) -> tuple[str, str]:
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


def is_ordinary(html: str) -> bool:
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


def strip_tags(html: str) -> str:
    text = _ANY_TAG.sub("", _BREAKING_TAG.sub("\n", html))
    if text.count("&") <= MAX_AMPERSANDS * 5:
        text = entities.unescape(text)
    else:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
    lines = (line.strip() for line in scrub(text).replace("\xa0", " ").split("\n"))
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")
