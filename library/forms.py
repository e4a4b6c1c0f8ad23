from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpdesk import html as safe_html
from library.models import Snippet
from library.models.snippet import MOST_CHARACTERS
from people.models import User

_IMAGE = re.compile(r"<img\b[^>]*>")


class SnippetForm(forms.ModelForm):
    """A snippet as its author, or whoever may change settings, types it. Without scripts its text is plain."""

    text = forms.CharField(required=False, strip=False)
    shared = forms.BooleanField(label=_("Everybody can use it"), required=False)

    class Meta:
        model = Snippet
        fields = ("name", "shortcut", "html")
        widgets: dict[str, forms.Widget] = {
            "name": forms.TextInput({"class": "input", "autocomplete": "off"}),
            "shortcut": forms.TextInput({"class": "input", "autocomplete": "off", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.fields["html"].required = False
        if not by.may_change_settings:
            del self.fields["shared"]
        elif self.instance.pk:
            self.fields["shared"].initial = self.instance.is_shared
        if self.instance.pk is None:
            self.instance.owner = by

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        written = cleaned.get("html") or str(safe_html.from_text(cleaned.get("text", "")))
        # Pictures are files of whoever put them there, and would be missing in the mails of others.
        cleaned["html"] = _IMAGE.sub("", str(safe_html.clean_editor(written)))
        if not safe_html.has_words(cleaned["html"]):
            self.add_error("html", gettext("Write the text of the snippet."))
        elif len(cleaned["html"]) > MOST_CHARACTERS:
            self.add_error("html", gettext("This is too long for a snippet. Shorten it."))
        if self.instance.pk and not self.instance.may_be_changed_by(self.by):
            raise PermissionDenied
        if "shared" in self.fields:
            self.instance.owner = None if cleaned.get("shared") else (self.instance.owner or self.by)
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        if hasattr(errors, "error_dict"):
            errors.error_dict.pop("owner", None)
        super()._update_errors(errors)  # type: ignore[misc]
