"""Whom a mail goes to: the head of the editor, whoever may be meant, and an address for a contact that has none."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from helpdesk import html as safe_html
from helpdesk.numbers import as_number
from helpdesk.web import toast, wants_fragment
from inbox.addressing import read_addresses
from inbox.addressing.desk import MOST_KEPT, found_for
from inbox.addressing.giving import give_contact_address
from inbox.addressing.subject import usual_subject
from inbox.addressing.suggesting import suggested
from inbox.errors import ContactHasAddress
from inbox.models import Direction, Draft, DraftMode, Mailbox, MailKind, Message
from inbox.models.message import Address
from inbox.quoting import history as quoted_history
from inbox.timeline import Thread
from inbox.views.composing import Composer, answered_message, read_draft, signature_lines
from inbox.views.head import FIELDS, Head
from inbox.views.workspace import answer_workspace, ticket_context
from people.access import reply_required, signed_in
from people.models.contact import normalised
from people.picking import PickingError
from tickets.listing import Listing
from tickets.models import Ticket
from tickets.views.changing import changeable_ticket, header_context, page_address, view_of

MOST_SUGGESTED = 8


def begin(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The head of a mail in answer to the message in `answers`, or to the newest; of the `kind` that is asked for.

    What came along as `to`, `cc` and `bcc` was named by hand and stays.
    """
    asked, user = request.GET, signed_in(request)
    kind = asked.get("kind", "") if asked.get("kind") in MailKind.values else ""
    if not wants_fragment(request):
        address = page_address(request, ticket)
        query = urlencode({name: asked[name] for name in ("answers", "kind") if asked.get(name)})
        return redirect(address + ("&" if "?" in address else "?") * bool(query) + query + "#composer")
    thread = Thread(ticket)
    chosen = answered_message(thread, asked.get("answers", ""))
    draft = Draft(user=user, ticket=ticket, mode=DraftMode.REPLY, kind=kind, mailbox=_mailbox(asked.get("mailbox", "")))
    added = {name: _typed(asked.getlist(name)) for name in FIELDS}
    answered = chosen or thread.newest_of_customer
    head = Head(ticket, user, draft, answered, chosen is not None, added=added, moves_focus=kind == MailKind.FORWARD)
    return trigger_client_event(_answer(request, head), "reply:begins")


@login_required
@require_POST
def composer_head(request: HttpRequest, number: int) -> HttpResponse:
    """The head again, after `to_kind`, `to_mailbox` or `newest` changed it. Saves nothing; what was typed stays."""
    ticket, user = changeable_ticket(request, number), signed_in(request)
    if not wants_fragment(request):
        return redirect(page_address(request, ticket) + "#composer")
    draft = read_draft(request, ticket, DraftMode.REPLY).draft
    answered = draft.answers or Thread(ticket).newest_of_customer
    is_chosen = "chosen" in request.POST and draft.answers is not None
    added: dict[str, list[Address]] = {}
    kind = request.POST.get("to_kind", "")
    if kind in MailKind.values or "newest" in request.POST:
        added = _named_by_hand(draft, answered)
        if draft.subject == usual_subject(draft.kind, answered, ticket):
            draft.subject = ""
        if kind == MailKind.FORWARD and draft.quoted_html == "":
            draft.quoted_html = None
        draft.to = draft.cc = draft.forwarded = None
        draft.kind = kind if kind in MailKind.values else ""
    if "newest" in request.POST:
        answered, is_chosen = Thread(ticket).newest_of_customer, False
    asked = request.POST.get("to_mailbox", "")
    if asked:
        draft.mailbox = _mailbox(asked)
        if draft.mailbox is None:
            raise Http404
    is_open, moves = bool(request.POST.get("opened")), kind == MailKind.FORWARD
    head = Head(ticket, user, draft, answered, is_chosen, added, is_open, moves)
    response = _answer(request, head)
    if asked:
        # The signature is the sender's, and stands below the text.
        context = {"lines": signature_lines(user, head.mailbox), "oob": True}
        response.write(render_to_string("inbox/_composer_signature.html", context, request))
    return response


