"""How the forms under a conversation answer: with the message in its place and an empty form, or with the text kept."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django_htmx.http import reswap, retarget, trigger_client_event

from helpdesk.web import forget_draft, toast, wants_fragment
from inbox.models import Message
from inbox.timeline import Thread
from inbox.views.composing import Composer
from inbox.views.workspace import answer_workspace, ticket_context
from people.access import signed_in
from tickets.listing import Listing
from tickets.models import Seen, Ticket, view_or_default
from tickets.views.changing import header_context, page_address, row_of


def answer_written(request: HttpRequest, ticket: Ticket, message: Message, said: str) -> HttpResponse:
    user = signed_in(request)
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(f"{page_address(request, ticket)}#m{message.pk}")
    Seen.objects.mark(ticket, user, timezone.now())
    # A reply moves its ticket on, and may have taken it: all of that is read anew.
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=ticket.pk)
    thread = Thread(ticket)
    composer = Composer(ticket, user, thread, mode="comment" if message.is_internal else "reply", is_fresh=True)
    context = {**header_context(request, ticket), "thread": thread, "composer": composer, "row": row_of(ticket, user)}
    response = render(request, "inbox/_written.html", context)
    forget_draft(response, composer.comment_draft if message.is_internal else composer.reply_draft)
    trigger_client_event(response, "ticket:changed", {"number": ticket.pk})
    return toast(response, said)


def answer_refused(request: HttpRequest, ticket: Ticket, composer: Composer) -> HttpResponse:
    """422 with everything that was typed; nothing was written."""
    if not wants_fragment(request):
        view = view_or_default(composer.user, request.GET.get("view", ""))
        context = ticket_context(request, ticket, composer)
        return answer_workspace(request, Listing(view, composer.user), context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    context = {**header_context(request, ticket), "composer": composer, "moves_focus": True}
    response = render(request, "inbox/_composer.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return reswap(retarget(response, "#composer"), "outerHTML")
