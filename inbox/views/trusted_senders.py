from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.web import toast, wants_fragment
from inbox.models import TrustedSender
from inbox.profile_panels import trusted_senders
from people.access import signed_in


@login_required
@require_POST
def sender_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Their remote images wait again until one asks for them."""
    sender = get_object_or_404(TrustedSender.objects.filter(user=signed_in(request)), pk=pk)
    sender.delete()
    said = _("Images from %(address)s wait again until you ask for them") % {"address": sender.address}
    if wants_fragment(request):
        return toast(HttpResponse(trusted_senders(request)), said)
    messages.success(request, said)
    return redirect(f"{reverse('people:profile')}#images")
