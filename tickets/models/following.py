from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from people.models import User
    from tickets.models.ticket import Ticket


class FollowingQuerySet(models.QuerySet["Following"]):
    def follow(self, ticket: Ticket, user: User) -> None:
        """Whoever comments or is mentioned does not follow by that: one follows by asking for it. Twice is once."""
        self.bulk_create([self.model(ticket=ticket, user=user)], ignore_conflicts=True)

    def unfollow(self, ticket: Ticket, user: User) -> None:
        self.filter(ticket=ticket, user=user).delete()


class Following(models.Model):
    """A user wants to hear of what happens on a ticket. It gives no access: who may not see it hears nothing."""

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="followings", verbose_name=_("ticket")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="followings", verbose_name=_("user")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = FollowingQuerySet.as_manager()

    class Meta:
        verbose_name = _("following")
        verbose_name_plural = _("followings")
        constraints = [models.UniqueConstraint(fields=["user", "ticket"], name="following_once")]

    def __str__(self) -> str:
        return f"{self.user_id} follows #{self.ticket_id}"
