"""Encrypt every stored secret anew, with the first of HELPDESK_ENCRYPTION_KEYS. Afterwards the others can go."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.secrets import EncryptedTextField, Unreadable


class Command(BaseCommand):
    help = "Encrypts all stored passwords with the first key of HELPDESK_ENCRYPTION_KEYS. It can be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        rotated, unreadable = 0, []
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if not isinstance(field, EncryptedTextField):
                    continue
                for pk in model._default_manager.exclude(**{field.name: ""}).values_list("pk", flat=True):
                    try:
                        rotated += _rotate(model, field.name, pk)
                    except Unreadable:
                        unreadable.append(f"{model._meta.verbose_name} {pk}: {field.verbose_name}")
        sentence = ngettext(
            "%(count)d secret is encrypted with the first key.",
            "%(count)d secrets are encrypted with the first key.",
            rotated,
        )
        self.stdout.write(sentence % {"count": rotated})
        if unreadable:
            raise CommandError(
                _(
                    "These were encrypted with a key that is not in HELPDESK_ENCRYPTION_KEYS. Add that key and run "
                    "this again, or enter them anew:"
                )
                + "\n"
                + "\n".join(unreadable)
            )


@transaction.atomic
def _rotate(model: type[models.Model], field: str, pk: Any) -> int:
    """The row is locked, so that a password that somebody changes meanwhile is not put back."""
    row = model._default_manager.select_for_update().filter(pk=pk)
    secret = row.values_list(field, flat=True).first()
    return row.update(**{field: str(secret)}) if secret else 0
