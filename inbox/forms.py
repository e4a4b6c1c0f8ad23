"""What people type in about mailboxes. The rules for a mailbox itself stand on the model."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inbox.channels.imap import checking as imap_checking
from inbox.channels.smtp import checking as smtp_checking
from inbox.channels.steps import Step, all_well
from inbox.models import Mailbox
from inbox.models.mailbox import Security
from people.models import AuditEntry, Team, User
from people.models.contact import normalised
from tickets.models import Pipeline, Status

SECRETS = ("imap_password", "smtp_password")
CONNECTION = (
    *("imap_host", "imap_port", "imap_security", "imap_user", "imap_folder"),
    *("smtp_host", "smtp_port", "smtp_security", "smtp_user", "ca_certificate"),
)
EVERYDAY = (
    *("name", "signature", "enabled", "makes_tickets", "pipeline", "status", "team", "owner", "poll_seconds"),
    *("senders", "default_of"),
)

# Within the cards “Receiving” and “Sending” a word is enough.
LABELS = {
    "imap_port": _("Port"),
    "imap_security": _("Encryption"),
    "imap_user": _("User name"),
    "imap_password": _("Password"),
    "smtp_port": _("Port"),
    "smtp_security": _("Encryption"),
    "smtp_user": _("User name"),
    "smtp_password": _("Password"),
}

WIDGETS: dict[type[forms.Widget], str] = {
    forms.Select: "select",
    forms.Textarea: "textarea",
    forms.CheckboxInput: "",
    forms.RadioSelect: "",
    forms.CheckboxSelectMultiple: "",
}


class EverydayMailboxForm(forms.ModelForm):
    """What whoever may change settings can change: nothing of the connection."""

    default_of = forms.ModelMultipleChoiceField(
        Team.objects.all(),
        label=_("Default reply address of teams"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "What they begin themselves leaves from here. A conversation keeps the address that it began with."
        ),
    )

    class Meta:
        model = Mailbox
        fields = tuple(name for name in EVERYDAY if name != "default_of")
        widgets: dict[str, forms.Widget] = {
            "signature": forms.Textarea(attrs={"rows": 4}),
            "senders": forms.CheckboxSelectMultiple(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", WIDGETS.get(type(field.widget), "input"))
        if "enabled" in self.fields:
            self.fields["enabled"].label = _("Switched on")
        if "senders" in self.fields:
            self.fields["senders"].label = _("Teams that send from it")
            self.fields["senders"].help_text = _("None: everybody who may reply. Admins always may.")
        if self.instance.pk:
            self.initial.setdefault("default_of", list(Team.objects.filter(reply_address__mailbox=self.instance)))
        if "owner" in self.fields:
            owners = self.fields["owner"]
            assert isinstance(owners, forms.ModelChoiceField)  # noqa: S101 - what it is stands above
            # Who owns by now stays a choice, or the form could not be saved after that person left.
            owners.queryset = User.objects.filter(
                models.Q(pk__in=User.objects.assignable()) | models.Q(pk=self.instance.owner_id)
            )
        if "status" in self.fields:
            statuses = self.fields["status"]
            assert isinstance(statuses, forms.ModelChoiceField)  # noqa: S101
            statuses.queryset = Status.objects.select_related("pipeline").order_by("pipeline__position", "position")
            statuses.label_from_instance = _status_with_pipeline  # type: ignore[method-assign, assignment]
        for name, words in self._words_for_nothing().items():
            if isinstance(choice := self.fields.get(name), forms.ModelChoiceField):
                choice.empty_label = str(words)

    def _words_for_nothing(self) -> dict[str, str | Promise]:
        usual = Pipeline.objects.filter(statuses__isnull=False).first()
        words = _("The default (%(name)s)") % {"name": usual.name} if usual else _("The default")
        return {"pipeline": words, "status": _("The first one"), "team": _("No team"), "owner": _("Nobody")}

    def _update_errors(self, errors: ValidationError) -> None:
        """The model's rules look at every field; what this form does not show is not this person's to mend."""
        if hasattr(errors, "error_dict"):
            shown = {name: found for name, found in errors.error_dict.items() if name in self.fields}
            if not shown:
                return
            errors = ValidationError(shown)
        super()._update_errors(errors)  # type: ignore[misc]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        senders = set(cleaned.get("senders") or ())
        apart = [team for team in cleaned.get("default_of") or () if senders and team not in senders]
        if apart:
            words = _("%(team)s does not send from this mailbox. Tick it among the teams that do, or not here.")
            self.add_error("default_of", words % {"team": apart[0].name})
        return cleaned

    def changes(self) -> dict[str, Any]:
        """From what to what, for the audit log. Secrets appear as "changed"."""
        found: dict[str, Any] = {}
        made = self.instance.pk is None or self.instance._state.adding
        for name in self.changed_data:
            if name in SECRETS:
                found[name] = "changed"
            elif name in ("senders", "default_of"):
                found[name] = [
                    [] if made else sorted(team.name for team in self.initial.get(name) or ()),
                    sorted(team.name for team in self.cleaned_data.get(name) or ()),
                ]
            elif name in {field.name for field in Mailbox._meta.fields}:
                before = None if made else _plain(self.initial.get(name))
                after = _plain(self.cleaned_data.get(name))
                if before != after:
                    found[name] = [before, after]
        return found

    @transaction.atomic
    def save_by(self, user: User | None, *, now: datetime | None = None) -> Mailbox:
        """Save, and write to the audit log who changed what. `user` is None for a command."""
        now = now or timezone.now()
        made, changes = self.instance._state.adding, self.changes()
        mailbox: Mailbox = self.save()
        if "default_of" in self.changed_data:
            mailbox.be_default_of(self.cleaned_data["default_of"])
        if made or changes:
            verb = "connected" if made else "changed"
            AuditEntry.objects.create(by=user, what=f"Mailbox {mailbox.address} {verb}"[:200], changes=changes)
        if not made and set(changes) & {*CONNECTION, *SECRETS, "enabled"}:
            mailbox.connection_changed(now=now)
        return mailbox


class MailboxForm(EverydayMailboxForm):
    """Everything, for admins. Password fields are write-only: an empty one keeps what is stored.

    `check` tries both servers with what was typed in, saved or not.
    """

    imap_password = forms.CharField(
        label=_("IMAP password"),
        required=False,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    smtp_password = forms.CharField(
        label=_("SMTP password"),
        required=False,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta(EverydayMailboxForm.Meta):
        fields = ("address", *EverydayMailboxForm.Meta.fields, *CONNECTION, *SECRETS)
        widgets: dict[str, forms.Widget] = {
            **EverydayMailboxForm.Meta.widgets,
            "ca_certificate": forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
            "address": forms.EmailInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in LABELS.items():
            self.fields[name].label = label
        self.fields["address"].help_text = _("Customers write to it, and your answers come from it.")
        self.fields["imap_host"].help_text = ""
        for name in SECRETS:
            self.initial.pop(name, None)
            if name in self.fields and self.instance.pk and getattr(self.instance, name):
                self.fields[name].help_text = _("Stored. Leave it empty to keep it.")

    def clean_address(self) -> str:
        address = normalised(str(self.cleaned_data["address"]))
        if Mailbox.objects.filter(address=address).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This address is connected already."))
        return address

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        for kind in ("imap", "smtp"):
            secret = f"{kind}_password"
            if not cleaned.get(secret):
                # Without a user there is nothing that a password could be for.
                has_user = cleaned.get(f"{kind}_user") and cleaned.get(f"{kind}_host")
                stored = getattr(self.instance, secret, "") if has_user else ""
                if stored and self._leads_elsewhere(kind, cleaned):
                    stored = ""
                    self.add_error(secret, _("Enter the password again: the stored one is for the server as it was."))
                cleaned[secret] = stored
        missing = self.errors.keys() & {"imap_host", "imap_password"}
        if cleaned.get("imap_host") and not cleaned.get("imap_password") and not missing:
            self.add_error("imap_password", _("Fetching mail needs a password."))
        missing = self.errors.keys() & {"imap_password", "smtp_password"}
        if cleaned.get("smtp_user") and not cleaned.get("smtp_password") and not missing:
            self.add_error("smtp_password", _("This user needs a password."))
        return cleaned

    def _leads_elsewhere(self, kind: str, cleaned: dict[str, Any]) -> bool:
        """Whether the stored password would go where it has not gone so far, or where others can read it.

        Whoever is signed in as an admin may use it, and still must not get to know it by naming a server of their own.
        """
        for name in (f"{kind}_host", f"{kind}_user"):
            before, after = (str(value or "").strip() for value in (getattr(self.instance, name), cleaned.get(name)))
            if before.lower() != after.lower():
                return True
        unencrypted = cleaned.get(f"{kind}_security") == Security.NONE
        return unencrypted and getattr(self.instance, f"{kind}_security") != Security.NONE

    @property
    def is_to_be_tried(self) -> bool:
        """Whether saving changes how a server is reached: then it is tried first."""
        return self.instance._state.adding or bool({*CONNECTION, *SECRETS} & set(self.changed_data))

    def ask_for_secrets_again(self) -> None:
        """A page that is drawn anew does not hold what was typed as a password."""
        for name in SECRETS:
            if self.data.get(name):
                self.add_error(name, _("Enter it again: a password does not stay in the page."))

    def check(self) -> tuple[list[Step], list[Step]]:
        """What a test of the IMAP and of the SMTP server finds. Only on a valid form."""
        return imap_checking.check(self.instance), smtp_checking.check(self.instance)


class NewMailboxForm(MailboxForm):
    """Connecting one: what becomes of mail that is already there, and one password for both servers."""

    RECEIVING = [("imap", _("Own mail server")), ("forward", _("Forwarding only"))]
    IMPORTS = [
        ("now", _("Leave old mail alone, start from now")),
        ("date", _("Import mail since a day")),
        ("all", _("Import everything in the folder")),
    ]

    receiving = forms.ChoiceField(label=_("How mail comes in"), choices=RECEIVING, initial="imap")
    same_login = forms.BooleanField(label=_("Same user and password"), required=False, initial=True)
    import_choice = forms.ChoiceField(label=_("Mail that is already there"), choices=IMPORTS, initial="now")
    import_date = forms.DateField(
        label=_("Since"), required=False, widget=forms.DateInput(attrs={"type": "date", "class": "input"})
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = self.cleaned_data
        if cleaned.get("receiving") == "forward":
            # What was typed in before the choice was changed means nothing.
            for name in ("imap_host", "imap_user", "imap_password"):
                cleaned[name] = ""
                self.errors.pop(name, None)
        elif not cleaned.get("imap_host") and "imap_host" not in self.errors:
            self.add_error("imap_host", _("Name the server, or choose “Forwarding only”."))
        if cleaned.get("same_login") and cleaned.get("receiving") != "forward":
            cleaned["smtp_user"], cleaned["smtp_password"] = cleaned.get("imap_user"), cleaned.get("imap_password")
        if not cleaned.get("smtp_host") and "smtp_host" not in self.errors:
            self.add_error("smtp_host", _("Name the server that sends your answers."))
        if cleaned.get("import_choice") == "date" and not cleaned.get("import_date"):
            self.add_error("import_date", _("Choose the day to import from."))
        return super().clean()

    def _post_clean(self) -> None:
        self.instance.import_all = self.cleaned_data.get("import_choice") == "all"
        day = self.cleaned_data.get("import_date") if self.cleaned_data.get("import_choice") == "date" else None
        self.instance.import_since = timezone.make_aware(datetime.combine(day, time.min)) if day else None
        super()._post_clean()  # type: ignore[misc]


def passed(found: tuple[list[Step], list[Step]]) -> bool:
    return all(all_well(steps) for steps in found if steps)


def _status_with_pipeline(status: models.Model) -> str:
    assert isinstance(status, Status)  # noqa: S101
    return f"{status.pipeline}: {status}"


def _plain(value: object) -> object:
    """As JSON can hold it: a reference by its key."""
    if isinstance(value, models.Model):
        return value.pk
    return value if value is None or isinstance(value, bool | int | str) else str(value)
