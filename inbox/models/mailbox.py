from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpdesk.secrets import EncryptedTextField
from inbox.channels import tls
from inbox.mime.compose import InvalidAddress, check_address
from inbox.models.channel import Channel
from people.models import Team, User
from people.models.contact import normalised

if TYPE_CHECKING:
    from inbox.channels.imap.fetching import Fetched
    from inbox.models.incoming import Incoming

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
# Between failed fetches: a provider locks out who comes with a wrong password every second.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)


def usual_poll_seconds() -> int:
    return int(settings.HELPDESK_POLL_SECONDS)


class Security(models.TextChoices):
    NONE = "none", _("None")
    STARTTLS = "starttls", _("STARTTLS")
    SSL = "ssl", _("SSL/TLS")


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    def polled(self) -> MailboxQuerySet:
        """Those that we fetch from; the others receive by a pipe, by forwarding or from the mail room."""
        return self.filter(enabled=True).exclude(imap_host="")

    def take_due(self, now: datetime) -> list[tuple[int, int]]:
        """(id, seconds) of those whose time to be fetched has come; it comes again after those seconds, whatever happens."""
        due = self.polled().filter(models.Q(next_poll_at=None) | models.Q(next_poll_at__lte=now))
        return [
            (pk, seconds)
            for pk, seconds in due.values_list("pk", "poll_seconds")
            if due.filter(pk=pk).update(next_poll_at=now + timedelta(seconds=seconds))
        ]

    def at_server_of(self, mailbox: Mailbox) -> MailboxQuerySet:
        """Those that send through the same server."""
        if mailbox.uses_mail_room:
            return self.filter(uses_mail_room=True)
        return self.filter(uses_mail_room=False, smtp_host=mailbox.smtp_host, smtp_port=mailbox.smtp_port)

    def in_error(self) -> MailboxQuerySet:
        """See Mailbox.is_in_error."""
        return self.filter(enabled=True).exclude(fetch_error="", send_error="")

    def for_settings(self, now: datetime) -> MailboxQuerySet:
        """Everything that the list of mailboxes prints, so a row costs no query of its own."""
        from inbox.models import Conversation, Incoming, Outgoing

        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)

        def counted(rows: models.QuerySet[Any]) -> Coalesce:
            mine = rows.filter(mailbox=models.OuterRef("pk")).order_by().values("mailbox")
            return Coalesce(models.Subquery(mine.annotate(count=models.Count("pk")).values("count")), 0)

        return self.select_related("team", "owner", "pipeline").annotate(
            received_today=counted(Incoming.objects.filter(stored_at__gte=midnight)),
            waiting_to_leave=counted(Outgoing.objects.pending()),
            without_ticket=counted(Conversation.objects.filter(ticket=None)),
        )


