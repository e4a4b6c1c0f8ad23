from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from people.access import signed_in
from tickets.models import Ticket
from tickets.views.changing import Undo, answer_change, answer_refusal, changed_again

OUT, IN = "0", "1"


@login_required
@require_POST
def trash(request: HttpRequest, number: int) -> HttpResponse:
    """Into the trash (`trashed=1`) and out of it (`trashed=0`), for whoever may delete (SPEC H-13)."""
    user = signed_in(request)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=number)
    if not user.may_delete:
        raise PermissionDenied
    was = IN if ticket.trashed_at else OUT
    if changed_again(request, was):
        return answer_refusal(request, ticket, why=_("Somebody changed it meanwhile, so it stays as it is."))
    if request.POST.get("trashed") == OUT:
        ticket.restore(by=user, now=timezone.now())
        return answer_change(request, ticket, _("Restored from the trash"), Undo("trashed", was, OUT))
    ticket.trash(by=user, now=timezone.now())
    return answer_change(request, ticket, _("Moved to the trash"), Undo("trashed", was, IN))
