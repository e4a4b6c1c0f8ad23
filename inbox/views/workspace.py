"""The workspace: views, list, conversation and context on one page. Each part also answers alone, for htmx."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from helpdesk.numbers import as_number
from helpdesk.web import announce, vary_on_fragment, wants_fragment
from inbox.folding import ALL
from inbox.models import Conversation, Draft, Mailbox
from inbox.timeline import Thread
from inbox.views.composing import Composer, answered_message
from people.access import signed_in
from people.models import User
from tickets import notifying
from tickets.counting import Count
from tickets.listing import MOST_SHOWN, PAGE, Listing, read
from tickets.models import LinkKind, Seen, Ticket, TicketLink, View, view_for
from tickets.views.changing import header_context, page_address, row_of, view_of

EARLIER = 5


@login_required
@require_safe
def workspace(request: HttpRequest) -> HttpResponse:
    """A view of the list with no ticket open."""
    user = signed_in(request)
    return answer_workspace(request, Listing(_view(request), user, size=_wanted(request)), {})


@login_required
@require_safe
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """A ticket beside the list it was opened from."""
    user = signed_in(request)
    opened = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=number)
    view = view_of(request)
    context = {**ticket_context(request, opened), "view": view, "moves_focus": wants_fragment(request)}
    # A colleague's link may name a view that one does not have: the ticket is what they meant.
    listing = Listing(view, user, size=_wanted(request))
    if not wants_fragment(request):
        # A page that is loaded anew, or by somebody's link, shows where in the list its ticket stands.
        listing = listing.reaching(opened)
    return answer_workspace(request, listing, context)


@login_required
@require_safe
def ticket_list(request: HttpRequest) -> HttpResponse:
    """The list as it is now (as many rows as are `shown`, from `start`), or the rows that come `after` a cursor."""
    user, view = signed_in(request), _view(request)
    after = read(request.GET.get("after", ""))
    if not wants_fragment(request):
        return answer_workspace(request, Listing(view, user, after=after, start=after), {"relists": True})
    if after:
        listing = Listing(view, user, after=after, before=min(_number(request, "shown"), MOST_SHOWN * 100))
        return _fragment(request, "inbox/_rows.html", {"listing": listing, "view": view})
    if _number(request, "shown") > MOST_SHOWN:
        return HttpResponse(status=204)  # so far down, a list that stands still is better than one that shrinks
    start = read(request.GET.get("start", ""))
    listing = Listing(view, user, after=start, start=start, size=_wanted(request))
    context = {"listing": listing, "view": view, "open": _number(request, "open"), **_when_empty(listing)}
    return _fragment(request, "inbox/_list_now.html", {**context, **_beside_views(listing)})


@login_required
@require_safe
def thread(request: HttpRequest, number: int) -> HttpResponse:
    """The conversation as it is now; 204 when it is still the `version` that the reader has."""
    user = signed_in(request)
    opened = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=number)
    looked_at = _moment(request.GET.get("looked", ""))
    now = _thread(request, opened, looked_at)
    if not wants_fragment(request):
        return redirect(page_address(request, opened))
    if "unfolds" in request.GET:
        context = {"ticket": opened, "thread": now, "view": view_of(request)}
        now.answered_id = _number(request, "answers") if "chosen" in request.GET else None
        return _fragment(request, "inbox/_thread.html", {**context, "may_change": user.may_reply})
    if now.version == request.GET.get("version", ""):
        return HttpResponse(status=204)
    Seen.objects.mark(opened, user, timezone.now())
    notifying.looked_at(opened, user, timezone.now())  # a hidden tab does not ask
    context = {**header_context(request, opened), "thread": now, "row": row_of(opened, user)}
    if "touched" in request.GET:
        # Somebody named people by hand: that is not changed from outside.
        now.answered_id = _number(request, "answers") if "chosen" in request.GET else None
    elif "chosen" in request.GET:
        now.answered_id = _number(request, "answers")
    else:
        # The next reply answers what came just now.
        context["composer"] = Composer(opened, user, now, resumes=False)
    response = _fragment(request, "inbox/_thread_now.html", context)
    # A message is told once: whoever has its number as their newest heard it already.
    if now.last and now.last_id > _number(request, "last") and now.last.author_id != user.pk:
        announce(response, _("New message from %(name)s") % {"name": now.last.sender_name})
    return response


def answer_workspace(
    request: HttpRequest, listing: Listing, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The whole page; for htmx the ticket's part of it, and the list when it is not the one that is shown already."""
    context = {"view": listing.view, "listing": listing, "open": 0, "section": "desk", **context}
    opened: Ticket | None = context.get("ticket")
    if opened:
        context["open"] = opened.pk
    else:
        context.update(_when_empty(listing))
    if not wants_fragment(request):
        context.update(_beside_views(listing))
        return vary_on_fragment(render(request, "inbox/workspace.html", context, status=status))
    if request.GET.get("listed") != listing.view.key:
        context["relists"] = True
    if context.get("relists"):
        context.update(_beside_views(listing))
    if not context.get("relists"):
        turned = {context["open"], _number(request, "open")}
        context["rows"] = list(Ticket.objects.visible_to(listing.user).for_list(listing.user).filter(pk__in=turned))
    return _fragment(request, "inbox/_opened.html", context, status=status)


