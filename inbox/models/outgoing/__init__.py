"""What is to be sent, and how it went."""

from inbox.models.outgoing.judging import MOST_TRIES, pause_after, said_of_unknown
from inbox.models.outgoing.mail import Outgoing, OutgoingRecipient
from inbox.models.outgoing.states import FAILED, NotSent, OutgoingState, RecipientState

__all__ = [
    "FAILED",
    "MOST_TRIES",
    "NotSent",
    "Outgoing",
    "OutgoingRecipient",
    "OutgoingState",
    "RecipientState",
    "pause_after",
    "said_of_unknown",
]
