"""What nobody comes back for: files that no row names, since a process died between writing one and the commit that would
have named it, uploads that never went into a message, and drafts that were thrown away a month ago."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import models

from inbox.drafting import purge
from inbox.models import Attachment, Incoming, Outgoing, Upload

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
# A commit that has not come by now does not come.
OLD_ENOUGH = timedelta(hours=1)
# Longer than anybody leaves an answer unsent in an open tab.
UPLOADS_KEPT = timedelta(days=7)
_AT_ONCE = 500


def collect_now_and_then(now: datetime) -> None:
    """`collect`, once an hour whoever asks how often."""
    if cache.add("inbox.leftovers", 1, timeout=EVERY.total_seconds()):
        collect(now)


def collect(now: datetime) -> int:
    """Delete files without a row after an hour (of today and yesterday) and uploads after a week; not those of a draft. Returns how many."""
    count = 0
    for day in (now, now - timedelta(days=1)):
        count += _collect_folder(f"raw/{day:%Y/%m/%d}", Incoming.objects.all(), "raw", now)
        count += _collect_folder(f"attachments/{day:%Y/%m/%d}", Attachment.objects.all(), "file", now)
        count += _collect_folder(f"sent/{day:%Y/%m/%d}", Outgoing.objects.all(), "mime", now)
    purge(now)
    for upload in Upload.objects.filter(created_at__lt=now - UPLOADS_KEPT, drafts=None)[:_AT_ONCE]:
        upload.file.delete(save=False)
        upload.delete()
        count += 1
    if count:
        logger.warning("%d files that nobody comes back for were removed", count)
    return count


def _collect_folder(folder: str, rows: models.QuerySet[Any], field: str, now: datetime) -> int:
    try:
        _folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return 0
    names = [f"{folder}/{file}" for file in files]
    count = 0
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        named = set(rows.filter(**{f"{field}__in": some}).values_list(field, flat=True))
        count += _delete_old((name for name in some if name not in named), now)
    return count


def _delete_old(names: Iterable[str], now: datetime) -> int:
    count = 0
    for name in names:
        try:
            if default_storage.get_modified_time(name) < now - OLD_ENOUGH:
                default_storage.delete(name)
                count += 1
        except OSError:
            continue  # gone already: its writer cleaned up
    return count
