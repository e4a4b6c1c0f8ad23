from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from helpdesk.numbers import as_number
from helpdesk.web import is_shown_again, shows_again, signed_out_meanwhile
from inbox import replying
from inbox.errors import CheckFailed, DueInThePast, InboxError, NoSuchTime, SentOtherwise, TooFarAhead
from inbox.models import Direction, Draft, DraftMode
from inbox.timeline import Thread
from inbox.views.answering import answer_asking, answer_refused, answer_sent
from inbox.views.composing import Composer, Written, read_draft
from inbox.views.recipients import begin
from inbox.views.sending import Wish, ask_again, later_again, missing, read_wish
from people.access import signed_in
from tickets.errors import PropertiesMissing, TicketError
from tickets.models import Ticket
from tickets.views.changing import changeable_ticket


@shows_again("to", "cc", "bcc", "subject", "text", "html")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def replies(request: HttpRequest, number: int) -> HttpResponse:
    """GET shows whom a reply goes to, to the newest message or the one in `answers`; POST writes it."""
    ticket = changeable_ticket(request, number, for_page=request.method != "POST")
    return _write(request, ticket) if request.method == "POST" else begin(request, ticket)


def _write(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    user, now = signed_in(request), timezone.now()
    written, wish = read_draft(request, ticket, DraftMode.REPLY), Wish()
    stood = ticket.cursor
    if is_shown_again(request):
        written.error = signed_out_meanwhile()
    if not written.error:
        try:
            wish = read_wish(request, ticket, now)
            if form := missing(wish, user):
                return answer_asking(request, ticket, form, written, wish)
            draft = written.draft
            draft.ticket, draft.version = ticket, written.based_on
            if written.chosen and draft.answers_id and draft.begun_after is not None:
                draft.begun_after = max(draft.begun_after, draft.answers_id)  # whoever chose it has read it
            if replaced := as_number(request.POST.get("replaces", "")):
                draft.replaces = ticket.messages.filter(pk=replaced, direction=Direction.OUT).first()
            message = replying.send(
                draft,
                by=user,
                uploads=written.attached,
                status=wish.status,
                properties=wish.properties,
                due_at=wish.due_at,
                cancel_if_answered=wish.cancel_if_answered,
                overrides=wish.overrides,
                now=now,
            )
        except CheckFailed as error:
            return answer_refused(request, ticket, _again(request, ticket, written), checks=error.checks, wish=wish)
        except PropertiesMissing as error:
            return answer_asking(request, ticket, ask_again(ticket, error, user), written, wish)
        except (NoSuchTime, DueInThePast, TooFarAhead) as error:
            written.error = str(error)
            again = _again(request, ticket, written)
            again.later_again = later_again(request.POST, now, error)
            return answer_refused(request, ticket, again)
        except SentOtherwise as error:
            written.error, written.draft.form_key = str(error), Draft().form_key
        except (InboxError, TicketError) as error:
            written.error = str(error)
        else:
            return answer_sent(request, ticket, message, wish, stood)
    return answer_refused(request, ticket, _again(request, ticket, written))


def _again(request: HttpRequest, ticket: Ticket, written: Written) -> Composer:
    """The form with everything that was typed."""
    chosen = written.draft.answers if written.chosen else None
    ticket.refresh_from_db(fields=["trashed_at"])
    again = Composer(ticket, signed_in(request), Thread(ticket), chosen, mode="reply", reply=written)
    if request.POST.get("due"):
        again.later_again = later_again(request.POST, timezone.now(), asks=is_shown_again(request))
    return again
