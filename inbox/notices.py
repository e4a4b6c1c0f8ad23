"""Notifications by mail: what the bell says, to whoever wants it in their mailbox too.

A notification is mailed a minute after it was made, unless it was read meanwhile, from a mailbox of the desk. It says
only what its user may see at that moment. An answer to it becomes a comment, see `inbox.notice_answers`.
"""

from __future__ import annotations

import logging
import smtplib
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk import html as safe_html
from inbox.channels.passwords import PasswordUnreadable
from inbox.channels.smtp.connection import opened
from inbox.channels.smtp.turns import AT_ONE_SERVER, turn
from inbox.channels.tls import BadAuthority, PlaintextForbidden
from inbox.mime.compose import OutgoingMail, check_address, compose, new_notice
from inbox.models import Mailbox, Message
from inbox.threading import instance, token_key
from people.models import User
from people.models.contact import normalised
from tickets.models import Notification, NotificationKind, Ticket
from tickets.models.notification import STALE_HOURS
from tickets.notifying import wants_mail

logger = logging.getLogger(__name__)

TRIED_AGAIN_AFTER = timedelta(minutes=5)
LEASE = timedelta(minutes=5)
QUEUED_AT_ONCE = 500
MOST_TEXT = 5_000


class NotTaken(Exception):
    """The server did not take it. `for_good`: nor will it another time."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        self.for_good = for_good
        super().__init__(reason)


class NotOurs(Exception):
    """It was read, grew or was claimed by another worker while this one was on its way to the server."""


def queue_due(now: datetime) -> int:
    """Hand to workers what is to be mailed by now. Says how much that was."""
    from inbox.tasks import mail_notification

    due = list(Notification.objects.to_mail(now).order_by("mail_due_at").values_list("pk", flat=True)[:QUEUED_AT_ONCE])
    for pk in due:
        mail_notification.delay(pk)
    return len(due)


def mail(notification_id: int, *, now: datetime | None = None) -> bool:
    """Mail it, if it is due, unread and nobody else does. Says whether it left.

    It is claimed by being due later, so that another worker mails it then when this one dies with it. It is called mailed
    before the server gets its text: what becomes of a worker that dies after that nobody knows, the bell has it anyway,
    and nobody wants it twice. What the server does not take is tried again for a day.
    """
    from inbox.tasks import mail_notification

    now = now or timezone.now()
    claim = {"mailed_at": None, "mail_due_at": now + LEASE}
    if not Notification.objects.to_mail(now).filter(pk=notification_id).update(**claim):
        return False
    rows = Notification.objects.select_related("user", "actor", "ticket__contact", "ticket__team")
    notification = rows.get(pk=notification_id)
    box = _mailbox_for(notification.ticket) if _is_to_be_mailed(notification) else None
    if box is None:
        _settle(notification, mail_due_at=None)
        return False

    with turn(box) as ours:
        left = ours and _mail(notification, box, now)
    if not ours:
        _settle(notification, mail_due_at=now)
        return False
    for pk in _waiting_for(box, now):
        mail_notification.delay_on_commit(pk)
    return left


def _mail(notification: Notification, box: Mailbox, now: datetime) -> bool:
    def claim_for_good() -> None:
        if not _settle(notification, mailed_at=now):
            raise NotOurs
        notification.mailed_at = now

    try:
        _hand_over(box, notification.user.email, _written(notification, box, now), before_its_text=claim_for_good)
    except NotOurs:
        return False
    except NotTaken as problem:
        stale = now - notification.at > timedelta(hours=STALE_HOURS)
        gives_up = problem.for_good or stale
        _settle(notification, mailed_at=None, mail_due_at=None if gives_up else now + TRIED_AGAIN_AFTER)
        logger.warning("Notification %d was not mailed%s: %s", notification.pk, " at all" if gives_up else "", problem)
        return False
    logger.info("Notification %d mailed to user %d", notification.pk, notification.user_id)
    return True


def _waiting_for(box: Mailbox, now: datetime) -> list[int]:
    """As many as its server takes at a time, of those that leave there and found no turn."""
    there = models.Q(ticket__conversations__mailbox__in=Mailbox.objects.at_server_of(box)) | models.Q(
        ticket__conversations=None
    )
    due = Notification.objects.to_mail(now).filter(there).order_by("mail_due_at", "pk").distinct()
    return list(due.values_list("pk", flat=True)[:AT_ONE_SERVER])


def _is_to_be_mailed(notification: Notification) -> bool:
    """Its user may still see it and still wants it, and is no mailbox of ours, which would answer itself."""
    user = notification.user
    visible = Notification.objects.visible_to(user).filter(pk=notification.pk)
    wanted = user.is_active and wants_mail(user, NotificationKind(notification.kind)) and visible.exists()
    return wanted and not Mailbox.objects.filter(address=normalised(user.email)).exists()


def _settle(notification: Notification, **fields: datetime | None) -> bool:
    """As long as it is ours: one that gathered something new meanwhile has a due time of its own, one that was read none.

    Says whether it was.
    """
    claimed = {"mailed_at": notification.mailed_at, "mail_due_at": notification.mail_due_at}
    return bool(Notification.objects.filter(pk=notification.pk, **claimed).update(**fields))


def _mailbox_for(ticket: Ticket) -> Mailbox | None:
    """The one that the ticket's mail comes to, else the first that can send."""
    ours = Mailbox.objects.filter(conversations__ticket=ticket).order_by("-conversations__created_at")
    others = Mailbox.objects.filter(enabled=True).order_by("pk")
    return next((box for box in [*ours, *others] if box.enabled and box.sends), None)