def ticket_context(request: HttpRequest, opened: Ticket, composer: Composer | None = None) -> dict[str, Any]:
    """Everything that the ticket and its context print. Looking at it marks it as seen."""
    user = signed_in(request)
    looked_at = Seen.objects.mark(opened, user, timezone.now())
    notifying.looked_at(opened, user, timezone.now())
    if composer is None:
        conversation = _thread(request, opened, looked_at)
        answers = answered_message(conversation, request.GET.get("answers", "")) if user.may_reply else None
        conversation.answered_id = answers.pk if answers else None
        composer = Composer(
            opened, user, conversation, answers, mode=request.GET.get("write", ""), kind=request.GET.get("kind", "")
        )
    visible = Ticket.objects.visible_to(user)
    links = list(TicketLink.objects.filter(Q(ticket=opened) | Q(other=opened)).order_by("-pk"))
    context = header_context(request, opened)
    if not any(link.kind == LinkKind.EARLIER for link in links):
        context["activities"] = []  # so nobody has to ask
    return {
        **context,
        "thread": composer.thread,
        "composer": composer,
        "company": opened.company or (opened.contact.company if opened.contact else None),
        "earlier": list(visible.earlier_of(opened)[: EARLIER + 1])[:EARLIER],
        "links": _links(opened, user, [link for link in links if link.kind != LinkKind.EARLIER]),
    }


def _thread(request: HttpRequest, opened: Ticket, looked_at: datetime | None) -> Thread:
    """With what the address unfolds: ?all=1, ?shown=… as the thread itself writes it, ?message=12."""
    shown = ALL if request.GET.get("all") == "1" else request.GET.get("shown", "")
    linked = _number(request, "message")
    return Thread(opened, looked_at, reader=signed_in(request), shown=shown, linked=linked)


def _beside_views(listing: Listing) -> dict[str, Count]:
    """What the views column counts beside its views: drafts, and for those who may make one of them, conversations that
    nobody made a ticket of yet. Before the list's own counts are read, so that one query answers all.
    """
    questions: dict[str, QuerySet[Any]] = {"drafts": Draft.objects.visible_to(listing.user).unsent()}
    if listing.user.may_reply:
        questions["without_ticket"] = Conversation.objects.visible_to(listing.user).filter(ticket=None)
    return listing.counts_with(**questions)


def _when_empty(listing: Listing) -> dict[str, bool]:
    """What an empty list says to whoever could change that."""
    if not listing.is_empty or not listing.user.may_change_settings:
        return {}
    return {"lacks_mailbox": not Mailbox.objects.exists()}


def _links(opened: Ticket, user: User, links: list[TicketLink]) -> list[dict[str, Any]]:
    """Tickets that refer to this one or that it refers to, as far as the user sees them."""
    if not links:
        return []
    others = {link.ticket_id if link.other_id == opened.pk else link.other_id: link for link in links}
    visible = Ticket.objects.visible_to(user).filter(pk__in=others).select_related("status").in_bulk()
    return [
        {
            "ticket": visible[number],
            "came_before": link.ticket_id == opened.pk,
            "to_check": link.kind == LinkKind.CHECK,
        }
        for number, link in others.items()
        if number in visible
    ]


def _view(request: HttpRequest) -> View:
    view = view_for(signed_in(request), request.GET.get("view", ""))
    if view is None:
        raise Http404
    return view


def _wanted(request: HttpRequest) -> int:
    """How many rows to show again: whole pages, within reason."""
    pages = -(-_number(request, "shown") // PAGE)
    return max(PAGE, min(pages * PAGE, MOST_SHOWN))


def _number(request: HttpRequest, name: str) -> int:
    return as_number(request.GET.get(name, "")) or 0


def _moment(text: str) -> Any:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


def _fragment(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return vary_on_fragment(render(request, template, context, status=status))
