class CannotStart(Exception):
    """Why the embedded servers cannot run here, in a sentence for the person who started the program."""
