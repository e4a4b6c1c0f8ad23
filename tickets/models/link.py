from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LinkKind(models.TextChoices):
    FOLLOW_UP = "follow_up", _("Follows up on")
    CHECK = "check", _("Linked by a reply from somebody else, check it")
    EARLIER = "earlier", _("Earlier activity of its contact or company")


class TicketLink(models.Model):
    """`ticket` came after `other` and refers to it."""

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="links", verbose_name=_("ticket")
    )
    other = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="linked_from", verbose_name=_("other ticket")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=LinkKind.choices)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("ticket link")
        verbose_name_plural = _("ticket links")
        constraints = [models.UniqueConstraint(fields=["ticket", "other"], name="ticket_link_once")]

    def __str__(self) -> str:
        return f"#{self.ticket_id} → #{self.other_id}"
