from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Team


class Share(models.Model):
    """Lets one user or one team see a ticket that they would not see otherwise."""

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="shares", verbose_name=_("ticket")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="shares",
        verbose_name=_("user"),
    )
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="shares", verbose_name=_("team")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, team__isnull=True)
                | models.Q(user__isnull=True, team__isnull=False),
                name="share_with_a_user_or_a_team",
            ),
            models.UniqueConstraint(
                fields=["ticket", "user"], condition=models.Q(user__isnull=False), name="share_user_once"
            ),
            models.UniqueConstraint(
                fields=["ticket", "team"], condition=models.Q(team__isnull=False), name="share_team_once"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.ticket_id} · {self.user or self.team}"

    def reaches(self) -> set[int]:
        """The users who see the ticket by it."""
        if self.team:
            return set(self.team.memberships.values_list("user", flat=True))
        return {self.user_id} if self.user_id else set()
