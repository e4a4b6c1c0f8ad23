"""Bytes of a mail -> ParsedMail. Never raises, whatever the bytes are, and takes bounded time and memory."""

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from helpdesk.html import from_text, has_words, normalize_cid, to_text
from inbox.mime.authentication import is_denied
from inbox.mime.charsets import decode, scrub
from inbox.mime.headers import Address, Header, one_line, parse_date, read_block
from inbox.mime.parts import Part, Tree, decode_uuencoded

MAX_TEXT = 5 * 1024 * 1024
MAX_SUBJECT = 2_000
MAX_NAME_BYTES = 200

_KEPT_HEADERS = (
    "return-path",
    "sender",
    "list-id",
    "list-post",
    "list-unsubscribe",
    "precedence",
    "auto-submitted",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-auto-reply-from",
    "x-fc-machinegenerated",
    "x-ms-exchange-inbox-rules-loop",
    "x-ms-exchange-generated-message-source",
    "x-loop",
    "x-failed-recipients",
    "delivered-to",
    "x-original-to",
    "x-original-from",
    "x-forwarded-to",
    "x-desk-instance",
    "x-desk-message",
    "thread-index",
    "thread-topic",
    "feedback-id",
    "x-mailer",
    "user-agent",
    "importance",
    "x-priority",
    "x-spam-flag",
    "x-spam-status",
    "disposition-notification-to",
    "content-language",
    "to",
    "cc",
)
# What changes when a server tries again or hands the mail on: the same mail has the same hash without it.
_TRACE_HEADERS = (
    "received",
    "return-path",
    "delivered-to",
    "x-original-to",
    "x-delivered-to",
    "envelope-to",
    "x-envelope-to",
    "x-envelope-from",
    "x-forwarded-to",
    "x-forwarded-for",
    "x-received",
    "authentication-results",
    "received-spf",
    "dkim-signature",
    "x-google-dkim-signature",
    "x-gm-message-state",
    "x-google-smtp-source",
    "status",
    "x-status",
    "x-uid",
    "x-keywords",
)
_TRACE_PREFIXES = ("arc-", "x-spam-", "x-virus-", "x-ms-exchange-", "x-microsoft-antispam", "x-forefront-")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]")
_UNSAFE_IN_NAMES = re.compile(r'[<>:"|?*]')
_UU_BLOCK = re.compile(r"(?m)^begin [0-7]{3,4} (\S[^\n]{0,200})\n")


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """`name` is safe to store and unique in its mail; `original_name` is what the sender wrote.

    `content_id` is normalised (helpdesk.html.normalize_cid); `inline` means that the HTML shows it.
    """

    name: str
    content_type: str
    content_id: str
    inline: bool
    data: bytes
    original_name: str = ""


@dataclass(frozen=True)
class ParsedMail:
    """What a mail says. Ids have no angle brackets; what is missing is "", an empty list or None.

    `auto_submitted` is the keyword of RFC 3834, "" for "no". `headers` holds selected fields by lower-case name, decoded,
    "\\n" between fields of one name. `sender_doubtful`: our server says that From is not who sent it, or From does not name
    exactly one, so that no server can tell.
    `delivery_status` are the blocks of an RFC 3464 report (lower-case names), `returned_headers` the header of the mail
    that a report gives back, `report_type` its kind. `partial` says that a limit was met and something was left out.
    """

    subject: str = ""
    from_name: str = ""
    from_address: str = ""
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    reply_to: list[Address] = field(default_factory=list)
    date: datetime | None = None
    message_id: str = ""
    in_reply_to: str = ""
    references: list[str] = field(default_factory=list)
    text: str = ""
    html: str = ""
    attachments: list[ParsedAttachment] = field(default_factory=list)
    auto_submitted: str = ""
    defects: list[str] = field(default_factory=list)
    sender: str = ""
    return_path: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sender_doubtful: bool = False
    content_type: str = "text/plain"
    report_type: str = ""
    delivery_status: list[Mapping[str, str]] = field(default_factory=list)
    returned_headers: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False


def parse(raw: bytes) -> ParsedMail:
    """The mail in `raw`. Bytes that are no mail are a mail with that text."""
    try:
        return _Reader(raw).mail()
    except Exception as error:  # the promise: any bytes give a mail, so that no customer meets silence
        text = scrub(raw[:MAX_TEXT].decode("utf-8", "replace"))
        return ParsedMail(text=text, defects=[f"could not be read: {type(error).__name__}"], partial=True)


def parse_headers(raw: bytes) -> ParsedMail:
    """Only what the header says, in little time: for a mail too large to be read whole."""
    try:
        return _Reader(raw, headers_only=True).mail()
    except Exception as error:  # as in parse
        return ParsedMail(defects=[f"could not be read: {type(error).__name__}"], partial=True)


