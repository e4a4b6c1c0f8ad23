"""Django's admin for conversations and mail. Importing a file registers what it holds."""

from inbox.admin import conversations, incoming, mailboxes, outgoing, room

__all__ = ["conversations", "incoming", "mailboxes", "outgoing", "room"]
