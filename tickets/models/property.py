"""What a desk wants to know of its tickets beyond the built-in fields, and which of it the create form asks for."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PropertyKind(models.TextChoices):
    TEXT = "text", _("Text")
    LONG_TEXT = "long_text", _("Long text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHECKBOX = "checkbox", _("Checkbox")
    CHOICE = "choice", _("One of several")
    CHOICES = "choices", _("Several of several")
    URL = "url", _("Link")


class Property(models.Model):
    """One more field of every ticket. Its value lives in `Ticket.properties` under `key`, in the form its kind has in JSON:

    text, long_text, url, choice: str · number: int or float · date: "2026-11-24" · checkbox: bool · choices: list[str].
    """

    key = models.SlugField(
        _("key"), max_length=50, unique=True, help_text=_("Never changes, tickets keep their values by it.")
    )
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=12, choices=PropertyKind.choices, default=PropertyKind.TEXT)
    options: models.JSONField[list[str]] = models.JSONField(
        _("options"), default=list, blank=True, help_text=_("For the kinds that choose.")
    )
    help_text = models.CharField(_("help text"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("property")
        verbose_name_plural = _("properties")

    def __str__(self) -> str:
        return self.name


class CreationField(models.Model):
    """A line of the create form: a built-in field of a ticket or a property, by its key. No rows: the form as it comes."""

    key = models.CharField(_("field"), max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_required = models.BooleanField(_("required"), default=False)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("field of the create form")
        verbose_name_plural = _("fields of the create form")

    def __str__(self) -> str:
        return self.key
