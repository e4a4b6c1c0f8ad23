from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inbox.finding import find
from people.access import signed_in
from tickets.models import view_or_default


@login_required
@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """What the words in `q` lead to, as options of the command palette."""
    user, words = signed_in(request), request.GET.get("q", "")
    context = {"found": find(words, user), "words": words.strip(), "view": view_or_default(user, "")}
    return render(request, "inbox/_palette_found.html", context)
