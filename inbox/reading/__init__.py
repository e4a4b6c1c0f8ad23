"""Bytes of a mail -> what it says, ready to be kept; done in a process of its own that can be killed.

A mail can be made to hang or to fill the memory of whatever reads it, and a thread cannot be stopped. So foreign bytes
are parsed and foreign HTML is cleaned in a child (child.py), which lives for many mails and which its parent (pool.py)
ends when it outlasts its time.
"""

from inbox.reading.pool import read, readers
from inbox.reading.values import Reading, TooMuchMemory, TooMuchTime, Unreadable

__all__ = ["Reading", "TooMuchMemory", "TooMuchTime", "Unreadable", "read", "readers"]
