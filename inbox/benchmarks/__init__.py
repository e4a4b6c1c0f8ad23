"""Bulk data, and the program's own figures: each can be taken again by anyone with one command."""
