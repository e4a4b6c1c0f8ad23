"""Writing to a customer."""

from inbox.replying.sending import reply, send

__all__ = ["reply", "send"]
