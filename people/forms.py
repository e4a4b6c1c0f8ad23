from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from people.models import User
from people.throttling import TooManyTries, is_password_of, tries_left


class LoginForm(AuthenticationForm):
    username = forms.EmailField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "current-password"}),
    )

    def get_invalid_login_error(self) -> forms.ValidationError:
        """Says nothing about whether there is such a user, or whether they may still sign in."""
        sentence = str(_("That email and password do not match."))
        return forms.ValidationError(sentence + _tries_left(self.request), code="invalid_login")


class ForgottenPasswordForm(forms.Form):
    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "email", "autofocus": True}),
    )


class NewPasswordForm(SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = _("New password")
        self.fields["new_password2"].label = _("New password again")
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
        self.fields["new_password2"].help_text = ""


class OwnPasswordForm(PasswordChangeForm):
    """Asks for the old one, so that a browser left open gives nobody the account."""

    request: HttpRequest | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wrong = {"password_incorrect": _("This is not your password now. Type it again.")}
        self.error_messages = {**self.error_messages, **wrong}
        self.fields["old_password"].label = _("Password now")
        self.fields["new_password1"].label = _("New password")
        self.fields["new_password2"].label = _("New password again")
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["new_password2"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
            field.widget.attrs.pop("autofocus", None)

    def clean_old_password(self) -> str:
        """A wrong one counts as one at sign-in does."""
        assert self.request is not None  # noqa: S101 - only a request has anything to check
        given: str = self.cleaned_data["old_password"]
        try:
            if is_password_of(self.user, given, self.request):
                return given
        except TooManyTries as pause:
            raise forms.ValidationError(str(pause), code="too_many") from pause
        sentence = self.error_messages["password_incorrect"] + _tries_left(self.request)
        raise forms.ValidationError(sentence, code="password_incorrect")


class ProfileForm(forms.ModelForm):
    """A section of one's own profile: saves its fields and no others."""

    class Meta:
        model = User
        fields: ClassVar[list[str]] = []

    def __init__(self, user: User, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, instance=user, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect):
                is_text, is_select = isinstance(field.widget, forms.Textarea), isinstance(field.widget, forms.Select)
                field.widget.attrs["class"] = "textarea" if is_text else "select" if is_select else "input"

    def save(self, commit: bool = True) -> User:
        self.instance.save(update_fields=list(self.fields))
        return self.instance


class NameForm(ProfileForm):
    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["name"]
        labels: ClassVar[dict[str, Any]] = {"name": _("Name")}
        help_texts: ClassVar[dict[str, Any]] = {"name": _("As colleagues see it, and customers below your answers.")}

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class LanguageForm(ProfileForm):
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["language", "time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language, zone = self.fields["language"], self.fields["time_zone"]
        assert isinstance(language, forms.ChoiceField)  # noqa: S101 - what they are stands above
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101
        language.choices = [("", _("Like the browser")), *settings.LANGUAGES]
        zone.choices = [("", _("Like the help desk (%(zone)s)") % {"zone": settings.TIME_ZONE}), *_zones()]
        zone.help_text = _("Times are shown in this zone.")


class SignatureForm(ProfileForm):
    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["signature"]
        labels: ClassVar[dict[str, Any]] = {"signature": _("Signature")}
        help_texts: ClassVar[dict[str, Any]] = {
            "signature": _("It stands below what you write, above the mailbox's own.")
        }
        widgets: ClassVar[dict[str, Any]] = {"signature": forms.Textarea(attrs={"rows": 4})}


class SendingForm(ProfileForm):
    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["undo_seconds"]
        labels: ClassVar[dict[str, Any]] = {"undo_seconds": _("Undo sending within (seconds)")}
        help_texts: ClassVar[dict[str, Any]] = {
            "undo_seconds": _("0 to 60. A mail waits so long before it leaves; 0: it leaves at once.")
        }
        error_messages: ClassVar[dict[str, Any]] = {
            "undo_seconds": {
                "max_value": _("Choose a number from 0 to 60."),
                "min_value": _("Choose a number from 0 to 60."),
                "invalid": _("Choose a number from 0 to 60."),
            }
        }


class NotificationsForm(ProfileForm):
    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["mail_on_mention", "mail_on_assignment", "mail_on_answer", "mail_on_team_ticket"]
        labels: ClassVar[dict[str, Any]] = {
            "mail_on_mention": _("When somebody mentions me"),
            "mail_on_assignment": _("When a ticket is given to me"),
            "mail_on_answer": _("When somebody writes on my ticket or on one I follow"),
            "mail_on_team_ticket": _("When a ticket comes to my team"),
        }


class LooksForm(ProfileForm):
    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["theme", "density"]
        labels: ClassVar[dict[str, Any]] = {"theme": _("Theme"), "density": _("Density")}


SECTIONS: dict[str, Any] = {
    "you": NameForm,
    "password": OwnPasswordForm,
    "language": LanguageForm,
    "signature": SignatureForm,
    "sending": SendingForm,
    "notifications": NotificationsForm,
    "looks": LooksForm,
}


def _tries_left(request: HttpRequest | None) -> str:
    """What is added to a refusal shortly before the pause; "" otherwise."""
    left = tries_left(request) if request else None
    if left is None or left > 3:
        return ""
    said = ngettext("%(count)d try left before a pause.", "%(count)d tries left before a pause.", left)
    return " " + said % {"count": left}


def _zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Those that stand for a place, by continent."""
    continents: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        continent, slash, place = name.partition("/")
        if slash and continent not in ("Etc", "SystemV", "US", "posix", "right"):
            continents.setdefault(continent, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return [("UTC", [("UTC", "UTC")]), *continents.items()]
