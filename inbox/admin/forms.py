from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from inbox.forms import MailboxForm, passed


class AdminMailboxForm(MailboxForm):
    """The form of the settings pages. New servers and passwords are tried before they are saved, as there."""

    untested = forms.BooleanField(
        label=gettext_lazy("Save even if the connection test fails"),
        required=False,
        help_text=gettext_lazy("For a server that is not there yet."),
    )

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors or not self.is_to_be_tried or self.cleaned_data.get("untested"):
            return
        found = self.check()
        if passed(found):
            return
        for server, steps in zip(("IMAP", "SMTP"), found, strict=True):
            for step in steps:
                if not step.ok:
                    self.add_error(None, f"{server}: {step.message}")
        self.ask_for_secrets_again()
