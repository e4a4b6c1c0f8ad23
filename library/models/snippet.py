from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, IntegerField, Q, Value, When
from django.utils.translation import gettext_lazy as _

from helpdesk.html import to_text
from people.models import User

MOST_FOUND = 20
MOST_CHARACTERS = 50_000


class SnippetQuerySet(models.QuerySet["Snippet"]):
    def visible_to(self, user: User) -> SnippetQuerySet:
        """One's own and those that are everybody's."""
        return self.filter(Q(owner=user) | Q(owner=None)) if user.is_active else self.none()

    def matching(self, words: str) -> SnippetQuerySet:
        """By name and shortcut, the best first: the very shortcut, what begins so, what holds every word."""
        words = " ".join(words.replace("\x00", "").split())[:100]
        if not words:
            return self
        holds = Q()
        for word in words.split():
            holds &= Q(name__icontains=word) | Q(shortcut__icontains=word)
        rank = Case(
            When(shortcut__iexact=words, then=Value(0)),
            When(shortcut__istartswith=words, then=Value(1)),
            When(name__istartswith=words, then=Value(2)),
            default=Value(3),
            output_field=IntegerField(),
        )
        return self.filter(holds).order_by(rank, "name", "pk")


class Snippet(models.Model):
    """A text that is written again and again. Placeholders in it are filled in when it is inserted."""

    name = models.CharField(_("name"), max_length=100)
    shortcut = models.SlugField(
        _("shortcut"),
        max_length=40,
        blank=True,
        allow_unicode=True,
        help_text=_("Type ; and this word in the editor. Letters, numbers and hyphens."),
    )
    html = models.TextField(_("text"), max_length=MOST_CHARACTERS)
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

    @property
    def is_shared(self) -> bool:
        return self.owner_id is None

    @property
    def words(self) -> str:
        """Its text on one line."""
        return " ".join(to_text(self.html).split())

    def may_be_changed_by(self, user: User) -> bool:
        return user.may_change_settings if self.is_shared else self.owner_id == user.pk

    def clean(self) -> None:
        """One shortcut leads to one text, for everybody who can type it."""
        super().clean()
        self.shortcut = self.shortcut.lower()
        if not self.shortcut:
            return
        met = Q(owner=None) if self.is_shared else Q(owner=None) | Q(owner=self.owner_id)
        if other := Snippet.objects.filter(met, shortcut=self.shortcut).exclude(pk=self.pk).first():
            raise ValidationError({"shortcut": _("“%(name)s” has this shortcut already.") % {"name": other.name}})
