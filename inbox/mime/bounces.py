"""Mail that says another mail did not arrive.

First the standard report (RFC 3464), then the field that Exim and Google set, then a score: four of ten real bounces
follow no standard. A report of a delay, or of success, is no bounce.
"""

import re
from dataclasses import dataclass, field

from inbox.mime.headers import parse_addresses, parse_ids, read_block
from inbox.mime.parse import ParsedMail

_SCANNED = 40_000
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?:^|[\s:(\[])([45]\d\d)(?=[\s-])")
_ADDRESS = re.compile(r"(?<![\w.+=-])[\w.+=-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w@-])")
_RETURNED_ID = re.compile(r"^[ \t>|]*Message-ID:[ \t]*\n?[ \t>|]*<([^<>\s]{3,900})>", re.IGNORECASE | re.MULTILINE)
_RETURNED_START = re.compile(
    r"^[ \t>-]*(?:-{2,} ?(?:This is a copy of|Original message|Below this line|Undelivered|The header of|Message header)"
    r"|Original message headers?:|Received: |Return-Path: |Reporting-MTA:)",
    re.IGNORECASE | re.MULTILINE,
)
_DAEMON = re.compile(
    r"^(?:mailer-daemon|mail-daemon|mailerdaemon|mdaemon|mail\.daemon|mailsystem|mail-system|postmaster|"
    r"microsoftexchange[0-9a-f]{8,}|bounces?|noreply-bounce|mail_delivery|maildelivery|mailadmin|mmdf|uucp|"
    r"returnedmail|complaints?\+bounce)(?:[+._-][^@]*)?@",
    re.IGNORECASE,
)
_DAEMON_NAME = re.compile(
    r"mail(?:er)? ?-?delivery|mailer[- ]?daemon|mail administrator|postmaster|system administrator|mail system", re.I
)
_SUBJECT = re.compile(
    r"undeliver(?:able|ed)|non[- ]?deliver|delivery (?:status )?(?:notification )?.{0,12}fail|delivery (?:has )?fail"
    r"|fail(?:ure|ed) (?:notice|delivery|to deliver)|returned (?:mail|to sender)|mail delivery|message not delivered"
    r"|delivery (?:problem|error|report|unsuccessful)|could not (?:be delivered|send message)|permanent error"
    r"|mail (?:system )?error|warning: message .{0,40} (?:not|frozen)|rejected:|mail failure|bounced"
    r"|unzustellbar|nicht zugestellt|zustellung.{0,20}fehl|fehlgeschlagen|rücksendung|retour de courrier"
    r"|non remis|échec de (?:la )?remise|no se (?:pudo|puede) entregar|no entregado|devuelto|mancata consegna"
    r"|non recapitabile|niet (?:bezorgd|afgeleverd)|onbestelbaar|kunde inte levereras|olevererbar|gick inte att leverera"
    r"|kan ikke leveres|ikke leveret|uleverbar|ei voitu toimittaa|toimittamaton|palautettu viesti|epäonnistui"
    r"|niedostarczon|nie dostarczono|zwrot|не доставлено|не удалось доставить|недоставлен|配信不能|配信できません"
    r"|退信|não entregue",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"delay|still being retried|still trying|will (?:keep|continue) (?:to )?(?:try|retry)|not yet been delivered"
    r"|no action is required|temporary problem|viivästy|försenad|verzögert|retardé|retrasad|vertraagd|forsinket"
    r"|opóźni|задерж",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"could not be delivered|couldn.t be delivered|wasn.t delivered|was not delivered|unable to deliver|delivery.{0,30}failed"
    r"|undeliverable|user (?:unknown|doesn.t exist)|unknown user|no such user|does not exist|mailbox (?:is )?(?:full|unavailable"
    r"|not found)|address (?:rejected|not found)|recipient (?:address )?rejected|recipient.{0,20}not found|permanent (?:fatal )?error"
    r"|quota exceeded|over quota|host (?:unknown|not found)|relay(?:ing)? (?:access )?denied|invalid recipient"
    r"|sorry.{0,20}(?:wasn.t able|couldn.t)|giving up|returned to sender|unrouteable|account.{0,20}disabled"
    r"|konnte nicht zugestellt|n'a pas pu être|no se pudo entregar|kunde inte levereras|ei voitu toimittaa|не доставлено",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Bounce:
    """Who did not get a mail of ours, and why.

    `status` is the enhanced code ("5.1.1"), "" when none was given; `permanent` says that trying again is useless;
    `message_id` is the mail that came back, without angle brackets, "" when the report does not tell.
    """

    recipients: list[str] = field(default_factory=list)
    status: str = ""
    permanent: bool = True
    message_id: str = ""
    diagnostic: str = ""


def read(parsed: ParsedMail) -> Bounce | None:
    """The bounce that `parsed` is, None for every other mail. Whether the id is one of ours is for the caller to ask."""
    if parsed.delivery_status:
        return _read_report(parsed)
    if parsed.report_type in ("disposition-notification", "feedback-report"):
        return None
    text = _own_words(parsed)
    failed = [address for _, address in parse_addresses(parsed.headers.get("x-failed-recipients", ""))]
    if failed:
        if _DELAY.search(parsed.subject):
            return None
        return _make(parsed, failed, text)
    if _score(parsed, text) < 3:
        return None
    ours = {parsed.from_address.lower(), *(address.lower() for _, address in parsed.to)}
    found = (
        address for address in _ADDRESS.findall(text) if address.lower() not in ours and not _DAEMON.match(address)
    )
    return _make(parsed, list(dict.fromkeys(found))[:20], text)


def is_report(parsed: ParsedMail) -> bool:
    """A delivery report of any outcome: failed, delayed, delivered."""
    return bool(parsed.delivery_status) or parsed.report_type == "delivery-status"


def _read_report(parsed: ParsedMail) -> Bounce | None:
    recipients: list[str] = []
    statuses: list[str] = []
    diagnostics: list[str] = []
    for block in parsed.delivery_status:
        who = block.get("final-recipient") or block.get("original-recipient")
        if not who:
            continue
        status = _STATUS.search(block.get("status", ""))
        action = block.get("action", "").strip().lower().split(" ", 1)[0]
        if action != "failed" and (action or not status or not status[1].startswith("5")):
            continue
        address = who.partition(";")[2].strip() or who.strip()
        address = address.strip("<> ")
        # Exchange writes an X.500 name here and the address into Original-Recipient.
        if "@" not in address and "@" in block.get("original-recipient", ""):
            address = block["original-recipient"].partition(";")[2].strip("<> ")
        if address and address not in recipients:
            recipients.append(address)
            statuses.append(status[1] if status else "")
            diagnostics.append(block.get("diagnostic-code", ""))
    if not recipients:
        return None
    status_text = next((s for s in statuses if s.startswith("5")), next((s for s in statuses if s), ""))
    return Bounce(
        recipients=recipients,
        status=status_text,
        permanent=not status_text.startswith("4"),
        message_id=_returned_id(parsed),
        diagnostic=next((d for d in diagnostics if d), "")[:1_000],
    )


def _make(parsed: ParsedMail, recipients: list[str], text: str) -> Bounce:
    status = _STATUS.search(text)
    code = _REPLY_CODE.search(text)
    status_text = status[1] if status and not status[1].startswith("2") else ""
    permanent = status_text[:1] != "4" and not (not status_text and code is not None and code[1].startswith("4"))
    reason = status or _BODY.search(text)
    return Bounce(
        recipients=recipients,
        status=status_text,
        permanent=permanent,
        message_id=_returned_id(parsed),
        diagnostic=_line_around(text, reason.start())[:1_000] if reason else "",
    )


def _score(parsed: ParsedMail, text: str) -> int:
    score = 0
    if _DAEMON.match(parsed.from_address) or (not parsed.from_address and parsed.return_path == ""):
        score += 2
    elif _DAEMON_NAME.search(parsed.from_name):
        score += 1
    if parsed.return_path == "":
        score += 1
    if parsed.content_type == "multipart/report":
        score += 1
    if not score:
        return 0  # a person, who may well write about mail that did not arrive
    if _SUBJECT.search(parsed.subject):
        score += 2
    if _BODY.search(text):
        score += 1
        if _STATUS.search(text) or _REPLY_CODE.search(text):
            score += 1
    if parsed.auto_submitted == "auto-replied" and score < 4 and not _DAEMON.match(parsed.from_address):
        score -= 2  # an absence note of a person
    if _DELAY.search(parsed.subject) or (_DELAY.search(text) and not _STATUS.search(text)):
        score -= 4
    return score


def _own_words(parsed: ParsedMail) -> str:
    """What the reporting server says, without the mail that it gives back."""
    text = parsed.text[:_SCANNED]
    start = _RETURNED_START.search(text, 1)
    return text[: start.start()] if start and start.start() > 40 else text


def _returned_id(parsed: ParsedMail) -> str:
    if ids := parse_ids(parsed.returned_headers.get("message-id", "")):
        return ids[0]
    for attachment in parsed.attachments:
        if attachment.content_type in ("message/rfc822", "text/rfc822-headers", "message/global"):
            data = attachment.data[:200_000].lstrip()
            if ids := read_block(data, 0, len(data))[0].ids("message-id"):
                return ids[0]
    for block in parsed.delivery_status:
        for name in ("x-original-message-id", "original-message-id"):
            if ids := parse_ids(block.get(name, "")):
                return ids[0]
    if match := _RETURNED_ID.search(parsed.text[: _SCANNED * 5]):
        return match[1]
    return parsed.in_reply_to or (parsed.references[-1] if parsed.references else "")


def _line_around(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    stop = text.find("\n", position)
    return text[start : stop if stop >= 0 else len(text)].strip()