class Mailbox(Channel):
    """A team address: where its mail is fetched, how answers leave, and how both went last."""

    address = models.CharField(_("address"), max_length=254, unique=True, help_text=_("Stored in lower case."))

    imap_host = models.CharField(
        _("IMAP server"), max_length=255, blank=True, help_text=_("Empty: mail comes by pipe or forwarding.")
    )
    imap_port = models.PositiveIntegerField(_("IMAP port"), default=993)
    imap_security = models.CharField(_("IMAP security"), max_length=10, choices=Security.choices, default=Security.SSL)
    imap_user = models.CharField(_("IMAP user"), max_length=254, blank=True)
    imap_password = EncryptedTextField(_("IMAP password"), blank=True)
    imap_folder = models.CharField(_("folder"), max_length=255, default="INBOX")
    poll_seconds = models.PositiveIntegerField(_("fetch every (seconds)"), default=usual_poll_seconds)
    import_since = models.DateTimeField(
        _("import mail since"),
        null=True,
        blank=True,
        help_text=_("What is older stays in the mailbox. Empty with “import all” off: from connecting on."),
    )
    import_all = models.BooleanField(_("import all mail that is already there"), default=False)

    smtp_host = models.CharField(_("SMTP server"), max_length=255, blank=True)
    smtp_port = models.PositiveIntegerField(_("SMTP port"), default=587)
    smtp_security = models.CharField(
        _("SMTP security"), max_length=10, choices=Security.choices, default=Security.STARTTLS
    )
    smtp_user = models.CharField(
        _("SMTP user"), max_length=254, blank=True, help_text=_("Empty: sending needs no login.")
    )
    smtp_password = EncryptedTextField(_("SMTP password"), blank=True)
    uses_mail_room = models.BooleanField(_("sends to the mail room"), default=False, editable=False)

    ca_certificate = models.TextField(
        _("private CA"),
        blank=True,
        help_text=_("PEM certificates of the authority that signed your mail servers, if it is your own."),
    )
    signature = models.TextField(_("signature"), blank=True)
    senders = models.ManyToManyField(
        Team,
        blank=True,
        related_name="mailboxes",
        verbose_name=_("teams that send from it"),
        help_text=_("None: everybody who may reply."),
    )

    # Health. Empty error means well.
    last_poll_at = models.DateTimeField(_("last fetched"), null=True, blank=True, editable=False)
    next_poll_at = models.DateTimeField(_("fetched next"), null=True, blank=True, editable=False)
    fetch_error = models.TextField(_("fetching failed"), blank=True, editable=False)
    send_error = models.TextField(_("sending failed"), blank=True, editable=False)
    failed_polls = models.PositiveIntegerField(_("failed fetches in a row"), default=0, editable=False)

    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        ordering = ["address"]
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        """The rules for every way to save a mailbox: the settings page, the admin and `connect_mailbox`."""
        super().clean()
        self.address = normalised(self.address)
        wrong: dict[str, str] = {}
        try:
            if self.address:  # an empty one is missed already
                check_address(self.address)
        except InvalidAddress:
            wrong["address"] = gettext("This is not a mail address.")
        if self.status is not None:
            self.pipeline = self.pipeline or self.status.pipeline
            if self.status.pipeline_id != self.pipeline.pk:
                wrong["status"] = gettext("This status is not of that pipeline.")
        if self.owner is not None and not User.objects.assignable().filter(pk=self.owner.pk).exists():
            wrong["owner"] = gettext("This person cannot own tickets. Choose an active agent.")
        self._clean_servers(wrong)
        if wrong:
            raise ValidationError(wrong)

    def _clean_servers(self, wrong: dict[str, str]) -> None:
        for kind, host, port, security in (
            ("imap", self.imap_host, self.imap_port, self.imap_security),
            ("smtp", self.smtp_host, self.smtp_port, self.smtp_security),
        ):
            if not host:
                continue
            if any(sign.isspace() or sign in "/@" for sign in host):
                wrong[f"{kind}_host"] = gettext("Only the name of the server, like mail.example.com.")
                continue
            if not 1 <= (port or 0) <= 65535:
                wrong[f"{kind}_port"] = gettext("A port is a number from 1 to 65535.")
            try:
                tls.insist_on_allowed(host, security)
            except tls.PlaintextForbidden as problem:
                wrong[f"{kind}_security"] = str(problem)
        if self.imap_host and not self.imap_user:
            wrong["imap_user"] = gettext("Fetching mail needs a user name.")
        if self.imap_host and not self.imap_folder.strip():
            wrong["imap_folder"] = gettext("Name the folder to fetch, as a rule INBOX.")
        if not 5 <= (self.poll_seconds or 0) <= 86400:
            wrong["poll_seconds"] = gettext("From 5 seconds to a day (86400).")
        try:
            tls.context(self.ca_certificate)
        except tls.BadAuthority as problem:
            wrong["ca_certificate"] = str(problem)

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def fetches(self) -> bool:
        return bool(self.imap_host)

    @property
    def is_in_error(self) -> bool:
        """Somebody should look: it is meant to work and does not."""
        return self.enabled and bool(self.fetch_error or self.send_error)

    def begin_fetching(self) -> None:
        """Note where the folder stands at the moment of connecting. When that fails, the first fetch goes by dates."""
        from inbox.channels.imap import connection, fetching

        if self.fetches:
            with suppress(*connection.PROBLEMS):
                fetching.begin(self)

    def fetch(self, *, stored: Callable[[list[Incoming]], None] | None = None) -> Fetched:
        """Fetch what is new and note how it went: an error in words, and a longer pause each time it fails again.

        Returns what was stored. Raises nothing that the server is to blame for.
        """
        from inbox.channels.imap import connection, fetching

        rows: list[Incoming] = []

        def hear(some: list[Incoming]) -> None:
            rows.extend(some)
            if stored:
                stored(some)

        try:
            fetched = fetching.fetch(self, stored=hear)
        except connection.PROBLEMS as problem:
            explained = connection.explain(problem, self)
            logger.warning("Mailbox %d could not be fetched (%s): %s", self.pk, explained.step, explained.said)
            self._fetch_failed(explained.message, now=timezone.now())
            return fetching.Fetched(rows)
        if not fetched.busy:
            self._fetch_worked(now=timezone.now(), unfinished=fetched.unfinished)
        return fetched

    def _fetch_worked(self, *, now: datetime, unfinished: bool) -> None:
        self.last_poll_at, self.fetch_error, self.failed_polls = now, "", 0
        self.next_poll_at = now if unfinished else now + timedelta(seconds=self.poll_seconds)
        self._save_health()

    def _fetch_failed(self, error: str, *, now: datetime) -> None:
        self.failed_polls += 1
        pause = min(FIRST_PAUSE * 2 ** min(self.failed_polls - 1, 10), LONGEST_PAUSE)
        self.fetch_error = error
        self.next_poll_at = now + max(pause, timedelta(seconds=self.poll_seconds))
        self._save_health()

    def _save_health(self) -> None:
        self.save(update_fields=["last_poll_at", "next_poll_at", "fetch_error", "failed_polls"])

    @property
    def sends(self) -> bool:
        return bool(self.smtp_host) or self.uses_mail_room

    @transaction.atomic
    def be_default_of(self, teams: Iterable[Team]) -> None:
        """What these teams begin leaves from here, and from now on of no other team; each has one such address."""
        from inbox.models.sender import ReplyAddress

        chosen = list(teams)
        ReplyAddress.objects.filter(mailbox=self).exclude(team__in=chosen).delete()
        for team in chosen:
            ReplyAddress.objects.update_or_create(team=team, defaults={"mailbox": self})

    def connection_changed(self, *, now: datetime) -> None:
        """Servers or passwords are others now: what failed before says nothing any more, so both are tried at once."""
        self.fetch_error, self.failed_polls, self.next_poll_at, self.send_error = "", 0, now, ""
        self.save(update_fields=["fetch_error", "failed_polls", "next_poll_at", "send_error"])
        self.outgoing.waiting().filter(due_at__gt=now).update(due_at=now)

    def sending_failed(self, reason: str, *, until: datetime) -> None:
        """The account itself is at fault (login refused, server away): what waits for it waits together, so that a
        wrong password is not tried once for every mail.
        """
        self.send_error = reason
        self.save(update_fields=["send_error"])
        self.outgoing.waiting().filter(due_at__lt=until).update(due_at=until)

    def sending_works(self, *, now: datetime) -> None:
        """Clear the error, and let what waited for it go."""
        if self.send_error:
            self.send_error = ""
            self.save(update_fields=["send_error"])
            self.outgoing.waiting().filter(due_at__gt=now).update(due_at=now)


