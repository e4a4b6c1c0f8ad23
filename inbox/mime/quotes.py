"""The new words of a mail apart from what it quotes: to be folded, never deleted.

Nothing is lost: every visible word is in one of the two halves, and when nothing new would remain the whole mail is
new. Answers written between the lines of a quote stay in `new`, with the lines they answer. A forwarded mail is not
folded: it is what the sender wants to show. Every rule looks at a bounded number of lines, so any input takes linear time.
"""

import re
from collections.abc import Iterator

import lxml.html  # type: ignore[import-untyped]
from lxml import etree

from helpdesk.html import fits

_MAX_ATTRIBUTION_LINES = 4
_MAX_LINE = 400
_MAX_BLOCK_LINES = 10
_MAX_TRIES = 500  # lines that could begin a quote but did not: a mail with more of them is no mail between people

# "wrote", and where it stands in an attribution, in the languages of the mail programs people use.
_WROTE = (
    r"wrote|writes|kirjoitti|skrev|skriver|schrieb|a écrit|écrit|escribió|escribi[oó]|ha scritto|scrisse|schreef|geschreven"
    r"|napisał(?:\(a\)|a)?|pisze|написал(?:\(а\)|а)?|пишет|пише|escreveu|yazdı|kirjutas|napsal(?:\(a\)|a)?|a scris|írta"
    r"|のメール|は書きました|さんは書きました|wrote|写道|寫道|viesti|schreef op|reageerde|шта написа"
)
_HAS_WROTE = re.compile(rf"(?<!\w)(?:{_WROTE})", re.IGNORECASE)
_HAS_MOMENT = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[.:h]\d\d(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}(?!\d)|\d年"
)
_HAS_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}(?!\d)")
_HAS_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
_ENDS = re.compile(r"[:：]\s*$")
_LEADS = re.compile(
    r"^\s*(?:on|am|le|el|il|op|den|em|w dniu|dnia|в|on the|pe|\w{2,6}[.,]? ?\d{1,2}\.?)(?:\s|[.,])", re.IGNORECASE
)
_QUOTED = re.compile(r"^[ \t]{0,3}>|^[ \t]{0,3}[|] ")

_SEPARATOR = re.compile(
    r"^\s*[-_–—=*]{2,}\s*(?:original(?: message| appointment)?|ursprüngliche nachricht|originalnachricht"
    r"|alkuperäinen viesti|ursprungligt meddelande|originalmeddelande|message d'origine|message original"
    r"|mensaje original|messaggio originale|oorspronkelijk bericht|oprindelig meddelelse|original meddelelse"
    r"|opprinnelig melding|wiadomość oryginalna|oryginalna wiadomość|исходное сообщение|mensagem original"
    r"|元のメッセージ|original-nachricht|reply message|antwort)\s*[-_–—=*]{2,}\s*$",
    re.IGNORECASE,
)
_FORWARD_WORDS = (
    r"^\s*(?:[-_–—=*]{2,}\s*)?(?:forwarded message|forwarded by|begin forwarded message|weitergeleitete nachricht"
    r"|anfang der weitergeleiteten|välitetty viesti|välitetty viesti alkaa|edelleenlähetetty viesti"
    r"|vidarebefordrat (?:meddelande|brev)|vidarebefordrat meddelande|message transféré|début du message transféré"
    r"|mensaje reenviado|mensaje remitido|messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht"
    r"|videresendt (?:meddelelse|besked|melding|e-post)|wiadomość przekazana|przekazana wiadomość"
    r"|пересылаемое сообщение|пересланное сообщение|転送(?:メッセージ|された))"
)
_FORWARD = re.compile(_FORWARD_WORDS + r"(?!\w).{0,60}$", re.IGNORECASE)
_FORWARD_START = re.compile(_FORWARD_WORDS, re.IGNORECASE)
_UNDERSCORES = re.compile(r"^\s*_{10,}\s*$")
_LABELS = {
    "from": "from|de|von|från|fra|lähettäjä|da|van|od|от|差出人|发件人|寄件者|expéditeur|mittente|afzender|kimden",
    "sent": (
        "sent|date|envoyé|gesendet|datum|skickat|sendt|lähetetty|päivämäärä|päiväys|inviato|data|verzonden|wysłano|"
        "отправлено|дата|送信日時|日時|发送时间|日期|enviado(?: el)?|enviada(?: em)?|fecha|dato|sendt den"
    ),
    "to": "to|à|an|till|til|vastaanottaja|a|aan|do|кому|宛先|收件人|para|destinataire|tárgyzett",
    "subject": "subject|objet|betreff|ämne|emne|aihe|oggetto|onderwerp|temat|тема|件名|主题|主旨|asunto|assunto",
    "cc": "cc|kopia|kopio|kopi|dw|копия|ccn|cci",
}
_LABEL = {
    kind: re.compile(rf"^[ \t]*[*_]{{0,2}}(?:{words})[*_]{{0,2}}[ \t]?[:：][*_]{{0,2}}(?:\s|\S|$)", re.IGNORECASE)
    for kind, words in _LABELS.items()
}