def content_hash(raw: bytes) -> str:
    """SHA-256 (hex) of a mail without its trace headers, line ends made equal: a mail handed in twice has one hash."""
    end = re.compile(rb"\r?\n\r?\n").search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    digest = hashlib.sha256()
    skipping = False
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            name = line.partition(b":")[0].strip().lower().decode("ascii", "replace")
            skipping = name in _TRACE_HEADERS or name.startswith(_TRACE_PREFIXES) or line.startswith(b"From ")
        if not skipping:
            digest.update(line + b"\n")
    digest.update(b"\n" + body.replace(b"\r\n", b"\n").rstrip(b"\n"))
    return digest.hexdigest()


@dataclass
class _Block:
    """One stretch of the body, in either or both of its forms."""

    text: str | None = None
    html: str | None = None


class _Reader:
    def __init__(self, raw: bytes, *, headers_only: bool = False) -> None:
        if b"\n" not in raw[:100_000] and b"\r" in raw[:100_000]:
            raw = raw.replace(b"\r", b"\n")
        # A header in raw 8 bits has the charset that the body names, as a rule.
        declared = re.findall(rb"charset\s*=\s*\"?([\w.:+-]{2,40})", raw[:262_144], re.IGNORECASE)
        self.hints = tuple(dict.fromkeys(name.decode("ascii", "replace").lower() for name in declared[:20]))
        self.raw = raw
        self.blocks: list[_Block] = []
        self.found: list[tuple[Part | None, str, str, str, bytes]] = []
        self.locations: dict[str, str] = {}
        self.delivery_status: list[Mapping[str, str]] = []
        self.returned: Mapping[str, str] = {}
        self.headers_only = headers_only
        self.tree = Tree(raw, self.hints, headers_only=headers_only)
        self.header = self.tree.root.header
        self.defects = self.tree.defects
        self.content_type, self.parameters = self.tree.root.content_type, self.tree.root.parameters
        if not headers_only:
            self._walk(self.tree.root)

    def mail(self) -> ParsedMail:
        header = self.header
        senders = header.addresses("from")
        replies = header.addresses("reply-to")
        actual = header.addresses("sender")
        return_path = self._return_path()
        from_name, from_address = next(
            (people[0] for people in (senders, replies, actual) if people), ("", return_path or "")
        )
        if not senders:
            self.defects.append("no sender in From")
            from_name = from_name or header.get("from")[:500] if not from_address else from_name
        ids = header.ids("message-id")
        if len(ids) > 1:
            self.defects.append("several Message-IDs")
        answered = header.ids("in-reply-to")
        text, html = self._body()
        attachments, html = self._attachments(html)
        return ParsedMail(
            subject=header.get("subject")[:MAX_SUBJECT],
            from_name=from_name,
            from_address=from_address,
            to=header.addresses("to"),
            cc=header.addresses("cc"),
            reply_to=replies,
            date=self._date(),
            message_id=ids[0] if ids else "",
            in_reply_to=answered[0] if answered else "",
            references=header.ids("references"),
            text=text,
            html=html,
            attachments=attachments,
            auto_submitted=self._auto_submitted(),
            defects=list(dict.fromkeys(self.defects)),
            sender=actual[0][1] if actual else "",
            return_path=return_path,
            headers=self._headers(),
            sender_doubtful=len(senders) != 1 or is_denied(self._authentication_results()),
            content_type=self.content_type or "text/plain",
            report_type=self.parameters.get("report-type", "").lower(),
            delivery_status=self.delivery_status,
            returned_headers=self.returned,
            partial=self.headers_only or any(defect.startswith(("too many", "parts are")) for defect in self.defects),
        )

    # The header

    def _date(self) -> datetime | None:
        return parse_date(self.header.get("date"))

    def _return_path(self) -> str | None:
        """ "" is the null sender of a bounce (RFC 5321, 4.5.5), None that nobody wrote it down."""
        if not self.header.has("return-path"):
            return None
        found = self.header.addresses("return-path")
        return found[0][1] if found else ""

    def _auto_submitted(self) -> str:
        keyword = re.match(r"[\w-]*", self.header.get("auto-submitted").lower())
        return "" if keyword is None or keyword[0] == "no" else keyword[0]

    def _headers(self) -> Mapping[str, str]:
        kept: dict[str, str] = {}
        for name in _KEPT_HEADERS:
            values = [Header([(name, value)], self.hints).get(name) for value in list(self.header.all_raw(name))[:20]]
            if values:
                kept[name] = "\n".join(values)[:10_000]
        return kept

    def _authentication_results(self) -> list[str]:
        fields = list(self.header.all_raw("authentication-results"))[:20]
        return [one_line(decode(value, header=True)) for value in fields]

    # The body

    def _walk(self, part: Part) -> None:
        if part.content_type == "multipart/alternative":
            self._walk_alternatives(part)
        elif part.content_type == "multipart/related":
            self._walk_related(part)
        elif part.main_type == "multipart" and part.children:
            for child in part.children:
                self._walk(child)
        else:
            self._take(part)

    def _walk_alternatives(self, part: Part) -> None:
        """One block of the two forms; Apple Mail has a whole multipart/mixed as its HTML form."""
        before = len(self.blocks)
        forms: list[list[_Block]] = []
        for child in part.children:
            self._walk(child)
            forms.append(self.blocks[before:])
            del self.blocks[before:]
        texts = [[b.text for b in form if b.text] for form in forms if not any(b.html for b in form)]
        htmls = [form for form in forms if any(b.html for b in form)]
        text = next(("\n".join(form) for form in texts if form), None)
        html = None
        if htmls:
            html = "\n".join(b.html or from_text(b.text or "") for b in htmls[-1])
        if text is not None or html is not None:
            self.blocks.append(_Block(text, html))

    def _walk_related(self, part: Part) -> None:
        wanted = normalize_cid(part.parameters.get("start", ""))
        roots = [c for c in part.children if wanted and normalize_cid(c.header.get("content-id")) == wanted]
        root = roots[0] if roots else part.children[0] if part.children else None
        for child in part.children:
            if child is root or child.main_type == "multipart":
                self._walk(child)
            else:
                self._attach(child)

    def _take(self, part: Part) -> None:
        disposition, parameters = part.disposition()
        named = bool(parameters.get("filename")) or (bool(part.parameters.get("name")) and bool(self.blocks))
        is_body = part.content_type in ("text/plain", "text/html", "text/enriched", "text/richtext")
        if part.content_type in ("message/delivery-status", "message/global-delivery-status"):
            self._read_delivery_status(part)
        elif part.content_type in ("text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers"):
            self._read_returned(part)
        elif part.content_type == "text/x-amp-html":
            return
        elif disposition != "attachment" and is_body and not named:
            self._take_text(part)
            return
        self._attach(part)

    def _take_text(self, part: Part) -> None:
        data = self.tree.data(part)
        if len(data) > MAX_TEXT:
            self.defects.append("too many characters in the body")
            data = data[:MAX_TEXT]
        declared = part.parameters.get("charset", "")
        if part.content_type == "text/html":
            named = re.search(rb"<meta[^>]{1,200}charset=[\"']?([\w-]{2,40})", data[:4096], re.IGNORECASE)
            meta = named[1].decode("ascii") if named else ""
            self.blocks.append(_Block(html=_unify(decode(data, declared or meta, hints=(meta, *self.hints)))))
            return
        text = _unify(decode(data, declared, hints=self.hints))
        if part.content_type in ("text/enriched", "text/richtext"):
            text = to_text(text)
        elif part.parameters.get("format", "").lower() == "flowed":
            text = unflow(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
        self.blocks.append(_Block(text=self._take_uuencoded(text)))

    def _take_uuencoded(self, text: str) -> str:
        """Files that stand in the text itself, as old mailers do it, become attachments."""
        position, kept = 0, []
        for match in _UU_BLOCK.finditer(text):
            if match.start() < position or len(self.found) > 50:
                continue
            stop = text.find("\nend", match.end() - 1)
            if stop < 0:
                break
            lines = text[match.end() : stop].split("\n")
            if not lines[0] or not all(32 <= ord(c) <= 96 for c in lines[0].rstrip()):
                continue
            data = decode_uuencoded(text[match.start() : stop + 4].encode("utf-8", "replace"))
            if not data:
                continue
            kept.append(text[position : match.start()])
            position = stop + 4
            self.found.append((None, match[1].strip(), "", "", data))
        return "".join(kept) + text[position:]

    def _body(self) -> tuple[str, str]:
        """The words, and the HTML unless the mail is plain text; stretches in one form only appear in both."""
        texts: list[str] = []
        stretches: list[tuple[str, str]] = []
        for block in self.blocks:
            text, html = (block.text or "").strip("\n").rstrip(), block.html or ""
            if html and not has_words(html) and "<img" not in html.lower():
                html = ""
            if html and not text.strip():
                text = to_text(html).strip()
            if text:
                texts.append(text)
            if text or html:
                stretches.append((text, html))
        if not any(html for _, html in stretches):
            joined = ""
        elif len(stretches) == 1:
            joined = stretches[0][1]
        else:
            joined = "\n".join(f"<div>{html or from_text(text)}</div>" for text, html in stretches)
        return "\n\n".join(texts)[:MAX_TEXT], joined[:MAX_TEXT]

    # Attachments

    def _attach(self, part: Part) -> None:
        if part.main_type == "multipart":
            for child in part.children:
                self._attach(child)
            return
        _, parameters = part.disposition()
        name = parameters.get("filename") or part.parameters.get("name") or ""
        data = self.tree.data(part)
        if part.content_type in ("message/rfc822", "message/global") and not name:
            subject = read_block(data, 0, min(len(data), 100_000), self.hints)[0].get("subject")
            name = f"{subject[:120]}.eml" if subject else ""
        cid = normalize_cid(part.header.get("content-id"))
        location = part.header.get("content-location")
        self.found.append((part, name, cid, location, data))

    def _attachments(self, html: str) -> tuple[list[ParsedAttachment], str]:
        taken: set[str] = set()
        cids: set[str] = set()
        shown = {normalize_cid(item) for item in re.findall(r"cid:([^\"'\s>)]{1,500})", html, re.IGNORECASE)[:5_000]}
        result = []
        for part, name, cid, location, data in self.found:
            content_type = part.content_type if part else mimetypes.guess_type(name)[0] or "application/octet-stream"
            if cid in cids:
                cid = ""  # used twice: the first one is shown
            if location and not cid and html and f'"{location}"' in html:
                cid = f"{hashlib.sha256(location.encode()).hexdigest()[:20]}@location"
                html = html.replace(f'"{location}"', f'"cid:{cid}"')
                shown.add(cid)
            cids.add(cid)
            result.append(
                ParsedAttachment(
                    name=_unique(safe_name(name, content_type), taken),
                    content_type=content_type,
                    content_id=cid,
                    inline=bool(cid) and cid in shown,
                    data=data,
                    original_name=name[:1_000],
                )
            )
        return result, html

    # Reports

    def _read_delivery_status(self, part: Part) -> None:
        data = self.tree.data(part)[:1_000_000].replace(b"\r\n", b"\n")
        for chunk in re.split(rb"\n[ \t]*\n", data.strip())[:1_100]:
            header, _, _ = read_block(chunk.lstrip(), 0, len(chunk), self.hints)
            if header.fields:
                self.delivery_status.append(_as_mapping(header))

    def _read_returned(self, part: Part) -> None:
        """Only of a report: an attached mail says nothing about the mail that carries it."""
        if self.content_type == "multipart/report" and not self.returned:
            data = self.tree.data(part)[:200_000].lstrip()
            self.returned = _as_mapping(read_block(data, 0, len(data), self.hints)[0])


def unflow(text: str, *, delete_space: bool) -> str:
    """Text of format=flowed (RFC 3676) with its soft breaks taken out; quote marks stay."""
    out: list[str] = []
    flowing = -1  # the quote depth of the line that goes on, -1 when the last one ended
    for line in text.split("\n"):
        stripped = line.lstrip(">")
        depth = len(line) - len(stripped)
        if stripped.startswith(" "):
            stripped = stripped[1:]
        is_signature = stripped == "-- "
        if flowing == depth and not is_signature:
            out.append(stripped)
        else:
            if out:
                out.append("\n")
            out.append((">" * depth + " " if depth else "") + stripped)
        if stripped.endswith(" ") and not is_signature:
            if delete_space:
                out[-1] = out[-1][:-1]
            flowing = depth
        else:
            flowing = -1
    return "".join(out)


def safe_name(name: str, content_type: str = "") -> str:
    """A file name that is safe on every system: no folders, no controls, no tricks of direction, at most 200 bytes."""
    name = _BIDI.sub("", one_line(name)).replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE_IN_NAMES.sub("_", name).strip(". ")
    if not name:
        extension = mimetypes.guess_extension(content_type) if content_type else None
        name = "message.eml" if content_type == "message/rfc822" else f"attachment{extension or ''}"
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > 20:
        stem, extension = name, ""
    room = MAX_NAME_BYTES - len(extension.encode()) - 1
    stem = stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") or "attachment"
    return f"{stem}.{extension}" if extension else stem


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, extension = name.rpartition(".")
    stem, extension = (stem, dot + extension) if dot else (name, "")
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem} ({number}){extension}"
    taken.add(candidate.casefold())
    return candidate


def _unify(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def _as_mapping(header: Header) -> Mapping[str, str]:
    mapping: dict[str, str] = {}
    for name, _ in header.fields:
        mapping.setdefault(name, header.get(name)[:4_000])
    return mapping
