import logging


class OneLineForRefusals(logging.Filter):
    """What a visitor did wrong (4xx) is told in one line: the way to it through our code says nothing about it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
        return True
