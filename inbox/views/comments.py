from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inbox import replying
from inbox.errors import InboxError
from inbox.timeline import Thread
from inbox.views.answering import answer_refused, answer_written
from inbox.views.composing import Composer, read_form
from people.access import signed_in
from tickets.models import Ticket


@login_required
@require_POST
def comments(request: HttpRequest, number: int) -> HttpResponse:
    """Whoever sees a ticket may comment on it."""
    user = signed_in(request)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=number)
    written = read_form(request)
    if not written.error:
        try:
            message = replying.comment(
                ticket,
                by=user,
                html=written.html,
                text=written.text,
                uploads=written.uploads,
                form_key=written.form_key,
            )
        except InboxError as error:
            written.error = str(error)
        else:
            return answer_written(request, ticket, message, _("Comment added"))
    return answer_refused(request, ticket, Composer(ticket, user, Thread(ticket), mode="comment", comment=written))
