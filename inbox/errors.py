"""What can go wrong when people write, connect and send. `str()` of each is the sentence to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inbox.checking import Check
    from inbox.models import Draft, Mailbox


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


class ContactHasAddress(InboxError):
    def __init__(self, name: str, address: str) -> None:
        super().__init__(
            _("%(name)s has the address %(address)s already. Reload the page to write to it.")
            % {"name": name, "address": address}
        )


class NotAMailAddress(ReplyError):
    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(
            _("“%(address)s” is not a mail address. Correct it or remove it.") % {"address": address[:100]}
        )


class ContactAddressWrong(NotAMailAddress):
    """That of the ticket's contact, which no form of a reply can correct."""

    def __init__(self, address: str) -> None:
        self.address = address
        ReplyError.__init__(
            self,
            _("Mail cannot be sent to “%(address)s”. Correct the address of the contact.") % {"address": address[:100]},
        )


class LettersBeforeAt(NotAMailAddress):
    def __init__(self, address: str) -> None:
        self.address = address
        ReplyError.__init__(
            self,
            _("“%(address)s” has letters before the @ that most mail servers do not take. Use another address.")
            % {"address": address[:100]},
        )


class OwnMailbox(ReplyError):
    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(
            _("“%(address)s” is one of our own mailboxes: the mail would come in again. Remove it.")
            % {"address": address[:100]}
        )


class TooManyRecipients(ReplyError):
    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            _("%(count)d recipients are more than one mail may have. Remove some: %(most)d can stay.")
            % {"count": count, "most": most}
        )


class FarTooManyRecipients(ReplyError):
    def __init__(self, most: int, kept: int) -> None:
        super().__init__(
            _("A mail may have %(most)d recipients. These are far more: only the first %(kept)d were kept.")
            % {"most": most, "kept": kept}
        )


class NobodyNamed(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("Nobody is named in “To”. Add a recipient."))


class NothingToForward(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("There is no message yet that could be forwarded. Write to the contact first."))


class MayNotSendFrom(ReplyError):
    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(
            _("Your teams do not send from %(address)s. Choose another address.") % {"address": mailbox.address}
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


class FileTooLarge(InboxError):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("“%(name)s” is larger than %(limit)s MB, the most that can be attached. Send a link to it instead.")
            % {"name": name, "limit": settings.HELPDESK_MAX_UPLOAD_MB}
        )


class TooMuchUnsent(FileTooLarge):
    def __init__(self, most_mb: int) -> None:
        InboxError.__init__(
            self,
            _(
                "You have room for %(limit)s MB of files that are not sent yet, and this one does not fit. Send some of them first."
            )
            % {"limit": most_mb},
        )


class UploadGone(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("A file is not here any more. Remove it and attach it again."))


class MailTooLarge(ReplyError):
    def __init__(self, megabytes: float, limit: int) -> None:
        super().__init__(
            _("With its files the mail is %(size).1f MB, and at most %(limit)d MB can be sent. Remove a file.")
            % {"size": megabytes, "limit": limit}
        )


class NewerDraft(InboxError):
    """Saving would overwrite what the same person wrote in another window."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        super().__init__(_("You wrote another text here since, in another window. Nothing of it was overwritten."))


class AlreadySent(InboxError):
    def __init__(self) -> None:
        super().__init__(_("This was sent already. What you typed since is still here."))


class SentOtherwise(ReplyError):
    """The same form was sent already, and said something else then."""

    def __init__(self, *, with_files: bool) -> None:
        said = _("This was sent already. What you changed since is here: send it as another message.")
        if with_files:
            said += " " + _("The files that went with it stayed there; attach again what this one needs.")
        super().__init__(said)


class CheckFailed(ReplyError):
    """Something looks wrong with what is about to be sent; whoever sends it may say that it is not."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self.checks = list(checks)
        super().__init__(" ".join(check.sentence for check in self.checks))


class NoSuchTime(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("Choose when the mail is to leave: a day and a time."))


class WrongStatus(ReplyError):
    """The form's own words."""


class DueInThePast(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("That time is over already. Choose a later one."))


class TooFarAhead(ReplyError):
    def __init__(self, days: int) -> None:
        super().__init__(_("A mail can wait for %(days)d days at most. Choose an earlier time.") % {"days": days})


class AnotherBegun(InboxError):
    """Making a draft of a message would overwrite, or mix, what the same person is writing on the ticket by now."""

    def __init__(self) -> None:
        super().__init__(_("You have begun another answer here. Send or discard it first."))


class AlreadyUndone(InboxError):
    def __init__(self) -> None:
        super().__init__(_("This mail was taken back already. It was not sent."))


class TooLateToUndo(InboxError):
    def __init__(self) -> None:
        super().__init__(_("This mail has left already, so it cannot be taken back."))


class NotYours(InboxError):
    def __init__(self) -> None:
        super().__init__(_("Only whoever wrote this mail can take it back."))


class CannotRelease(InboxError):
    def __init__(self) -> None:
        super().__init__(_("This message is no answer to a forward, so there is nothing to release."))


class StillAside(ReplyError):
    """The contact, or who stands with the contact, would get what was written between us and somebody else."""

    def __init__(self, address: str) -> None:
        super().__init__(
            _(
                "%(address)s may not see the message that you answer: it was written beside the conversation with the "
                "customer. Send this without the quoted message and its files, or remove the recipient."
            )
            % {"address": address[:100]}
        )


class NamesWithoutAccess(ReplyError):
    """A comment names people or teams who do not see its ticket, and nobody said yet what to do about it."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(
            ngettext(
                "%(names)s cannot see this ticket, so the mention would not reach them. Nothing is added yet.",
                "%(names)s cannot see this ticket, so the mentions would not reach them. Nothing is added yet.",
                len(names),
            )
            % {"names": ", ".join(names)}
        )


class MayNotShare(ReplyError):
    def __init__(self) -> None:
        super().__init__(
            _("You may not give access to tickets. Add the comment without telling them, or ask an agent.")
        )


class MayNotChangeComment(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("Only who wrote a comment can change it."))


class NewerComment(ReplyError):
    """A change of a comment would overwrite another one that its author made elsewhere meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("You changed this comment in another window since you opened it here. It says now:"))


class CommentIsDeleted(ReplyError):
    def __init__(self) -> None:
        super().__init__(_("This comment was deleted meanwhile. Restore it first, then change it."))


class CannotTryAgain(InboxError):
    def __init__(self) -> None:
        super().__init__(_("This mail is on its way or was sent already. Reload the page to see how it went."))


class AlreadyReplaced(InboxError):
    def __init__(self) -> None:
        super().__init__(_("This mail was written anew and sent already. Follow “Written anew” to see it."))


class NotInQuarantine(InboxError):
    def __init__(self) -> None:
        super().__init__(_("Only a mail in quarantine can be processed again. Reload the page to see how it is now."))


class LeaseLost(InboxError):
    """Another worker took over, because this one was silent for too long. What it was about to write is not written."""

    def __init__(self) -> None:
        super().__init__(_("Another worker has taken this over. It will finish it."))