def split(text: str) -> tuple[str, str]:
    """(what is new, what is quoted); the quoted half is "" when the mail quotes nothing or only quotes."""
    lines = text.split("\n")
    cut = _find_cut(lines)
    if cut is None:
        return text, ""
    start, stop = cut
    before, quoted, after = lines[:start], lines[start:stop], lines[stop:]
    new = "\n".join(before).rstrip()
    if any(line.strip() for line in after):
        new = "\n\n".join(part for part in (new, "\n".join(after).strip("\n").rstrip()) if part)
    if not new.strip():
        return text, ""
    return new, "\n".join(quoted).strip("\n").rstrip()


def split_html(html: str) -> tuple[str, str]:
    """The same for HTML: two well-formed fragments, each with the style sheets of the mail."""
    if not html.strip() or not fits(html):
        return html, ""
    try:
        return _HtmlSplitter(html).split()
    except (etree.LxmlError, ValueError, RecursionError, AssertionError):
        return html, ""


# Text


def _find_cut(lines: list[str]) -> tuple[int, int] | None:
    """The first and the end line of the part to fold."""
    size = len(lines)
    quoted = [bool(_QUOTED.match(line[:8])) for line in lines]
    blank = [not line or line.isspace() for line in lines]
    # For each line, whether any line from there on is marked with ">", and where the next one with words is.
    next_word = [size] * (size + 1)
    marked_after = [False] * (size + 1)
    for i in range(size - 1, -1, -1):
        next_word[i] = next_word[i + 1] if blank[i] else i
        marked_after[i] = marked_after[i + 1] or quoted[i]
    tail_start = _marked_tail(quoted, blank)
    tries = 0
    for i in range(size):
        line = lines[i]
        if blank[i] or len(line) > _MAX_LINE:
            continue
        if quoted[i]:
            # Marked lines with nothing to announce them.
            return _cut_marked(i, i, lines, quoted, blank, tail_start)
        if _FORWARD.match(line):
            return None
        if _SEPARATOR.match(line):
            return (i, size)
        if tries > _MAX_TRIES:
            continue
        if _LABEL["from"].match(line):
            tries += 1
            if _is_header_block(lines, i):
                return (_separator_above(lines, blank, i), size)
        if _ENDS.search(line[-20:]):
            tries += 1
            start, strong = _attribution(lines, blank, i)
            following = next_word[i + 1]
            if start is not None and following < size and quoted[following]:
                return _cut_marked(start, following, lines, quoted, blank, tail_start)
            if start is not None and strong and following < size and not marked_after[i]:
                return (start, size)
    return None


def _marked_tail(quoted: list[bool], blank: list[bool]) -> int:
    """The first line of the run of marked lines that ends the text, len(lines) when it does not end so."""
    i = len(quoted)
    start = i
    while i > 0 and (quoted[i - 1] or blank[i - 1]):
        i -= 1
        if quoted[i]:
            start = i
    return start


