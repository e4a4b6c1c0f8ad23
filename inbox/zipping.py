"""The files of a message as one archive, made while it is sent: no copy on disk, a chunk at a time in memory."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.attachments import file_name
from inbox.models import Attachment

CHUNK = 256 * 1024
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class _Pipe:
    """What `zipfile` writes into; `take` empties it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def archive(files: Iterable[Attachment], at: datetime) -> Iterator[bytes]:
    """A zip of `files`, each as it is: most were packed by their own program already. `at` is their date in it.

    A file that is not in our storage any more is named in a text beside the others.
    """
    # Read now: the zone and the language of whoever asked end with the view, before the first chunk is sent.
    words = _("These files are not here any more. Ask whoever sent them.")
    return _packed(files, timezone.localtime(at).timetuple()[:6], _("Missing files.txt"), words)


def _packed(files: Iterable[Attachment], date: tuple[int, ...], list_name: str, words: str) -> Iterator[bytes]:
    pipe, taken, lost = _Pipe(), set[str](), list[str]()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as target:
        for file in files:
            name = unique(safe_name(file.name), taken)
            try:
                source = file.file.open("rb")
            except FileNotFoundError:
                lost.append(name)
                continue
            entry = zipfile.ZipInfo(name, date)  # type: ignore[arg-type]
            with source, target.open(entry, "w", force_zip64=file.size >= zipfile.ZIP64_LIMIT) as packed:
                for chunk in source.chunks(CHUNK):
                    packed.write(chunk)
                    yield pipe.take()
        if lost:
            name = unique(safe_name(list_name), taken)
            target.writestr(zipfile.ZipInfo(name, date), "\n".join([words, "", *lost, ""]))  # type: ignore[arg-type]
    yield pipe.take()


def safe_name(name: str) -> str:
    """A name that every system can save: no folders, nothing that turns it round, no names of devices."""
    bare = _NOT_ON_WINDOWS.sub("_", file_name(name))
    return f"_{bare}" if _DEVICES.match(bare) else bare


def unique(name: str, taken: set[str]) -> str:
    """`name`, or with a number when a file is called so already, in capitals or not. It is taken then."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (name, "")
    number, found = 1, name
    while found.casefold() in taken:
        number += 1
        found = f"{stem} ({number}){ending}"
    taken.add(found.casefold())
    return found
