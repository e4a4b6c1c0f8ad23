from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.files.base import ContentFile
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inbox import reading
from inbox.mime.parse import ParsedMail, parse_headers
from inbox.models.message import id_hash
from inbox.reading import Reading
from people.models import User
from people.models.contact import normalised

HEADER_BYTES = 256 * 1024
SECONDS = 8.0  # for one mail, while somebody waits for the page


class RoomMailQuerySet(models.QuerySet["RoomMail"]):
    def visible_to(self, user: User) -> Self:
        """Anyone may try out any customer; what the desk wrote to one of its own users (a password reset) is theirs.

        Admins may read that too.
        """
        if user.is_admin:
            return self
        others = User.objects.exclude(pk=user.pk).values_list("email", flat=True)
        theirs = models.Q(people__overlap=[normalised(email) for email in others])
        # Also when an address of theirs is written in a way that we do not know.
        by_the_desk = models.Q(is_from_desk=True) & ~models.Q(recipients__contains=[normalised(user.email)])
        return self.exclude(theirs | by_the_desk)

    def of(self, address: str) -> Self:
        """What this person wrote or was sent, oldest first."""
        return self.filter(people__contains=[normalised(address)]).order_by("pk")

    def with_message_id(self, message_id: str) -> Self:
        return self.filter(message_id_hash=id_hash(message_id)) if message_id else self.none()

    def keep(self, raw: bytes, *, sender: str, recipients: Sequence[str], now: datetime) -> RoomMail:
        """Keep what passed through the room. Bytes that are no mail are kept too, with what can be read of them."""
        # What the body says is read when somebody looks, by a process that can be killed.
        mail = parse_headers(raw[:HEADER_BYTES])
        author = mail.from_address or sender
        kept = RoomMail(
            sender=normalised(sender)[:320],
            recipients=_distinct(recipients),
            people=_distinct([author, *recipients]),
            from_name=mail.from_name[:300],
            from_address=normalised(author)[:320],
            subject=mail.subject,
            message_id=mail.message_id,
            message_id_hash=id_hash(mail.message_id),
            first=self._first_of(mail),
            size=len(raw),
            is_from_desk=desk_address() in (normalised(sender), normalised(author)),
            at=now,
        )
        kept.raw.save("mail.eml", ContentFile(raw), save=False)
        kept.save()
        return kept

    def _first_of(self, mail: ParsedMail) -> RoomMail | None:
        """The mail that began the thread which this one continues, as a mail program finds it."""
        known_by = [id_hash(known) for known in (mail.in_reply_to, *reversed(mail.references)) if known]
        earlier = self.filter(message_id_hash__in=known_by).select_related("first").order_by("pk")
        by_hash = {mail.message_id_hash: mail for mail in earlier}
        found = next((by_hash[one] for one in known_by if one in by_hash), None)
        return (found.first or found) if found else None


class RoomMail(models.Model):
    """A mail that passed through the mail room: what a customer would have in Sent or in the inbox. It leaves nowhere."""

    sender = models.CharField(_("envelope sender"), max_length=320, blank=True)
    recipients: ArrayField[list[str], Any] = ArrayField(
        models.CharField(max_length=320), verbose_name=_("envelope recipients"), default=list
    )
    people: ArrayField[list[str], Any] = ArrayField(
        models.CharField(max_length=320), verbose_name=_("who has it"), default=list
    )
    first = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("first of its thread"),
    )
    from_name = models.CharField(_("from name"), max_length=300, blank=True)
    from_address = models.CharField(_("from address"), max_length=320, blank=True)
    subject = models.TextField(_("subject"), blank=True)
    message_id = models.TextField(_("Message-ID"), blank=True)
    message_id_hash = models.CharField(max_length=64, blank=True, editable=False)
    raw = models.FileField(_("raw mail"), upload_to="room/%Y/%m/%d", max_length=500)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    is_from_desk = models.BooleanField(
        _("from the desk itself"),
        default=False,
        help_text=_("A password reset and the like: only for whom it was sent to, and for admins."),
    )
    at = models.DateTimeField(_("at"))

    objects = RoomMailQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("mail in the mail room")
        verbose_name_plural = _("mails in the mail room")
        indexes = [
            GinIndex("people", name="room_mail_people"),
            models.Index("message_id_hash", name="room_mail_by_id", condition=~models.Q(message_id_hash="")),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.subject[:60] or _('(no subject)')}"

    @property
    def thread_id(self) -> int:
        return self.first_id or self.pk

    @property
    def shown_name(self) -> str:
        return self.from_name or self.from_address or str(_("Unknown sender"))

    def raw_bytes(self) -> bytes:
        with self.raw.open("rb") as file:
            return bytes(file.read())

    def read(self) -> Reading:
        """What it says, its HTML safe; a mail that cannot be read says that."""
        raw = self.raw_bytes()
        try:
            return reading.read(
                raw, headers_only=len(raw) > settings.HELPDESK_MAX_MAIL_MB * 1024 * 1024, seconds=SECONDS
            )
        except reading.Unreadable:
            words = gettext("This mail could not be read. Its header is shown as it came.")
            return Reading(ParsedMail(self.subject, self.from_name, self.from_address), text=words)

    def parsed(self) -> ParsedMail:
        """As a mail program has it that answers the mail: with all its words, also those that it quotes."""
        read = self.read()
        text = "\n\n".join(part for part in (read.text.rstrip("\n"), read.quoted_text) if part)
        return replace(read.mail, text=text, html=read.html + read.quoted_html)


def desk_address() -> str:
    """From which the desk mails on its own account, like a password reset."""
    return normalised(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


def _distinct(addresses: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(normalised(address)[:320] for address in addresses if address))