def _cut_marked(
    start: int, first: int, lines: list[str], quoted: list[bool], blank: list[bool], tail_start: int
) -> tuple[int, int] | None:
    """What to fold of a mail whose first marked line is `first`, announced at `start`."""
    size = len(lines)
    if tail_start <= first:
        return (start, size)
    end = first
    while end < size and (quoted[end] or blank[end]):
        end += 1
    while end > first and blank[end - 1]:
        end -= 1
    if not any(quoted[end:]) and not _is_wrapped(lines, end):
        return (start, end)  # one quote with the answer below it
    if tail_start >= size:
        return None  # answers between the lines, down to the last one
    tail = tail_start
    while tail > 0 and blank[tail - 1]:
        tail -= 1
    if tail > 0 and _ENDS.search(lines[tail - 1][-20:]):
        announced, _ = _attribution(lines, blank, tail - 1)
        tail_start = announced if announced is not None and announced > first else tail_start
    return (tail_start, size)


def _is_wrapped(lines: list[str], end: int) -> bool:
    """Whether the line at `end` is the rest of a marked line that a mail program broke."""
    return end < len(lines) and 0 < len(lines[end].strip()) < 20 and len(lines[end - 1]) > 65 and end == len(lines) - 1


def _attribution(lines: list[str], blank: list[bool], last: int) -> tuple[int | None, bool]:
    """Where the attribution that ends at `last` begins, and whether it is sure even without marked lines after it."""
    joined = ""
    weak: int | None = None
    for i in range(last, max(-1, last - _MAX_ATTRIBUTION_LINES), -1):
        if blank[i] or len(lines[i]) > _MAX_LINE:
            break
        joined = f"{lines[i].strip()} {joined}".strip()
        wrote = _HAS_WROTE.search(joined) is not None
        address = "@" in joined and _HAS_ADDRESS.search(joined) is not None
        moment = _HAS_MOMENT.search(joined) is not None
        if (wrote or address) and _HAS_YEAR.search(joined) and (wrote or moment):
            before = lines[i - 1] if i and not blank[i - 1] else ""
            if before and not _LEADS.match(lines[i]) and _LEADS.match(before) and len(before) < 100:
                i -= 1 if before.rstrip()[-1] not in ".!?:" else 0  # its first words stand on the line above
            return i, wrote and (address or _LEADS.match(lines[i]) is not None)
        if weak is None and i == last and (wrote or (address and moment)):
            weak = i
        if weak is not None and wrote and moment and _LEADS.match(lines[i]):
            return i, address
    return weak, False


def _separator_above(lines: list[str], blank: list[bool], start: int) -> int:
    """Outlook on the web and on phones puts a line of underscores above the block."""
    above = start - 1
    while above >= max(0, start - 3) and blank[above]:
        above -= 1
    return above if above >= 0 and _UNDERSCORES.match(lines[above][:_MAX_LINE]) else start


def _is_header_block(lines: list[str], start: int) -> bool:
    """ "From: Sent: To: Subject:" at `start`, in any language, folded lines and stars allowed."""
    if start >= len(lines) or not _LABEL["from"].match(lines[start][:_MAX_LINE]):
        return False
    kinds: set[str] = set()
    blanks = 0
    for line in lines[start + 1 : start + 1 + _MAX_BLOCK_LINES]:
        if not line.strip():
            blanks += 1
            if blanks > 4 or (kinds >= {"sent", "subject"}):
                break
            continue
        for kind in ("sent", "to", "subject", "cc"):
            if kind not in kinds and _LABEL[kind].match(line[:_MAX_LINE]):
                kinds.add(kind)
                break
    return ("sent" in kinds and bool(kinds & {"to", "subject"})) or {"to", "subject"} <= kinds


# HTML


