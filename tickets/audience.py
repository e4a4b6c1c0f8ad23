"""Who sees a ticket: `Ticket.objects.visible_to` asked the other way round, for those who are to be told of it.

Whoever sees everything is called by a group, so that a desk of a thousand agents costs no thousand names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from helpdesk.live import address_of
from people.models import Membership, Role, TicketAccess, User

if TYPE_CHECKING:
    from tickets.models import Ticket

EVERYTHING, UNASSIGNED = "everything", "unassigned"
_TRASH = "-trash"


@dataclass(frozen=True)
class Visibility:
    """What of a ticket decides who sees it, at one moment."""

    owner: int | None
    team: int | None
    created_by: int | None
    in_trash: bool

    @classmethod
    def of(cls, ticket: Ticket) -> Visibility:
        return cls(ticket.owner_id, ticket.team_id, ticket.created_by_id, ticket.trashed_at is not None)


def groups_of(user: User) -> set[str]:
    """The groups by which an audience calls this user, beside their own address."""
    if not user.is_active:
        return set()
    groups = {EVERYTHING} if user.sees_all_tickets else {UNASSIGNED} if user.sees_unassigned else set()
    return groups | {group + _TRASH for group in groups} if user.may_delete else groups


def audience(number: int, before: Iterable[object] = ()) -> set[str]:
    """Everybody who sees the ticket now or saw it when it stood as in `before`. Two statements, however many they are."""
    from tickets.models import Share, Ticket

    standings = {standing for standing in before if isinstance(standing, Visibility)}
    now = Ticket.objects.filter(pk=number).only("owner", "team", "created_by", "trashed_at").first()
    if now:
        standings.add(Visibility.of(now))
    if not standings:
        return set()

    shares = Share.objects.filter(ticket=number)
    shared = Q(pk__in=shares.values("user")) | Q(pk__in=_members(shares.values("team")))
    seeing = Q(pk__in=[])
    groups: set[str] = set()
    for standing in standings:
        trash = _TRASH if standing.in_trash else ""
        groups.add(EVERYTHING + trash)
        if standing.owner is None:
            groups.add(UNASSIGNED + trash)
        reasons = shared | _own(standing)
        seeing |= reasons & Q(delete_right=True) if standing.in_trash else reasons
    # Whoever is in a group hears it by that. An admin's access says nothing, and they are in the first.
    named = User.objects.active().filter(seeing).exclude(role=Role.ADMIN).exclude(ticket_access=TicketAccess.ALL)
    return groups | {address_of(pk) for pk in named.values_list("pk", flat=True)}


def _own(standing: Visibility) -> Q:
    reasons = Q(pk=standing.owner) if standing.owner else Q(pk__in=[])
    if standing.created_by:
        reasons |= Q(ticket_access=TicketAccess.OWN, pk=standing.created_by)
    teams = Q(pk__in=[])
    if standing.team:
        teams |= Q(pk__in=_members([standing.team]))
    if standing.owner:
        teams |= Q(pk__in=_members(Membership.objects.filter(user=standing.owner).values("team")))
    return reasons | Q(ticket_access=TicketAccess.TEAM) & teams


def _members(teams: Any) -> Any:
    return Membership.objects.filter(team__in=teams).values("user")
