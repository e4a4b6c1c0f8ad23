from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from people.models import User
    from tickets.models.ticket import Ticket


class SeenQuerySet(models.QuerySet["Seen"]):
    def mark(self, ticket: Ticket, user: User, now: datetime) -> datetime | None:
        """Remember that `user` looks at `ticket`; returns when they last did, None the first time."""
        before = self.filter(ticket=ticket, user=user).values_list("at", flat=True).first()
        if before is None:
            self.bulk_create(
                [self.model(ticket=ticket, user=user, at=now)],
                update_conflicts=True,
                unique_fields=["user", "ticket"],
                update_fields=["at"],
            )
        else:
            self.filter(ticket=ticket, user=user).update(at=now)
        return before


class Seen(models.Model):
    """When a user last looked at a ticket; what came later is unread to them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="seen")
    at = models.DateTimeField()

    objects = SeenQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "ticket"], name="seen_once")]

    def __str__(self) -> str:
        return f"{self.user_id} saw #{self.ticket_id}"
