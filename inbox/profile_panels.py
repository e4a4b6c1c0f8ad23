"""What mail has to say on everybody's profile page, handed in through the registry."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from inbox.addressing.senders import senders_for, usual_sender_of
from inbox.models import TrustedSender
from inbox.rendering import signature_of
from people.access import signed_in
from people.models import User


def signature(request: HttpRequest) -> str:
    """How the signature stands in a mail, above that of the mailbox one usually answers from."""
    # As it is now: the form above may have just saved another.
    user = User.objects.get(pk=signed_in(request).pk)
    able = senders_for(user)
    box = usual_sender_of(user, able) or next(iter(able), None)
    lines = signature_of(user, box).splitlines() if box else user.signature.splitlines()
    return render_to_string("inbox/_signature_preview.html", {"lines": lines, "box": box}, request)


def trusted_senders(request: HttpRequest) -> str:
    senders = TrustedSender.objects.filter(user=signed_in(request)).order_by("address")
    return render_to_string("inbox/_trusted_senders.html", {"senders": senders}, request)
