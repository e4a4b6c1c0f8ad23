"""Mail that no person wrote at this moment, by its headers first (RFC 3834, 2) and by the words of its subject last.

Whatever has a kind gets no automatic answer. An AUTO_REPLY also does not reopen a ticket.
"""

import re
from enum import StrEnum

from inbox.mime import bounces
from inbox.mime.parse import ParsedMail


class Kind(StrEnum):
    BOUNCE = "bounce"  # bounces.read tells more
    DELIVERY_REPORT = "delivery_report"  # delayed, delivered: nothing failed
    READ_RECEIPT = "read_receipt"
    FEEDBACK_REPORT = "feedback_report"  # a complaint (ARF)
    DMARC_REPORT = "dmarc_report"
    AUTO_REPLY = "auto_reply"  # somebody is away
    HELP_DESK = "help_desk"  # sent by a help desk like this one
    LIST = "list"
    BULK = "bulk"
    AUTO_GENERATED = "auto_generated"


_REPLY_SUBJECT = re.compile(
    r"^\W{0,3}(?:auto(?:matic)?[ :-]?(?:reply|response|répon|antwort)|auto:|out of (?:the )?office|away from (?:the |my )?office"
    r"|on vacation|vacation (?:reply|response)|i am (?:currently )?(?:out|away)|autoreply|autoresponse"
    r"|automaattinen vastaus|poissa(?: toimistosta|oloviesti|ilmoitus)?\b|poissaolo|lomavastaus|lomalla"
    r"|autosvar|automatiskt svar|automatisk svar|frånvaro|fraværsmelding|ikke på kontoret|ej på kontoret"
    r"|automatische antwort|abwesenheit|abwesend|nicht im (?:büro|hause)"
    r"|réponse automatique|absence du bureau|absent du bureau|message d'absence"
    r"|respuesta automática|fuera de (?:la )?oficina|risposta automatica|fuori (?:sede|ufficio)"
    r"|automatisch (?:antwoord|bericht)|afwezig|automatyczna odpowiedź|odpowiedź automatyczna|nieobecność"
    r"|автоматический ответ|автоответ|resposta automática|fora do escritório|自動返信|不在(?:通知|の)|自动回复|自動回覆)",
    re.IGNORECASE,
)
_RECEIPT_SUBJECT = re.compile(
    r"^(?:read|not read|gelesen|lu|luettu|läst|leído|letto|gelezen|læst|lest|przeczytano|прочтено|開封済み)\s?:",
    re.IGNORECASE,
)
_DMARC_NAME = re.compile(r"[\w.-]{1,200}![\w.-]{1,200}!\d{8,12}!\d{8,12}.{0,80}\.(?:xml|zip|gz)$", re.IGNORECASE)
_DMARC_SUBJECT = re.compile(r"report domain: ?\S+ .{0,20}submitter: ?\S+", re.IGNORECASE)


def kind(parsed: ParsedMail) -> Kind | None:
    """What sort of automatic mail this is, None for a mail that a person wrote to us."""
    headers = parsed.headers
    if bounces.read(parsed) is not None:
        return Kind.BOUNCE
    if bounces.is_report(parsed):
        return Kind.DELIVERY_REPORT
    if parsed.report_type == "disposition-notification" or _is_receipt(parsed):
        return Kind.READ_RECEIPT
    if parsed.report_type == "feedback-report":
        return Kind.FEEDBACK_REPORT
    if any(_DMARC_NAME.search(item.name) or _DMARC_NAME.search(item.original_name) for item in parsed.attachments):
        return Kind.DMARC_REPORT
    if _DMARC_SUBJECT.search(parsed.subject[:500]):
        return Kind.DMARC_REPORT
    if _is_reply(parsed):
        return Kind.AUTO_REPLY
    if "x-desk-instance" in headers:
        return Kind.HELP_DESK
    if "list-id" in headers:
        return Kind.LIST
    if _words(headers.get("precedence", "")) & {"bulk", "list", "junk"} or "feedback-id" in headers:
        return Kind.BULK
    suppressed = _words(headers.get("x-auto-response-suppress", ""))
    if parsed.auto_submitted or suppressed - {"none"} or parsed.return_path == "":
        return Kind.AUTO_GENERATED
    if "x-fc-machinegenerated" in headers or "x-ms-exchange-generated-message-source" in headers:
        return Kind.AUTO_GENERATED
    if parsed.content_type == "multipart/report":
        return Kind.DELIVERY_REPORT
    return None


def _is_reply(parsed: ParsedMail) -> bool:
    headers = parsed.headers
    if parsed.auto_submitted in ("auto-replied", "auto-notified"):
        return True
    if any(
        name in headers and headers[name].lower() not in ("no", "none", "false", "0")
        for name in ("x-autoreply", "x-autorespond", "x-mail-autoreply", "x-autoreply-from", "x-auto-reply-from")
    ):
        return True
    if _words(headers.get("precedence", "")) & {"auto_reply", "auto-reply"}:
        return True
    if "x-ms-exchange-inbox-rules-loop" in headers:
        return True
    return _REPLY_SUBJECT.search(parsed.subject[:200]) is not None


def _is_receipt(parsed: ParsedMail) -> bool:
    # Outlook's old receipts are no reports; they say nothing but their subject.
    return bool(_RECEIPT_SUBJECT.match(parsed.subject)) and len(parsed.text) < 1_000 and bool(parsed.auto_submitted)


def _words(value: str) -> set[str]:
    return {word for word in re.split(r"[\s,;]+", value.lower()) if word}
