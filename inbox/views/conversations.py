"""Conversations that are no tickets yet, of mailboxes that do not make tickets by themselves (SPEC S-06c)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.web import render_page
from inbox.models import Conversation
from inbox.timeline import Said
from people.access import may_reply_or_403, reply_required, signed_in

PAGE = 50


@reply_required
@require_safe
def conversations(request: HttpRequest) -> HttpResponse:
    """Newest first; more rows come as one scrolls, or by a plain link."""
    rows = Conversation.objects.visible_to(signed_in(request)).filter(ticket=None).for_list()
    page = Paginator(rows.order_by(F("newest_at").desc(nulls_last=True), "-pk"), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "section": "desk"}
    return render_page(request, "inbox/conversation_list.html", "inbox/_conversation_rows.html", context)


@login_required
@require_safe
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """What was said in one, to read it before it becomes a ticket. One that is a ticket by now is read there."""
    found = get_object_or_404(Conversation.objects.visible_to(signed_in(request)).for_list(), pk=pk)
    if found.ticket_id is not None:
        return redirect("inbox:ticket", found.ticket_id)
    entries = [Said(message) for message in found.messages.for_thread()]
    context = {"conversation": found, "entries": entries, "section": "desk"}
    return render(request, "inbox/conversation.html", context)


@login_required
@require_POST
def conversation_ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a ticket of it, and go there. When a colleague was faster, theirs is the ticket."""
    user = signed_in(request)
    conversation = get_object_or_404(Conversation.objects.visible_to(user), pk=pk)
    may_reply_or_403(user)
    ticket = conversation.make_ticket(by=user, now=timezone.now())
    messages.success(request, _("Ticket #%(number)d is made.") % {"number": ticket.number})
    return redirect("inbox:ticket", ticket.number)
