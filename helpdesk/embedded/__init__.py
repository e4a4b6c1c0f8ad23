"""PostgreSQL and Valkey for a machine that has none: their places, their start and stop, and how commands share them.

Nothing here imports Django, so that a start costs no second for it.
"""
