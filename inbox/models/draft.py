from __future__ import annotations

import re
import uuid
from datetime import datetime
from html import unescape

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from inbox.models.mailbox import Mailbox
from inbox.models.message import Address, Attachment, Direction, Message, Upload
from people.models import User
from tickets.models import Ticket

_SHOWS_SOMETHING = re.compile(r"<(img|hr)\b", re.IGNORECASE)
_LINE_ENDS = re.compile(r"<br\b|</(?:p|div|li|h[1-6]|tr|td|blockquote|pre)\b", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>?")
_READ_FOR_EXCERPT = 4000


class DraftMode(models.TextChoices):
    REPLY = "reply", _("Reply")
    COMMENT = "comment", _("Comment")


class MailKind(models.TextChoices):
    """Whom a mail of ours goes to, seen from the message it answers."""

    REPLY = "reply", _("Reply")
    REPLY_ALL = "reply_all", _("Reply to all")
    FORWARD = "forward", _("Forward")


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> DraftQuerySet:
        """A draft is its author's alone, whatever the role of whoever asks, and only while they see its ticket."""
        return self.filter(user=user, ticket__in=Ticket.objects.visible_to(user).values("pk"))

    def unsent(self) -> DraftQuerySet:
        """Those that are not in their author's own trash, nor a message by now (saved while it was being sent)."""
        sent = Message.objects.filter(form_key=models.OuterRef("form_key"))
        return self.filter(~models.Exists(sent), deleted_at=None)

    def live(self, user: User, ticket: Ticket, mode: str) -> Draft | None:
        """What the user is writing there, if anything, with its files."""
        return self.filter(user=user, ticket=ticket, mode=mode, deleted_at=None).prefetch_related("uploads").first()

    def for_composer(self) -> DraftQuerySet:
        """Everything that the editors of a ticket print of it."""
        return self.select_related("answers", "mailbox").prefetch_related("uploads")

    def for_list(self) -> DraftQuerySet:
        """Everything that _draft_rows.html prints, with who wrote to us since it was begun."""
        since = (
            Message.objects.filter(ticket=models.OuterRef("ticket"), direction=Direction.IN, automatic="")
            .filter(at__gt=models.OuterRef("updated_at"))
            .order_by("-at", "-pk")
        )
        return (
            self.select_related("ticket__status", "ticket__contact", "ticket__owner")
            .prefetch_related("ticket__contact__addresses")
            .annotate(
                heard_at=models.Subquery(since.values("at")[:1]),
                heard_from=models.Subquery(since.values("from_name")[:1]),
            )
        )


class Draft(models.Model):
    """What one user is writing on one ticket: everything that stands in the editor. Sending it makes it a message.

    Empty fields mean "as it comes": recipients of None are those that `inbox.addressing` finds, a mailbox of None is the
    one it chooses, a subject of "" and a quoted text of None are made when it is sent.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts", verbose_name=_("user")
    )
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="drafts", verbose_name=_("ticket"))
    mode = models.CharField(_("mode"), max_length=10, choices=DraftMode.choices)
    kind = models.CharField(_("kind"), max_length=10, choices=MailKind.choices, blank=True)
    answers = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("answers")
    )
    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("from")
    )
    to: models.JSONField[list[Address] | None] = models.JSONField(_("to"), null=True, blank=True)
    cc: models.JSONField[list[Address] | None] = models.JSONField(_("cc"), null=True, blank=True)
    bcc: models.JSONField[list[Address] | None] = models.JSONField(_("bcc"), null=True, blank=True)
    subject = models.TextField(_("subject"), blank=True)
    quoted_html = models.TextField(
        _("quoted history"), null=True, blank=True, help_text=_("Empty text: none goes along. Null: the usual one.")
    )
    forwarded: models.JSONField[list[int] | None] = models.JSONField(
        _("forwarded files"), null=True, blank=True, help_text=_("Of the forwarded message, by key. Null: all of them.")
    )
    replaces = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    """A mail of ours that did not arrive, and that this is written for anew."""
    html = models.TextField(_("HTML"), blank=True)
    text = models.TextField(_("text"), blank=True, help_text=_("What was typed where no script runs."))
    uploads = models.ManyToManyField(Upload, blank=True, related_name="drafts", verbose_name=_("files"))
    form_key = models.UUIDField(
        default=uuid.uuid4, editable=False, help_text=_("Sends once, however often it is clicked.")
    )
    version = models.PositiveIntegerField(
        default=1, editable=False, help_text=_("Counts the saves: who saves an older one is asked first.")
    )
    begun_after = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text=_("The newest message of the ticket when it was begun.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("saved"))
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = DraftQuerySet.as_manager()

    heard_at: datetime | None
    heard_from: str | None
    """As `for_list` says who wrote since."""

    class Meta:
        ordering = ["-updated_at", "-pk"]
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "ticket", "mode"], condition=models.Q(deleted_at=None), name="draft_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_mode_display()} #{self.ticket_id}"

    def takes_along(self, file: Attachment) -> bool:
        """Whether a file of the forwarded message goes with it: each does, but for what was unticked."""
        return self.forwarded is None or file.pk in self.forwarded

    @property
    def addressed(self) -> list[Address] | None:
        """Everybody whom it names; None: it goes to whom it comes from by itself."""
        return None if self.to is None else [*self.to, *(self.cc or []), *(self.bcc or [])]

    @property
    def saved_at(self) -> str:
        return moment(self.updated_at)

    @property
    def heard_when(self) -> str:
        """When the contact wrote since; only for rows of `for_list`."""
        return moment(self.heard_at) if self.heard_at else ""

    @property
    def words(self) -> str:
        """What stands in it, in one line."""
        return _words(self.html) or " ".join(self.text.split())

    @property
    def is_blank(self) -> bool:
        """No word and no picture stands in it; an editor leaves empty paragraphs behind."""
        return not (_words(self.html) or _SHOWS_SOMETHING.search(self.html) or self.text.strip())

    @property
    def excerpt(self) -> str:
        """Its beginning, in one line."""
        return (_words(self.html[:_READ_FOR_EXCERPT]) or " ".join(self.text.split()))[:300]


def moment(at: datetime) -> str:
    """The time of today, the day and time of before."""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    return date_format(local, pgettext("date format", "H:i") if today else pgettext("date format", "j M, H:i"))


def _words(html: str) -> str:
    """What stands in HTML of an editor, in one line. For a look at it: what is sent goes through `helpdesk.html`."""
    return " ".join(unescape(_TAG.sub("", _LINE_ENDS.sub(r" \g<0>", html))).split())
