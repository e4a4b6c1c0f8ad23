"""What can go wrong when people write, connect and send. `str()` of each is the sentence to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from inbox.models import Mailbox


class InboxError(Exception):
    """Something a person asked of the inbox that its rules forbid."""


class ReplyError(InboxError):
    """The message was not written; nothing was saved."""


class MayNotReply(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("You may not write to customers. Ask an admin for the right to reply."))


class TicketInTrash(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("This ticket is in the trash. Restore it first."))


class EmptyMessage(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("There is nothing to send yet. Write something or attach a file."))


class NobodyToWriteTo(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("There is nobody to write to. Add a contact to the ticket first."))


class ContactWithoutAddress(ReplyError):
    def __init__(self, name: str) -> None:
        super().__init__(_("%(name)s has no mail address. Add one to the contact first.") % {"name": name})


class NotAMailAddress(ReplyError):
    def __init__(self, address: str) -> None:
        super().__init__(
            _("Mail cannot be sent to “%(address)s”. Correct the address of the contact.") % {"address": address[:100]}
        )


class NoMailbox(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("No mailbox can send this. Ask an admin to connect one."))


class MailboxIsOff(ReplyError):
    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(
            _("The mailbox %(address)s is switched off. Switch it on in the settings, then send again.")
            % {"address": mailbox.address}
        )


class MailboxCannotSend(ReplyError):
    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(
            _("The mailbox %(address)s has no server for sending. Give it one in the settings, then send again.")
            % {"address": mailbox.address}
        )


class CannotAnswer(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("That message cannot be answered: it is a comment or belongs to another ticket."))


class UploadGone(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("A file is not here any more. Remove it and attach it again."))


class MailTooLarge(ReplyError):
    def __init__(self, megabytes: float, limit: int) -> None:
        super().__init__(
            _("With its files the mail is %(size).1f MB, and at most %(limit)d MB can be sent. Remove a file.")
            % {"size": megabytes, "limit": limit}
        )


class CannotTryAgain(InboxError):
    def __init__(self) -> None:
        super().__init__(_("This mail is on its way or was sent already. Reload the page to see how it went."))


class NotInQuarantine(InboxError):
    def __init__(self) -> None:
        super().__init__(_("Only a mail in quarantine can be processed again. Reload the page to see how it is now."))


class LeaseLost(InboxError):
    """Another worker took over, because this one was silent for too long. What it was about to write is not written."""

    def __init__(self) -> None:
        super().__init__(_("Another worker has taken this over. It will finish it."))