class MailFolderQuerySet(models.QuerySet["MailFolder"]):
    def lease(self, folder_id: int, *, now: datetime) -> uuid.UUID | None:
        """Take the folder for one worker; None when another holds it. The token fences out a worker whose lease ran out."""
        token = uuid.uuid4()
        free = self.filter(models.Q(lease_until=None) | models.Q(lease_until__lt=now), pk=folder_id)
        return token if free.update(lease_token=token, lease_until=now + LEASE) else None

    def renew(self, folder_id: int, token: uuid.UUID, *, now: datetime) -> bool:
        """False when another worker has taken over."""
        return bool(self.filter(pk=folder_id, lease_token=token).update(lease_until=now + LEASE))


class MailFolder(models.Model):
    """The fetch position in one folder: everything up to `last_uid` of this UIDVALIDITY is stored or noted as a gap."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="folders", verbose_name=_("mailbox"))
    name = models.CharField(_("name"), max_length=255, default="INBOX")
    uidvalidity = models.BigIntegerField(_("UIDVALIDITY"), null=True, blank=True)
    first_uid = models.BigIntegerField(
        _("all from this UID on"), default=1, help_text=_("Everything from here on is taken in.")
    )
    import_from = models.DateTimeField(
        _("older ones from this date on"),
        null=True,
        blank=True,
        help_text=_("Of the mails before that UID, those that arrived since then."),
    )
    last_uid = models.BigIntegerField(_("last UID"), default=0)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = MailFolderQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail folder")
        verbose_name_plural = _("mail folders")
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="mail_folder_once")]

    def __str__(self) -> str:
        return f"{self.mailbox} · {self.name}"
