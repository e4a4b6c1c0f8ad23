"""What one does with a mail that is written: take it back, let it go at once, try it again, write it anew."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import reswap, trigger_client_event

from helpdesk.web import toast, wants_fragment
from inbox import drafting, releasing, undoing
from inbox.errors import AlreadyUndone, AnotherBegun, InboxError, NotYours, TicketInTrash, TooLateToUndo
from inbox.models import Direction, Message, NotSent, Outgoing
from inbox.timeline import Said
from inbox.views.answering import answer_with_draft, said_of
from people.access import may_reply_or_403, signed_in
from tickets.models import Ticket
from tickets.views.changing import page_address, view_of

UNDONE, MOST_UNDONE = "undone", 10
"""What was taken back in a session, by mail and ticket, for an Undo whose answer was lost."""


@login_required
@require_POST
def outgoing_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a mail that failed once more, with the same bytes and to whoever has not got it."""
    outgoing = _outgoing(request, pk)
    said, failed = _("Trying again"), False
    try:
        outgoing.try_again(by=signed_in(request))
    except InboxError as error:
        said, failed = str(error), True
    return _answer(request, outgoing.message, said, failed=failed)


@login_required
@require_POST
def outgoing_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what has not left: it is a draft again, or stays unsent beside the one that was begun since.

    Also when the ticket went out of sight with it: mostly it comes back then.
    """
    user = signed_in(request)
    if ticket := _undone_before(request, pk):
        return _answer_undone(request, ticket)
    outgoing = _outgoing(request, pk, own=True)
    ticket = outgoing.message.ticket
    try:
        draft = undoing.undo_sending(outgoing, by=user, now=timezone.now())
    except NotYours as error:
        raise PermissionDenied from error
    except AlreadyUndone as error:
        stored = Outgoing.objects.filter(pk=pk).first()
        if stored is None and ticket is not None:  # pressed twice, and the other one came first
            return _answer_undone(request, ticket)
        if stored is None or stored.last_answer != NotSent.TAKEN_BACK:
            return _say(request, ticket, str(error), failed=True)
        draft = None
    except (TooLateToUndo, AnotherBegun) as error:
        return _say(request, ticket, str(error), failed=True)
    if draft is None:
        said = _("Not sent. You have begun another answer, so this one stays in the conversation.")
        return _say(request, ticket, said)
    request.session[UNDONE] = [*request.session.get(UNDONE, [])[1 - MOST_UNDONE :], [pk, draft.ticket_id]]
    return _answer_undone(request, draft.ticket)


@login_required
@require_POST
def outgoing_stop(request: HttpRequest, pk: int) -> HttpResponse:
    """A colleague's mail of tomorrow is not sent; its text stays where it stands."""
    outgoing = _outgoing(request, pk)
    said, failed = _("Not sent. Its text stays in the conversation."), False
    try:
        undoing.stop_sending(outgoing, by=signed_in(request), now=timezone.now())
    except InboxError as error:
        said, failed = str(error), True
    return _answer(request, outgoing.message, said, failed=failed)