_QUOTE_XPATH = (
    "//blockquote[@type='cite' or contains(@class,'gmail_quote') or contains(@class,'moz-cite')"
    " or contains(@class,'front-blockquote') or contains(@class,'yahoo_quoted') or contains(@class,'protonmail_quote')"
    " or contains(@class,'mail-quote') or @cite or @id='isReplyContent']"
    "|//div[contains(concat(' ',@class,' '),' gmail_quote ') or contains(concat(' ',@class,' '),' gmail_quote_container ')"
    " or contains(@class,'yahoo_quoted') or contains(@class,'protonmail_quote') or contains(@class,'zmail_extra')"
    " or contains(@class,'freshdesk_quote') or contains(@class,'moz-forward-container') or @name='quote' or @id='qt'"
    " or @name='messageReplySection' or @class='gmail_extra' or contains(@id,'yahoo_quoted')]"
)
# From here to the end of the mail: programs that mark only where the quote begins.
_REST_XPATH = (
    "//*[@id='divRplyFwdMsg' or @id='x_divRplyFwdMsg' or @id='appendonsend' or @id='ms-outlook-mobile-body-separator-line'"
    " or @id='mail-editor-reference-message-container' or @id='zwchr' or @name='_MailOriginal' or @id='stopSpelling'"
    " or @id='OLK_SRC_BODY_SECTION' or @id='replySplit']"
    "|//div[contains(translate(@style,' ',''),'border:none;border-top:solid#')]"
    "|//div[contains(translate(@style,' ',''),'border-top:solid')]"
)


class _HtmlSplitter:
    def __init__(self, html: str) -> None:
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
        document = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
        body = document.find("body")
        if body is None:
            raise ValueError("no body")
        self.html = html
        self.body = body
        self.styles = "".join(
            _markup(style) for style in document.iter("style") if not any(a is body for a in style.iterancestors())
        )

    def split(self) -> tuple[str, str]:
        found = [q for q in self.body.xpath(_QUOTE_XPATH) if q is not self.body and not _is_forward(q)]
        quotes = _outermost(found)
        rest = self._rest_start()
        if rest is not None and not any(parent in set(quotes) for parent in rest.iterancestors()):
            return self._cut_rest(rest)
        if not quotes:
            announced = self._announced()
            return self._cut_rest(announced) if announced is not None else (self.html, "")
        folded = self._to_fold(quotes)
        return self._cut_nodes(folded) if folded else (self.html, "")

    def _to_fold(self, quotes: list[etree._Element]) -> list[etree._Element]:
        """The quotes after the last new words; or the only one when the answer stands below it."""
        if len(quotes) == 1 and quotes[0].tag != "blockquote":
            # Gmail: one box around it all; answers stand between the blockquotes in it.
            inner = _outermost([b for b in quotes[0].iter("blockquote") if b is not quotes[0]])
            if inner and self._last_new_words(inner, quotes[0])[0] > 0:
                quotes = inner
        last, places = self._last_new_words(quotes, self.body)
        trailing = [quote for quote in quotes if places[quote] > last]
        return trailing or (quotes if len(quotes) == 1 else [])

    def _last_new_words(
        self, quotes: list[etree._Element], area: etree._Element
    ) -> tuple[int, dict[etree._Element, int]]:
        """How many quotes of `area` begin before its last new words, and the number of each quote (from 1)."""
        inside = set(quotes)
        said: set[tuple[etree._Element, str]] = set()
        for quote in quotes:
            if (element := _announcement(quote)) is not None:
                inside.add(element)
            if (bare := _bare_announcement(quote)) is not None:
                said.add(bare)
        places: dict[etree._Element, int] = {quote: number for number, quote in enumerate(quotes, 1)}
        begun = last = depth = 0
        for event, node in etree.iterwalk(area, events=("start", "end", "comment")):
            if event == "start":
                begun = places.get(node, begun) if not depth else begun
                depth += node in inside
                if depth or node.tag in ("style", "script"):
                    continue
                if node.tag == "img" or (_has_words(node.text) and (node, "text") not in said):
                    last = begun
            else:
                depth -= event == "end" and node in inside
                if not depth and node is not area and _has_words(node.tail) and (node, "tail") not in said:
                    last = begun
        return last, places

    def _rest_start(self) -> etree._Element | None:
        for element in self.body.xpath(_REST_XPATH)[:200]:
            if "border-top" in (element.get("style") or "") and not _is_header_text(_first_words(element, 500)):
                continue
            start, previous = element, element.getprevious()
            while previous is not None and not _has_words(previous.tail):
                if previous.tag != "hr" and previous.get("id") not in ("appendonsend", "stopSpelling"):
                    break
                start, previous = previous, previous.getprevious()
            return start
        return None

    def _announced(self) -> etree._Element | None:
        """No mark of a known program: a block that reads like the header of a mail."""
        tries = 0
        for element in self.body.iter("p", "div", "b", "strong", "span", "font"):
            words = " ".join((element.text or "")[:200].split())
            if not words:
                continue
            if _FORWARD.match(words):
                return None
            labelled = tries < _MAX_TRIES and re.match(r"[\w/’' ]{1,20}(?:[:：]|$)", words) is not None
            tries += labelled
            if _SEPARATOR.match(words) or (labelled and _is_header_text(_following_words(element, 1_500))):
                block = next((a for a in element.iterancestors("p", "div")), None) if element.tag != "p" else None
                if block is None or block is self.body or _has_words_before(block, element):
                    return element
                return block
        return None

    def _cut_nodes(self, nodes: list[etree._Element]) -> tuple[str, str]:
        quoted: list[str] = []
        for node in nodes:
            announcement, bare = _announcement(node), _bare_announcement(node)
            if announcement is not None:
                quoted.append(_take(announcement))
            if bare is not None:
                element, place = bare
                quoted.append(f"<div>{_escape(str(getattr(element, place)))}</div>")
                setattr(element, place, None)
            quoted.append(_take(node))
        return self._halves("".join(quoted))

    def _cut_rest(self, start: etree._Element) -> tuple[str, str]:
        quoted: list[str] = []
        node: etree._Element | None = start
        following: etree._Element | None = start
        while node is not None and node is not self.body:
            parent = node.getparent()
            tail_of_parent = parent.tail if parent is not None and parent is not self.body else None
            while following is not None:
                after = following.getnext()
                quoted.append(_take(following, with_tail=True))
                following = after
            if parent is None or parent is self.body:
                break
            if tail_of_parent:
                quoted.append(_escape(tail_of_parent))
                parent.tail = None
            node, following = parent, parent.getnext()
        return self._halves("".join(quoted))

    def _halves(self, quoted: str) -> tuple[str, str]:
        if not _is_visible(self.body):
            return self.html, ""
        new = _escape(self.body.text or "") + "".join(_markup(child, with_tail=True) for child in self.body)
        return f"{self.styles}{new.strip()}", f"{self.styles}{quoted}" if quoted else ""


