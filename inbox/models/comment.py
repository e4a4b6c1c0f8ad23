"""What belongs to comments: who was named in one, and how it read before it was changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from helpdesk import html as safe_html
from inbox.models.message import Message
from people.models import Team


class Mention(models.Model):
    """A comment names a user or a team."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="mentions", verbose_name=_("message"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="mentions",
        verbose_name=_("user"),
    )
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="mentions", verbose_name=_("team")
    )

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, team__isnull=True)
                | models.Q(user__isnull=True, team__isnull=False),
                name="mention_of_a_user_or_a_team",
            ),
            models.UniqueConstraint(
                fields=["message", "user"], condition=models.Q(user__isnull=False), name="mention_user_once"
            ),
            models.UniqueConstraint(
                fields=["message", "team"], condition=models.Q(team__isnull=False), name="mention_team_once"
            ),
        ]

    def __str__(self) -> str:
        return f"@{self.user or self.team}"


class CommentVersion(models.Model):
    """A comment as it read until `until`."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="versions", verbose_name=_("message"))
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("safe HTML"), blank=True)
    until = models.DateTimeField(_("until"))

    class Meta:
        ordering = ["until", "pk"]
        verbose_name = _("version of a comment")
        verbose_name_plural = _("versions of comments")

    def __str__(self) -> str:
        return f"{self.message_id} · {self.until:%Y-%m-%d %H:%M}"

    @property
    def body(self) -> SafeString:
        """Pictures by their description: their files may have gone with what was changed."""
        return safe_html.describe_images(safe_html.mark_clean(self.html)) or safe_html.from_text(self.text)