def _written(notification: Notification, box: Mailbox, now: datetime) -> bytes:
    user, ticket = notification.user, notification.ticket
    token = new_notice(ticket.pk, user.pk, token_key(), made=now.date())
    with translation.override(user.language or settings.LANGUAGE_CODE), timezone.override(_zone(user)):
        words = _Words(notification, _message_of(notification))
        context = {
            "language": translation.get_language(),
            "said": words.sentence,
            "message": words.message,
            "quote": words.quote,
            "ticket": ticket,
            "link": f"{settings.HELPDESK_PUBLIC_URL}{notification.get_absolute_url()}",
            "preferences": f"{settings.HELPDESK_PUBLIC_URL}/profile/#notifications",
            "token": token,
        }
        name = ticket.name or _("(no subject)")
        return compose(
            OutgoingMail(
                message_id=f"{token}@{box.domain}",
                date=now,
                from_name=settings.HELPDESK_NAME,
                from_address=box.address,
                to=[(user.name, user.email)],
                reply_to=[(settings.HELPDESK_NAME, box.address)],
                subject=f"[#{ticket.number}] {name}: {words.sentence}",
                text=render_to_string("inbox/notice_mail.txt", context),
                html=render_to_string("inbox/notice_mail.html", context),
                # One thread for each ticket in the reader's mail program.
                references=[f"ticket{ticket.pk}.user{user.pk}@{box.domain}"],
                headers={
                    "Auto-Submitted": "auto-generated",
                    "X-Auto-Response-Suppress": "All",
                    "X-Desk-Instance": instance(),
                },
            )
        )


@dataclass(frozen=True)
class _Words:
    notification: Notification
    message: Message | None

    @property
    def sentence(self) -> str:
        one = self.notification
        who = {"who": one.actor.name if one.actor else self._contact}
        if one.kind == NotificationKind.MENTION:
            return _("%(who)s mentioned you") % who
        if one.kind == NotificationKind.ASSIGNMENT:
            return _("%(who)s gave you this ticket") % who if one.actor else _("This ticket was given to you")
        if one.kind == NotificationKind.TEAM_TICKET:
            return _("New ticket in %(team)s") % {"team": one.ticket.team.name if one.ticket.team else ""}
        if one.is_of_status:
            return _("A mail was sent, but its status could not be set")
        if one.kind == NotificationKind.SENDING:
            return _("A mail was not sent")
        return ngettext("%(who)s wrote", "%(n)d new messages, the last by %(who)s", one.times) % {**who, "n": one.times}

    @property
    def quote(self) -> str:
        """What was written, as text: looks of foreign mail stay in the desk."""
        if self.message is None:
            return ""
        text = self.message.text or safe_html.to_text(self.message.html)
        return text if len(text) <= MOST_TEXT else text[:MOST_TEXT].rstrip() + " …"

    @property
    def _contact(self) -> str:
        contact = self.notification.ticket.contact
        return contact.name if contact and contact.name else _("Somebody")


def _message_of(notification: Notification) -> Message | None:
    number = notification.message_number
    if number is None:
        return None
    return Message.objects.visible_to(notification.user).filter(pk=number, ticket=notification.ticket_id).first()


def _hand_over(box: Mailbox, address: str, mime: bytes, *, before_its_text: Callable[[], None]) -> None:
    """Raises NotTaken when the server surely has not got it. When nobody knows, it counts as mailed."""
    began = False
    try:
        with opened(box) as smtp:
            smtp.ehlo_or_helo_if_needed()
            code, said = smtp.mail(check_address(box.address))
            if code == 250:
                code, said = smtp.rcpt(check_address(address))
            if code not in (250, 251):
                raise NotTaken(f"{code} {said.decode('utf-8', 'replace')[:200]}", for_good=code >= 500)
            before_its_text()
            began = True
            code, said = smtp.data(mime)
            if code != 250:
                raise NotTaken(f"{code} {said.decode('utf-8', 'replace')[:200]}", for_good=code >= 500)
    except smtplib.SMTPDataError as problem:
        raise NotTaken(str(problem.smtp_code), for_good=problem.smtp_code >= 500) from problem
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        if not began:
            raise NotTaken(type(problem).__name__, for_good=isinstance(problem, ValueError)) from problem
        logger.warning("A notification may not have arrived: %s", type(problem).__name__)
    except (PlaintextForbidden, BadAuthority, PasswordUnreadable) as problem:
        raise NotTaken(type(problem).__name__, for_good=False) from problem


def _zone(user: User) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(user.time_zone) if user.time_zone else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None
