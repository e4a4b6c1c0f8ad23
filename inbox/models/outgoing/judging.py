"""What becomes of a mail after a try, and when the next one is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from inbox.models.outgoing.states import OutgoingState, RecipientState

if TYPE_CHECKING:
    from inbox.channels.smtp.sending import Outcome
    from inbox.models.outgoing.mail import Outgoing

# After these pauses a mail is tried every two hours, until 48 hours are over.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
LATER_PAUSE = timedelta(hours=2)
MOST_TRIES = 28


def state_after(outgoing: Outgoing, outcome: Outcome) -> OutgoingState:
    if outcome.unknown:
        return OutgoingState.UNKNOWN
    states = set(outgoing.recipients.values_list("state", flat=True))
    if states <= {RecipientState.ACCEPTED}:
        return OutgoingState.SENT
    if states & {RecipientState.PENDING, RecipientState.DEFERRED}:
        if outgoing.tries < MOST_TRIES:
            return OutgoingState.DEFERRED
        outcome.answer = gettext("Given up after 48 hours. %(answer)s") % {"answer": outcome.answer}
        return OutgoingState.FAILED
    # Who was refused in an earlier try matters more than how this one went.
    refusals = outgoing.recipients.filter(state=RecipientState.REFUSED).order_by("pk").values_list("answer", flat=True)
    outcome.answer = "\n".join(dict.fromkeys(refusals))
    return OutgoingState.FAILED


def pause_after(tries: int) -> timedelta:
    return PAUSES[tries - 1] if 0 < tries <= len(PAUSES) else LATER_PAUSE


def said_of_unknown(reason: str, words: str = "") -> str:
    """What is told of a mail that the server may have: why nobody knows, and in which words it said so."""
    note = gettext("It may have sent the mail; it is not sent again by itself, so that nobody gets it twice.")
    return " ".join(filter(None, [reason, note, words]))
