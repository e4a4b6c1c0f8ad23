from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from people.access import reply_required
from tickets.creation_form import first_open_status
from tickets.models import Pipeline


@reply_required
@require_safe
def pipeline_statuses(request: HttpRequest, pk: int) -> HttpResponse:
    """The statuses of one pipeline as the create form offers them, its first open one chosen."""
    pipeline = get_object_or_404(Pipeline.objects.filter(statuses__isnull=False).distinct(), pk=pk)
    context = {"statuses": pipeline.statuses.all(), "chosen": first_open_status(pipeline).pk}
    return render(request, "tickets/_status_choice.html", context)
