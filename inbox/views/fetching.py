"""“Fetch now” runs in the background; whoever asked for it hears what came, on the next page or beat of a page."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.web import ToastKind, toast
from inbox.models import Mailbox

ASKED_FOR = "fetches_asked_for"
# One that has not ended by then is not waited for; the rows of the list go on telling how the mailbox is.
PATIENCE = timedelta(minutes=10)

News = tuple[str, ToastKind]


def wait_for(request: HttpRequest, box: Mailbox) -> None:
    """Remember how things stood when this person asked for a fetch."""
    asked = request.session.get(ASKED_FOR, {})
    request.session[ASKED_FOR] = {**asked, str(box.pk): [timezone.now().isoformat(), box.failed_polls]}


def what_came(request: HttpRequest) -> list[News]:
    """A sentence for each fetch that this person asked for and that has ended; each is told once.

    A whole page shows it itself; what answers htmx is given to `with_toasts`.
    """
    asked = request.session.get(ASKED_FOR)
    if not asked:
        return []
    news, waiting = [], {}
    boxes = Mailbox.objects.in_bulk([int(pk) for pk in asked])
    for pk, (moment, failed_polls) in asked.items():
        box, since = boxes.get(int(pk)), datetime.fromisoformat(moment)
        if box is None or timezone.now() - since > PATIENCE:
            continue
        if box.failed_polls > failed_polls:
            news.append(_failed(box))
        elif box.last_poll_at and box.last_poll_at >= since:
            news.append(_came(box, since))
        else:
            waiting[pk] = [moment, failed_polls]
    if waiting != asked:
        request.session[ASKED_FOR] = waiting
    if request.headers.get("HX-Request") == "true":
        return news
    for text, kind in news:
        messages.add_message(request, messages.ERROR if kind == "error" else messages.SUCCESS, text)
    return []


def with_toasts(response: HttpResponse, news: list[News]) -> HttpResponse:
    for text, kind in news:
        toast(response, text, kind)
    return response


def _came(box: Mailbox, since: datetime) -> News:
    count = box.incoming.filter(stored_at__gte=since).count()
    words = {"address": box.address, "count": count}
    if not count:
        return _("%(address)s: no new mail") % words, "info"
    return ngettext("%(address)s: %(count)d new mail", "%(address)s: %(count)d new mails", count) % words, "info"


def _failed(box: Mailbox) -> News:
    return _("%(address)s could not be fetched. %(reason)s") % {
        "address": box.address,
        "reason": box.fetch_error,
    }, "error"
