from inbox.models.channel import Channel, ChannelKind
from inbox.models.conversation import Conversation
from inbox.models.incoming import FetchGap, Incoming, IncomingState
from inbox.models.mailbox import Mailbox, MailFolder, Security
from inbox.models.message import Attachment, Direction, Message, MessageKind, Upload
from inbox.models.outgoing import Outgoing, OutgoingRecipient, OutgoingState
from inbox.models.room import RoomMail

__all__ = [
    "Attachment",
    "Channel",
    "ChannelKind",
    "Conversation",
    "Direction",
    "FetchGap",
    "Incoming",
    "IncomingState",
    "MailFolder",
    "Mailbox",
    "Message",
    "MessageKind",
    "Outgoing",
    "OutgoingRecipient",
    "OutgoingState",
    "RoomMail",
    "Security",
    "Upload",
]