def _outermost(elements: list[etree._Element]) -> list[etree._Element]:
    found: set[etree._Element] = set()
    kept = []
    for element in elements:  # in the order of the document, so parents come first
        if not any(parent in found for parent in element.iterancestors()):
            found.add(element)
            kept.append(element)
    return kept


def _is_forward(element: etree._Element) -> bool:
    return _FORWARD_START.match(" ".join(_first_words(element, 200).split())) is not None


def _announcement(quote: etree._Element) -> etree._Element | None:
    """The element right before a quote that says who wrote it."""
    previous = quote.getprevious()
    for _ in range(3):
        if previous is None or _has_words(previous.tail):
            return None
        if not isinstance(previous.tag, str) or not _first_words(previous, 20).strip():
            previous = previous.getprevious()
            continue
        classes = previous.get("class") or ""
        marked = "cite-prefix" in classes or "gmail_attr" in classes
        return previous if marked or _is_attribution(_first_words(previous, 600)) else None
    return None


def _bare_announcement(quote: etree._Element) -> tuple[etree._Element, str] | None:
    """Where the bare text right before a quote stands that says who wrote it: an element and "text" or "tail"."""
    previous = quote.getprevious()
    for _ in range(3):
        if previous is None or previous.tag != "br" or _has_words(previous.tail):
            break
        previous = previous.getprevious()
    if previous is not None:
        return (previous, "tail") if _is_attribution(previous.tail or "") else None
    parent = quote.getparent()
    return (parent, "text") if parent is not None and _is_attribution(parent.text or "") else None


