from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from people.models.contact import normalised
from people.models.team import Team


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    AGENT = "agent", _("Agent")
    COLLABORATOR = "collaborator", _("Collaborator")


class TicketAccess(models.TextChoices):
    ALL = "all", _("All tickets")
    TEAM = "team", _("Tickets of their teams")
    OWN = "own", _("Their own tickets")


class Theme(models.TextChoices):
    SYSTEM = "", _("Like the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Density(models.TextChoices):
    COMPACT = "compact", _("Compact")
    NORMAL = "", _("Normal")
    COMFORTABLE = "comfortable", _("Comfortable")


MOST_UNDO_SECONDS = 60


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)

    def assignable(self) -> UserQuerySet:
        """Who may own a ticket: everyone who answers customers."""
        return self.active().filter(models.Q(role__in=[Role.ADMIN, Role.AGENT]) | models.Q(reply_right=True))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(
        self, email: str, name: str, role: str = Role.AGENT, password: str | None = None, **rest: Any
    ) -> User:
        """Without a password the account exists but cannot be signed in to until one is set by mail."""
        user: User = self.model(email=normalised(email), name=name, role=role, **rest)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, name: str, password: str | None = None, **rest: Any) -> User:
        """For Django's own `createsuperuser`."""
        return self.create_user(email, name, Role.ADMIN, password, **rest)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normalised(username or ""))


class User(AbstractBaseUser):
    """Somebody of our own house. What each role may do stands in ARCHITECTURE's table; the questions below answer it."""

    email = models.EmailField(
        _("email"),
        max_length=254,
        unique=True,
        error_messages={"unique": _("There is already a user with this email.")},
    )
    name = models.CharField(_("name"), max_length=200)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.AGENT)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off instead of deleting."))

    ticket_access = models.CharField(
        _("ticket access"), max_length=10, choices=TicketAccess.choices, default=TicketAccess.ALL
    )
    sees_unassigned = models.BooleanField(_("sees unassigned tickets"), default=True)
    settings_right = models.BooleanField(
        _("may change the desk's settings"),
        default=True,
        help_text=_("For agents. Admins always may, collaborators never."),
    )
    reply_right = models.BooleanField(
        _("may reply, edit and create"), default=False, help_text=_("For collaborators. Admins and agents always may.")
    )
    delete_right = models.BooleanField(_("may delete tickets"), default=False, help_text=_("Admins always may."))

    signature = models.TextField(_("signature"), blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    theme = models.CharField(_("theme"), max_length=10, choices=Theme.choices, default=Theme.SYSTEM, blank=True)
    density = models.CharField(_("density"), max_length=12, choices=Density.choices, default=Density.NORMAL, blank=True)
    undo_seconds = models.PositiveSmallIntegerField(
        _("undo sending within (seconds)"),
        default=10,
        validators=[MaxValueValidator(MOST_UNDO_SECONDS)],
        help_text=_("A mail waits so long before it leaves. 0: it leaves at once."),
    )
    # Which notifications come by mail too; the bell has them all.
    mail_on_mention = models.BooleanField(_("when somebody mentions me"), default=True)
    mail_on_assignment = models.BooleanField(_("when a ticket is given to me"), default=True)
    mail_on_answer = models.BooleanField(_("when somebody writes on my ticket or on one I follow"), default=False)
    mail_on_team_ticket = models.BooleanField(_("when a ticket comes to my team"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    teams = models.ManyToManyField(Team, through="people.Membership", related_name="members")

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = normalised(self.email)
        if self.time_zone and self.time_zone not in zoneinfo.available_timezones():
            raise ValidationError({"time_zone": _("Choose a time zone by its name, like Europe/Helsinki.")})

    # What they may do

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    @property
    def is_collaborator(self) -> bool:
        return self.role == Role.COLLABORATOR

    @property
    def sees_all_tickets(self) -> bool:
        return self.is_admin or (self.is_active and self.ticket_access == TicketAccess.ALL)

    @property
    def may_reply(self) -> bool:
        """Write to customers, change tickets and create them."""
        return self.is_active and (self.role in (Role.ADMIN, Role.AGENT) or self.reply_right)

    @property
    def may_change_settings(self) -> bool:
        return self.is_admin or (self.is_active and self.role == Role.AGENT and self.settings_right)

    @property
    def may_delete(self) -> bool:
        return self.is_admin or (self.is_active and self.delete_right)

    # What they do

    def choose_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.save(update_fields=["theme"])

    # What the Django admin asks

    @property
    def is_staff(self) -> bool:
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: object | None = None) -> bool:
        return self.is_admin

    def has_perms(self, perms: Iterable[str], obj: object | None = None) -> bool:
        return self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_admin

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split()[0] if self.name.split() else self.email
