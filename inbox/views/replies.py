from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from helpdesk.web import wants_fragment
from inbox import replying
from inbox.errors import InboxError
from inbox.timeline import Thread
from inbox.views.answering import answer_refused, answer_written
from inbox.views.composing import Composer, answered_message, read_form
from people.access import signed_in
from tickets.models import Ticket
from tickets.views.changing import changeable_ticket, page_address


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def replies(request: HttpRequest, number: int) -> HttpResponse:
    """GET shows whom a reply goes to, to the newest message or the one in `answers`; POST writes it."""
    ticket = changeable_ticket(request, number)
    return _write(request, ticket) if request.method == "POST" else _begin(request, ticket)


def _begin(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    asked = request.GET.get("answers", "")
    if not wants_fragment(request):
        address = page_address(request, ticket)
        answers = urlencode({"answers": asked}) if asked else ""
        return redirect(address + ("&" if "?" in address else "?") * bool(answers) + answers + "#composer")
    thread = Thread(ticket)
    composer = Composer(ticket, signed_in(request), thread, answered_message(thread, asked), mode="reply")
    context = {"composer": composer, "ticket": ticket, "view_key": request.GET.get("view", "")}
    response = render(request, "inbox/_composer_head.html", context)
    return trigger_client_event(response, "reply:begins")


def _write(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    user = signed_in(request)
    written = read_form(request)
    asked = request.POST.get("answers", "")
    thread = Thread(ticket)
    answers = answered_message(thread, asked)
    chosen = answers if "chosen" in request.POST else None
    if asked and answers is None:
        written.error = _("The message that you answer is not here any more. Your text is kept; check whom it goes to.")
    if not written.error:
        try:
            message = replying.reply(
                ticket,
                by=user,
                html=written.html,
                text=written.text,
                uploads=written.uploads,
                form_key=written.form_key,
                answers=answers or thread.newest_of_customer,
            )
        except InboxError as error:
            written.error = str(error)
        else:
            return answer_written(request, ticket, message, _("Reply is being sent"))
    return answer_refused(request, ticket, Composer(ticket, user, thread, chosen, mode="reply", reply=written))
