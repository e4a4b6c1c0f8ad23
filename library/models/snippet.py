from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import User


class SnippetQuerySet(models.QuerySet["Snippet"]):
    def visible_to(self, user: User) -> SnippetQuerySet:
        """One's own and those that are everybody's."""
        return self.filter(models.Q(owner=user) | models.Q(owner=None))


class Snippet(models.Model):
    """A text that is written again and again. Placeholders in it are filled in when it is inserted."""

    name = models.CharField(_("name"), max_length=100)
    shortcut = models.SlugField(_("shortcut"), max_length=40, blank=True)
    html = models.TextField(_("text"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="snippets",
        verbose_name=_("owner"),
        help_text=_("Empty: everybody's."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SnippetQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("snippet")
        verbose_name_plural = _("snippets")

    def __str__(self) -> str:
        return self.name
