from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from helpdesk.numbers import as_number
from helpdesk.templatetags.ui import hue_of
from inbox.commenting import Named
from people.access import signed_in
from people.models import Team, User
from tickets.models import Ticket

MOST = 8


@login_required
@require_safe
def mentions(request: HttpRequest) -> JsonResponse:
    """Whom a comment can name: `?q=` the first letters of a word of the name, `?ticket=` the ticket it is about.

    `{"people": [{"key": "user-7", "name", "about", "sees", "hue"}]}`, teams after users.
    """
    user, words = signed_in(request), request.GET.get("q", "").replace("\x00", "").strip()[:60]
    ticket = get_object_or_404(Ticket.objects.visible_to(user), pk=as_number(request.GET.get("ticket", "")))
    begins = Q(name__istartswith=words) | Q(name__icontains=f" {words}")
    matching = User.objects.active().filter(begins | Q(email__istartswith=words)).exclude(pk=user.pk)
    people = list(matching.prefetch_related("teams").order_by("name", "pk")[:MOST])
    sized = Team.objects.filter(begins).annotate(size=Count("members", filter=Q(members__is_active=True)))
    teams = list(sized.order_by("name")[: max(2, MOST - len(people))])
    blind = Named(people, teams).blind_on(ticket)
    found = [
        {
            "key": f"user-{one.pk}",
            "name": one.name,
            "about": ", ".join(team.name for team in one.teams.all()) or one.get_role_display(),
            "sees": one not in blind.users,
            "hue": hue_of(one.name),
        }
        for one in people
    ]
    found += [
        {
            "key": f"team-{team.pk}",
            "name": team.name,
            "about": _("Team · %(people)s")
            % {"people": ngettext("%(n)d person", "%(n)d people", team.size) % {"n": team.size}},
            "sees": team not in blind.teams,
        }
        for team in teams
    ]
    return JsonResponse({"people": found, "unseeing": _("Cannot see this ticket")})
