from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from people import resetting
from people.models import ContactAddress, Role, User


class UserForm(forms.ModelForm):
    """`by` is whoever fills it in; the admin sets it."""

    by: User

    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = [
            *("name", "email", "is_active"),
            *("role", "ticket_access", "sees_unassigned", "settings_right", "reply_right", "delete_right"),
            *("language", "time_zone", "theme", "signature"),
        ]
        widgets = {
            "time_zone": forms.Select(
                choices=[("", gettext_lazy("The desk's"))]
                + [(name, name) for name in sorted(zoneinfo.available_timezones())]
            )
        }

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        password = self.cleaned_data.get("new_password")
        if password:
            try:
                validate_password(password, self.instance)
            except ValidationError as problem:
                self.add_error("new_password", problem)


class UserAddForm(UserForm):
    new_password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Leave it empty to mail them a link with which they set their own."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("new_password") and not self.errors and not resetting.can_send():
            self.add_error(
                "new_password",
                _("The help desk cannot send mail of its own, so no link can be mailed. Set a password."),
            )
        return cleaned


class UserChangeForm(UserForm):
    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Leave it empty to keep the one they have. A new one signs them out everywhere."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        stays_admin = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
        if stays_admin or self.errors:
            return cleaned

        # Locked until the change is saved: of two admins who dismiss each other, one does.
        admins = set(User.objects.active().filter(role=Role.ADMIN).select_for_update().values_list("pk", flat=True))
        if self.instance.pk not in admins:
            return cleaned
        field = "is_active" if not cleaned.get("is_active") else "role"
        if self.instance.pk == self.by.pk:
            self.add_error(field, _("You would lock yourself out. Ask another admin to do this."))
        elif len(admins) == 1:
            self.add_error(field, _("This is the last admin. Make somebody else an admin first."))
        return cleaned


class AddressForm(forms.ModelForm):
    class Meta:
        model = ContactAddress
        fields = ["address", "is_primary"]

    def validate_constraints(self) -> None:
        """One row cannot tell whether another stops being the primary one; the whole set can."""


class AddressFormSet(BaseInlineFormSet):
    """Of a contact's addresses exactly one is the primary one; without a choice it is the first."""

    def clean(self) -> None:
        super().clean()
        if len(self._chosen()) > 1:
            raise ValidationError(_("Only one address can be the primary one."))

    def save(self, commit: bool = True) -> Any:
        self.instance.addresses.filter(is_primary=True).update(is_primary=False)
        saved = super().save(commit=commit)
        chosen = self._chosen()
        primary = chosen[0].instance if chosen else self.instance.addresses.order_by("pk").first()
        if primary:
            ContactAddress.objects.filter(pk=primary.pk).update(is_primary=True)
        return saved

    def _chosen(self) -> list[Any]:
        return [
            form
            for form in self.forms
            if form.cleaned_data.get("is_primary") and not form.cleaned_data.get("DELETE") and form.instance.address
        ]
