from inbox.models.channel import Channel, ChannelKind
from inbox.models.comment import CommentVersion, Mention
from inbox.models.conversation import Conversation
from inbox.models.draft import Draft, DraftMode, MailKind
from inbox.models.incoming import FetchGap, Incoming, IncomingState
from inbox.models.mailbox import Mailbox, MailFolder, Security
from inbox.models.message import Attachment, Direction, Message, MessageKind, Upload
from inbox.models.outgoing import NotSent, Outgoing, OutgoingRecipient, OutgoingState
from inbox.models.room import RoomMail
from inbox.models.sender import ReplyAddress, TrustedSender

__all__ = [
    "Attachment",
    "Channel",
    "ChannelKind",
    "CommentVersion",
    "Conversation",
    "Direction",
    "Draft",
    "DraftMode",
    "FetchGap",
    "Incoming",
    "IncomingState",
    "MailFolder",
    "MailKind",
    "Mailbox",
    "Mention",
    "Message",
    "MessageKind",
    "NotSent",
    "Outgoing",
    "OutgoingRecipient",
    "OutgoingState",
    "ReplyAddress",
    "RoomMail",
    "Security",
    "TrustedSender",
    "Upload",
]