def _take(node: etree._Element, *, with_tail: bool = False) -> str:
    """The markup of a node, which is taken out of its tree; its tail stays unless asked for."""
    markup = _outside_table(_markup(node), node.tag)
    if with_tail:
        markup += _escape(node.tail or "")
        node.tail = None
    parent, previous = node.getparent(), node.getprevious()
    if parent is not None:
        if node.tail and previous is not None:
            previous.tail = (previous.tail or "") + node.tail
        elif node.tail:
            parent.text = (parent.text or "") + node.tail
        parent.remove(node)
    return markup


def _is_attribution(words: str) -> bool:
    words = " ".join(words[-700:].split())
    if not words or len(words) > 500 or not _ENDS.search(words):
        return False
    wrote = _HAS_WROTE.search(words) is not None
    return bool((wrote or _HAS_ADDRESS.search(words)) and _HAS_MOMENT.search(words)) or (wrote and len(words) < 100)


def _is_header_text(words: str) -> bool:
    lines = [line for line in words.lstrip().split("\n") if line.strip()]
    return bool(lines) and _is_header_block(lines, 0)


def _first_words(element: etree._Element, limit: int) -> str:
    """The beginning of an element's text, a line break at each <br> and block."""
    out: list[str] = []
    size = 0
    for piece in _pieces(element):
        out.append(piece)
        size += len(piece)
        if size > limit:
            break
    return "".join(out)[:limit]


def _pieces(element: etree._Element) -> Iterator[str]:
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if not isinstance(node.tag, str):
            continue
        if event == "start":
            if node.tag in ("br", "p", "div", "tr", "blockquote"):
                yield "\n"
            if node.tag not in ("style", "script") and node.text:
                yield re.sub(r"[ \t\r\n\xa0]+", " ", node.text[:2_000])
        elif node is not element and node.tail:
            yield re.sub(r"[ \t\r\n\xa0]+", " ", node.tail[:2_000])


def _following_words(element: etree._Element, limit: int) -> str:
    """The text from the beginning of `element` on, over what follows it."""
    words = ""
    node: etree._Element | None = element
    for _ in range(60):
        if node is None or len(words) > limit:
            break
        words += _first_words(node, limit)
        words += re.sub(r"[ \t\r\n\xa0]+", " ", (node.tail or "")[:limit])
        following = node.getnext()
        while following is None and node is not None and node.tag != "body":
            node = node.getparent()
            following = node.getnext() if node is not None and node.tag != "body" else None
        node = following
    return words


def _has_words(text: str | None) -> bool:
    return bool(text and text.strip("\u200b\ufeff\xa0 \n\t\r"))


def _is_visible(element: etree._Element) -> bool:
    for node in element.iter():
        if node is not element and _has_words(node.tail):
            return True
        if not isinstance(node.tag, str) or node.tag in ("style", "script", "title"):
            continue
        if node.tag == "img" or _has_words(node.text):
            return True
    return False


def _has_words_before(container: etree._Element, stop: etree._Element) -> bool:
    for event, node in etree.iterwalk(container, events=("start", "end")):
        if event == "start":
            if node is stop:
                return False
            if _has_words(node.text):
                return True
        elif node is not container and _has_words(node.tail):
            return True
    return False


def _markup(node: etree._Element, *, with_tail: bool = False) -> str:
    return str(lxml.html.tostring(node, encoding="unicode", with_tail=with_tail))


def _outside_table(markup: str, tag: str) -> str:
    """A row or a cell taken out of its table needs one around it."""
    if tag in ("tr", "tbody", "thead", "tfoot"):
        return f"<table>{markup}</table>"
    if tag in ("td", "th"):
        return f"<table><tr>{markup}</tr></table>"
    return f"<ul>{markup}</ul>" if tag == "li" else markup


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
