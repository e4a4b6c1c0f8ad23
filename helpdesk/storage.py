"""How files are kept: what people send us durably, what we serve under names that change with their content."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from whitenoise.storage import CompressedManifestStaticFilesStorage

logger = logging.getLogger(__name__)


class DurableFolder(FileSystemStorage):
    """A folder whose files are on the disk, not only in memory, when `save` comes back."""

    def _save(self, name: str, content: File[Any]) -> str:
        kept: str = super()._save(name, content)  # type: ignore[misc]  # missing from the stubs
        path = Path(self.path(kept))
        _flush(path)
        _flush(path.parent)
        return kept


@contextmanager
def kept_with_commit() -> Iterator[list[str]]:
    """For the names of files that are written before the commit that names them: when it does not come, they go.

    Around the transaction. After a crash the sweeper finds them (inbox.leftovers).
    """
    written: list[str] = []
    with ExitStack() as undoing:
        undoing.callback(_discard_all, written)
        yield written
        undoing.pop_all()


def discard(name: str) -> None:
    """Remove a file that no row names; the sweeper removes it when the storage cannot now."""
    try:
        default_storage.delete(name)
    except OSError as problem:
        logger.warning("A file without a row could not be removed, the sweeper will: %s", problem)


def _discard_all(names: list[str]) -> None:
    for name in names:
        discard(name)


def delete_after_commit(name: str) -> None:
    """The file goes once the rows that no longer name it are written; if they are not, it stays."""
    transaction.on_commit(partial(default_storage.delete, name))


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """JavaScript modules import each other by relative path; the collected ones by hashed name."""

    support_js_module_import_aggregation = True


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
