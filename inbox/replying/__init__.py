"""Writing to a customer, and among ourselves."""

from inbox.addressing import Recipients, recipients_for
from inbox.commenting import comment
from inbox.replying.body import Body, attach, once, read_body
from inbox.replying.sending import reply, send

__all__ = ["Body", "Recipients", "attach", "comment", "once", "read_body", "recipients_for", "reply", "send"]