@login_required
@require_safe
def history(request: HttpRequest, number: int) -> HttpResponse:
    """The quoted history of a reply, or the message of a forward, to be changed before it goes."""
    ticket = changeable_ticket(request, number)
    rows = ticket.messages.exclude(direction=Direction.INTERNAL).select_related("author", "contact")
    message = get_object_or_404(rows, pk=as_number(request.GET.get("answers", "")))
    if not wants_fragment(request):
        return redirect(page_address(request, ticket))
    quoted = quoted_history(request.GET.get("kind", ""), message)
    return render(request, "inbox/_quoted_history.html", {"history": safe_html.mark_clean(quoted.html)})


@reply_required
@require_safe
def recipients(request: HttpRequest) -> JsonResponse:
    """Who may be meant by `q`: people on this `ticket` first, then contacts. {"results": [{name, address, detail}]}"""
    number = as_number(request.GET.get("ticket", ""))
    user = signed_in(request)
    ticket = Ticket.objects.visible_to(user).filter(pk=number).first() if number else None
    found = suggested(request.GET.get("q", ""), ticket, by=user, most=MOST_SUGGESTED)
    return JsonResponse({"results": found})


@login_required
@require_POST
def contact_address(request: HttpRequest, number: int) -> HttpResponse:
    """Give the ticket's contact an address, right where it is missed (S-14). 409 when mail reaches them already."""
    ticket, user = changeable_ticket(request, number), signed_in(request)
    if ticket.contact is None:
        raise Http404
    typed = request.POST.get("contact_address", "").strip()
    try:
        given = give_contact_address(ticket, typed, by=user, now=timezone.now())
    except ContactHasAddress as error:
        if wants_fragment(request):
            return toast(_mended(request, ticket, status=HTTPStatus.CONFLICT), str(error), "error")
        messages.error(request, str(error))
        return _mended(request, ticket, status=HTTPStatus.CONFLICT)
    except PickingError as error:
        return _mended(request, ticket, typed=typed, error=str(error), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=ticket.pk)
    said = _("%(name)s has the address %(address)s now.") % {"name": ticket.contact, "address": given.address}
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(page_address(request, ticket) + "#composer")
    return toast(trigger_client_event(_mended(request, ticket), "ticket:changed", {"number": ticket.pk}), said)


def _answer(request: HttpRequest, head: Head) -> HttpResponse:
    context = {"composer": {"head": head}, "ticket": head.ticket, "view_key": request.GET.get("view", "")}
    return render(request, "inbox/_composer_head.html", context)


def _mended(
    request: HttpRequest, ticket: Ticket, *, typed: str = "", error: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    composer = Composer(ticket, signed_in(request), Thread(ticket), mode="reply")
    context = {"composer": composer, "typed_address": typed, "address_error": error}
    if wants_fragment(request):
        context |= {**header_context(request, ticket), "moves_focus": True}
        return render(request, "inbox/_composer.html", context, status=status)
    view = view_of(request)
    context |= ticket_context(request, ticket, composer)
    return answer_workspace(request, Listing(view, composer.user), context, status=status)


def _named_by_hand(draft: Draft, answered: Message | None) -> dict[str, list[Address]]:
    """Those in To and Cc that did not come from the answered message. Bcc is by hand always, and stays in the draft."""
    found = found_for(draft.ticket, answered, kind=draft.kind or None, by=draft.user, insists=False)
    usual = {normalised(entry["address"]) for entry in [*found.to, *found.cc]}
    return {
        "to": [entry for entry in draft.to or [] if normalised(entry["address"]) not in usual],
        "cc": [entry for entry in draft.cc or [] if normalised(entry["address"]) not in usual],
    }


def _typed(values: list[str]) -> list[Address]:
    return [entry for value in values[:MOST_KEPT] for entry in read_addresses(value)[:MOST_KEPT]][:MOST_KEPT]


def _mailbox(asked: str) -> Mailbox | None:
    return Mailbox.objects.filter(pk=as_number(asked) or 0).first()
