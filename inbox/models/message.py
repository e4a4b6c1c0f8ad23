from __future__ import annotations

import hashlib
import uuid
from typing import TypedDict

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from helpdesk.attachments import SHOWN_IN_PLACE
from inbox.models.conversation import Conversation
from inbox.models.incoming import Incoming
from inbox.previews import kind_of
from people.models import Contact, User
from tickets.models import Ticket


class Address(TypedDict):
    name: str
    address: str


class Direction(models.TextChoices):
    IN = "in", _("From the contact")
    OUT = "out", _("To the contact")
    INTERNAL = "internal", _("Internal")


class MessageKind(models.TextChoices):
    EMAIL = "email", _("Email")
    CHAT = "chat", _("Chat")
    FORM = "form", _("Form")
    CALL = "call", _("Call")
    COMMENT = "comment", _("Comment")
    FORWARD = "forward", _("Forward")


def id_hash(message_id: str) -> str:
    """What an index can hold of a Message-ID, which may be kilobytes long (a B-tree entry ends at about 2.7 kB)."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest() if message_id else ""


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User) -> MessageQuerySet:
        """What a ticket that the user sees says; not what was taken back."""
        return self.seen_by(user).filter(deleted_at=None)

    def seen_by(self, user: User) -> MessageQuerySet:
        """Also the comments that were deleted: who may restore them asks for those."""
        seen = models.Q(ticket__in=Ticket.objects.visible_to(user).values("pk"))
        without_ticket = Conversation.objects.visible_to(user).filter(ticket=None)
        return self.filter(seen | models.Q(ticket=None, conversation__in=without_ticket.values("pk")))

    def with_message_id(self, message_id: str) -> MessageQuerySet:
        return self.filter(message_id_hash=id_hash(message_id)) if message_id else self.none()

    def for_thread(self) -> MessageQuerySet:
        """Everything that _message.html prints, so a message costs no query of its own."""
        return self.select_related("author", "contact", "outgoing", "conversation__mailbox").prefetch_related(
            "attachments", "outgoing__recipients"
        )


class Message(models.Model):
    """Something said: by a contact, to a contact, or among ourselves."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, null=True, blank=True, related_name="messages", verbose_name=_("ticket")
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("conversation"),
    )
    origin = models.ForeignKey(
        Ticket, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("ticket of origin")
    )
    direction = models.CharField(_("direction"), max_length=10, choices=Direction.choices)
    kind = models.CharField(_("kind"), max_length=10, choices=MessageKind.choices)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("author"),
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages", verbose_name=_("contact")
    )

    from_name = models.CharField(_("from name"), max_length=300, blank=True)
    from_address = models.CharField(_("from address"), max_length=320, blank=True)
    sender_doubtful = models.BooleanField(
        _("sender in doubt"),
        default=False,
        help_text=_("Somebody else may have used the address in From."),
    )
    to: models.JSONField[list[Address]] = models.JSONField(_("to"), default=list, blank=True)
    cc: models.JSONField[list[Address]] = models.JSONField(_("cc"), default=list, blank=True)
    bcc: models.JSONField[list[Address]] = models.JSONField(_("bcc"), default=list, blank=True)
    reply_to: models.JSONField[list[Address]] = models.JSONField(_("reply to"), default=list, blank=True)
    list_address = models.CharField(
        _("mailing list"), max_length=320, blank=True, help_text=_("Of the list that the mail came through.")
    )
    subject = models.TextField(_("subject"), blank=True)

    # What is new in it, and what it quotes of earlier ones, apart.
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("safe HTML"), blank=True, help_text=_("Cleaned when it came in."))
    quoted_text = models.TextField(_("quoted text"), blank=True)
    quoted_html = models.TextField(_("quoted HTML"), blank=True)
    remote_images = models.PositiveIntegerField(_("remote images"), default=0)

    message_id = models.TextField(_("Message-ID"), blank=True, help_text=_("Without angle brackets."))
    message_id_hash = models.CharField(max_length=64, blank=True, editable=False)
    in_reply_to = models.TextField(_("In-Reply-To"), blank=True)
    references: models.JSONField[list[str]] = models.JSONField(_("References"), default=list, blank=True)
    answers = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="answered_by", verbose_name=_("answers")
    )
    automatic = models.CharField(
        _("automatic"), max_length=30, blank=True, help_text=_("Which kind of automatic mail, if it is one.")
    )

    at = models.DateTimeField(
        _("at"), help_text=_("When we received or wrote it. Order and clocks use this, never the Date header.")
    )
    sent_at = models.DateTimeField(_("date in the mail"), null=True, blank=True)
    incoming = models.OneToOneField(
        Incoming,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="message",
        verbose_name=_("incoming mail"),
    )
    # The answer of somebody whom a forward went to: among ourselves until an agent releases it (SPEC part 3, 12).
    third_party = models.BooleanField(_("answers a forward"), default=False)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("released by"),
    )
    edited_at = models.DateTimeField(_("changed"), null=True, blank=True, help_text=_("Comments only."))
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, help_text=_("Comments only."))
    form_key = models.UUIDField(
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text=_("Of the form it was written in: a double click sends once."),
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index("ticket", "at", "id", name="message_thread"),
            models.Index("message_id_hash", name="message_by_id", condition=~models.Q(message_id_hash="")),
            # Who answered a mail that comes only now.
            GinIndex(fields=["references"], opclasses=["jsonb_path_ops"], name="message_references"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.subject[:60] or self.get_kind_display()}"

    @property
    def is_internal(self) -> bool:
        return self.direction == Direction.INTERNAL

    @property
    def sender_name(self) -> str:
        if self.author:
            return self.author.name
        return (
            self.from_name
            or (self.contact.name if self.contact else "")
            or self.from_address
            or str(_("Unknown sender"))
        )

    @property
    def others_addressed(self) -> int:
        """How many it went to besides the first in To."""
        return len(self.to) + len(self.cc) + len(self.bcc) - 1


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: User) -> AttachmentQuerySet:
        return self.filter(message__in=Message.objects.visible_to(user).values("pk"))


class Attachment(models.Model):
    """A file of a message. Served only through helpdesk/attachments.py."""

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attachments", verbose_name=_("message")
    )
    name = models.CharField(_("name"), max_length=255)
    original_name = models.TextField(_("name in the mail"), blank=True)
    content_type = models.CharField(_("type"), max_length=255)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    content_id = models.TextField(_("content id"), blank=True)
    inline = models.BooleanField(_("shown in the text"), default=False)
    file = models.FileField(_("file"), upload_to="attachments/%Y/%m/%d", max_length=500)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        indexes = [models.Index("file", name="attachment_by_file")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        """Whether a browser may show it where it stands."""
        return self.content_type.lower() in SHOWN_IN_PLACE

    @property
    def preview(self) -> str:
        """How it can be looked at here: image, pdf or text; "" when it can only be kept."""
        return kind_of(self.content_type, self.name)


class Upload(models.Model):
    """A file on its way into a message: only whoever uploaded it can see or use it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=255)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    file = models.FileField(_("file"), upload_to="uploads/%Y/%m/%d", max_length=500)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return self.name