@login_required
@require_POST
def outgoing_departure(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it go now, without waiting for the undo window or for its time."""
    outgoing = _outgoing(request, pk, own=True)
    ticket = outgoing.message.ticket
    try:
        outgoing.let_go(by=signed_in(request), now=timezone.now())
    except NotYours as error:
        raise PermissionDenied from error
    except TicketInTrash as error:
        return _say(request, ticket, str(error), failed=True)
    stored = Outgoing.objects.filter(pk=pk).first()
    failed = stored is None or stored.is_cancelled
    said = str(AlreadyUndone()) if stored is None or failed else said_of(stored)
    if ticket and not _sees(request, ticket):
        return _say(request, ticket, said, failed=failed)
    return _answer(request, outgoing.message, said, failed=failed)


@login_required
@require_POST
def outgoing_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Write anew what did not arrive, with everything that stands in it."""
    outgoing = _outgoing(request, pk)
    try:
        draft = undoing.write_anew(outgoing, by=signed_in(request), now=timezone.now())
    except InboxError as error:
        return _say(request, outgoing.message.ticket, str(error), failed=True)
    said = _("Correct it and send it again.")
    if outgoing.reached:
        said = _("Correct it and send it again. Whoever has it already is left out.")
    return answer_with_draft(request, draft.ticket, said)


@login_required
@require_POST
def message_release(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer to a forward may be seen and quoted from now on."""
    user = signed_in(request)
    message = get_object_or_404(Message.objects.visible_to(user), pk=pk)
    may_reply_or_403(user)
    said, failed = _("Released: it can be quoted to the contact now"), False
    try:
        releasing.release(message, by=user, now=timezone.now())
    except InboxError as error:
        said, failed = str(error), True
    return _answer(request, message, said, failed=failed)


def _outgoing(request: HttpRequest, pk: int, *, own: bool = False) -> Outgoing:
    """404 for a mail of a ticket that one does not see, 403 for whoever may not write to customers.

    `own`: also what one has just sent oneself, and gave the ticket away with it.
    """
    user = signed_in(request)
    wanted = Q(message__in=Message.objects.visible_to(user).values("pk"))
    if own:
        wanted |= Q(message__author=user, message__deleted_at=None, scheduled=False)
    outgoing = get_object_or_404(Outgoing.objects.select_related("message__ticket").filter(wanted), pk=pk)
    may_reply_or_403(user)
    return outgoing


def _sees(request: HttpRequest, ticket: Ticket) -> bool:
    return Ticket.objects.visible_to(signed_in(request)).filter(pk=ticket.pk).exists()


def _undone_before(request: HttpRequest, pk: int) -> Ticket | None:
    """The ticket of a mail that was taken back in this session: the mail is gone, its page may never have heard of that."""
    number = dict(request.session.get(UNDONE, [])).get(pk)
    return Ticket.objects.filter(pk=number).first() if number else None


def _answer_undone(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    if not _sees(request, ticket):
        said = _("Not sent. You no longer see the ticket; your text is in Drafts as soon as you see it again.")
        return _say(request, ticket, said)
    if not drafting.has_begun(signed_in(request), ticket):
        return _say(request, ticket, str(AlreadyUndone()))  # and sent or discarded since
    said = _("Not sent. Your text is back in the editor.")
    if not ticket.messages.exclude(direction=Direction.INTERNAL).exists():
        said = _("Not sent. The ticket stays, and your text is back in its editor.")
    return answer_with_draft(request, ticket, said)


def _say(request: HttpRequest, ticket: Ticket | None, said: str, *, failed: bool = False) -> HttpResponse:
    """What was done, or why not, to a page that keeps what is being typed in it; the conversation comes by itself."""
    if not wants_fragment(request):
        (messages.error if failed else messages.success)(request, said)
        return redirect(page_address(request, ticket) if ticket and _sees(request, ticket) else "/")
    response = reswap(HttpResponse(status=409 if failed else 200), "none")
    trigger_client_event(response, "ticket:changed", {"number": ticket.pk if ticket else None})
    return toast(response, said, kind="error" if failed else "info")


def _answer(request: HttpRequest, shown: Message, said: str, *, failed: bool = False) -> HttpResponse:
    """The message as it is now, with the focus, and what was done; 409 when nothing was. Also of one that is gone by now."""
    user, ticket = signed_in(request), shown.ticket
    message = Message.objects.visible_to(user).for_thread().filter(pk=shown.pk).first()
    if message is None:
        return _say(request, ticket, said, failed=failed)
    if not wants_fragment(request):
        (messages.error if failed else messages.success)(request, said)
        return redirect(f"{page_address(request, ticket)}#m{message.pk}" if ticket else "/")
    context: dict[str, Any] = {"entry": Said(message), "ticket": ticket, "may_change": True, "takes_focus": True}
    context["view"] = view_of(request)
    response = render(request, "inbox/_message.html", context, status=409 if failed else 200)
    trigger_client_event(response, "ticket:changed", {"number": message.ticket_id})
    return toast(response, said, kind="error" if failed else "info")
