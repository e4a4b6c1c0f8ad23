from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from inbox.models import Mailbox, RoomMail
from people.models.company import normalised_domain

MOST_FILES = 20


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files, none too."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        if len(files) > MOST_FILES:
            raise ValidationError(_("A mail takes up to %(count)d files here."), params={"count": MOST_FILES})
        largest = settings.HELPDESK_MAX_UPLOAD_MB
        if sum(file.size or 0 for file in files) > largest * 1024 * 1024:
            raise ValidationError(_("The files are larger than %(size)d MB together."), params={"size": largest})
        return files


class CustomerMailForm(forms.Form):
    """A mail that somebody writes to the desk. Without a mail that it `answers`, it begins a thread.

    Who writes is asked, unless it is a `customer` who answers.
    """

    name = forms.CharField(label=_("Name"), max_length=100, required=False)
    address = forms.EmailField(label=_("Email"), max_length=254)
    to = forms.ChoiceField(label=_("To"))
    subject = forms.CharField(label=_("Subject"), max_length=500, required=False)
    text = forms.CharField(
        label=_("Message"),
        widget=forms.Textarea(attrs={"rows": 8}),
        strip=False,
        error_messages={"required": _("Write something first.")},
    )
    attachments = FilesField(label=_("Attachments"), required=False)
    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, mailboxes: Sequence[Mailbox], answers: RoomMail | None, customer: str = "", **options: Any
    ) -> None:
        options["initial"] = {"form_key": uuid.uuid4()} | options.get("initial", {})
        super().__init__(*args, **options)
        self._names = {mailbox.address: mailbox.name for mailbox in mailboxes}
        if answers:
            # Whoever wrote that mail need not be a mailbox of ours.
            self.fields["to"] = forms.EmailField(label=_("To"))
        else:
            self.fields["to"].choices = [  # type: ignore[attr-defined]
                (mailbox.address, f"{mailbox.name} <{mailbox.address}>") for mailbox in mailboxes
            ]
        for name, field in self.fields.items():
            kind = {"to": "input" if answers else "select", "text": "textarea"}.get(name, "input")
            field.widget.attrs |= {"class": kind}
        if answers and customer:
            self.fields["name"].widget = forms.HiddenInput()
            self.fields["address"].widget = forms.HiddenInput()
        self.fields["address"].widget.attrs |= {"autocomplete": "off", "list": "room-people"}
        self.fields["name"].widget.attrs |= {"autocomplete": "off"}

    @property
    def message_id(self) -> str:
        """The same for the same form, so that sending it twice is sending one mail."""
        domain = self.cleaned_data["address"].rpartition("@")[2].lower()
        return f"{self.cleaned_data['form_key'].hex}@{domain}"

    def name_of(self, address: str) -> str:
        return self._names.get(address.lower(), "")

    def clean_address(self) -> str:
        return _ascii(self.cleaned_data["address"])

    def clean_to(self) -> str:
        return _ascii(self.cleaned_data["to"])

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if not text.strip():
            raise ValidationError(self.fields["text"].error_messages["required"])
        return text


def _ascii(address: str) -> str:
    """A mail program writes foreign domains in ASCII (punycode)."""
    local, _at, domain = address.rpartition("@")
    address = f"{local}@{normalised_domain(domain)}"
    try:
        validate_email(address)
    except ValidationError as wrong:
        raise ValidationError(_("This address cannot be written to.")) from wrong
    return address
