"""What a desk wants to know of its tickets beyond the built-in fields, and which of it the create form asks for."""

from __future__ import annotations

import math
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tickets.errors import NotAValue

MOST_CHARACTERS = 1_000
MOST_CHARACTERS_LONG = 20_000


class PropertyKind(models.TextChoices):
    TEXT = "text", _("Text")
    LONG_TEXT = "long_text", _("Long text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHECKBOX = "checkbox", _("Checkbox")
    CHOICE = "choice", _("One of several")
    CHOICES = "choices", _("Several of several")
    URL = "url", _("Link")


CHOOSING = (PropertyKind.CHOICE, PropertyKind.CHOICES)


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

    def clean(self) -> None:
        if not isinstance(self.options, list) or not all(
            isinstance(each, str) and each.strip() for each in self.options
        ):
            raise ValidationError({"options": _now('Write the options as a list of words: ["Sizing", "Warehouse"].')})
        if len(set(self.options)) < len(self.options):
            raise ValidationError({"options": _now("An option stands here twice.")})
        if self.kind in CHOOSING and not self.options:
            raise ValidationError({"options": _now("Give at least one option to choose.")})
        if self.key in BUILT_IN_KEYS:
            raise ValidationError({"key": _now("Every ticket has a field of that name already. Choose another key.")})

    def clean_value(self, raw: Any) -> Any:
        """What is stored for what somebody gave: None for nothing, else JSON as the class says. Gives its own results back.

        Raises NotAValue.
        """
        if self.kind == PropertyKind.CHECKBOX:
            return raw is True or str(raw).lower() in ("on", "true", "1")
        if self.kind == PropertyKind.CHOICES:
            return self._chosen(raw)
        text = str(raw).replace("\x00", "").replace("\r\n", "\n").strip() if raw is not None else ""
        if not text:
            return None
        if self.kind == PropertyKind.NUMBER:
            return self._number(text)
        if self.kind == PropertyKind.DATE:
            return self._date(text)
        if self.kind == PropertyKind.CHOICE and text not in self.options:
            raise NotAValue(self, _now("“%(value)s” is not one of its options.") % {"value": text[:60]})
        if self.kind == PropertyKind.URL and not _is_link(text):
            raise NotAValue(self, _now("Write a whole address, beginning with https://."))
        most = MOST_CHARACTERS_LONG if self.kind == PropertyKind.LONG_TEXT else MOST_CHARACTERS
        if len(text) > most:
            raise NotAValue(
                self, _now("At most %(most)d characters, these are %(n)d.") % {"most": most, "n": len(text)}
            )
        return text if self.kind == PropertyKind.LONG_TEXT else " ".join(text.split())

    def shown(self, value: Any) -> str:
        """A stored value as people read it, in the reader's language; "" for none."""
        if value is None or value == []:
            return ""
        if self.kind == PropertyKind.CHECKBOX:
            return _now("Yes") if value else _now("No")
        if self.kind == PropertyKind.CHOICES and isinstance(value, list):
            return ", ".join(map(str, value))
        if self.kind == PropertyKind.NUMBER and isinstance(value, (int, float)):
            return number_format(value, use_l10n=True, force_grouping=True)
        if self.kind == PropertyKind.DATE:
            try:
                return date_format(date.fromisoformat(str(value)))
            except ValueError:
                return str(value)
        return str(value)

    def _chosen(self, raw: Any) -> list[str] | None:
        chosen = [raw] if isinstance(raw, str) else list(raw or [])
        chosen = [str(each) for each in chosen if str(each).strip()]
        strange = next((each for each in chosen if each not in self.options), None)
        if strange is not None:
            raise NotAValue(self, _now("“%(value)s” is not one of its options.") % {"value": strange[:60]})
        return [option for option in self.options if option in chosen] or None

    def _number(self, text: str) -> int | float:
        """Takes a comma for a point and gaps between thousands, as people here write money."""
        plain = "".join(text.split()).replace("\N{MINUS SIGN}", "-").replace(",", ".")
        try:
            number = float(plain)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or abs(number) > 1e15:
            raise NotAValue(self, _now("“%(value)s” is not a number.") % {"value": text[:60]})
        return int(number) if number.is_integer() else number

    def _date(self, text: str) -> str:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise NotAValue(self, _now("Write the date as year-month-day, like 2026-11-24.")) from None


# Of every ticket, or of the form that makes one.
BUILT_IN_KEYS = frozenset(
    "name pipeline status priority owner team contact company description message earlier period form_key".split()
)


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, text))


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
