"""How a file that came from outside leaves us again: as a download that a browser will not run.

Whatever the file says of itself, the browser is told not to guess (nosniff), to run nothing (a sandbox of its own) and,
but for plain pictures, to save it rather than show it. Who may have it is asked before, through `visible_to`.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from django.core.files import File
from django.http import FileResponse, Http404
from django.utils.http import content_disposition_header

# What every browser draws without running anything in it. SVG is a program.
SHOWN_IN_PLACE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# What keeps its own type as a download, because the type chooses the program that opens it; the rest is just bytes.
_HARMLESS = re.compile(
    r"(audio|video|font)/[\w.+-]+|image/(bmp|tiff|heic|heif|avif|x-icon|vnd\.microsoft\.icon)|text/(plain|csv|calendar)"
    r"|message/rfc822|application/(pdf|zip|gzip|json|msword|rtf|vnd\.[\w.+-]+|x-7z-compressed|x-tar|octet-stream)"
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def respond_with_file(
    file: File[bytes] | BinaryIO, *, name: str, content_type: str, may_show: bool = True, may_show_pdf: bool = False
) -> FileResponse:
    """The stored `file` under the `name` it had. `may_show` False saves even a picture.

    `may_show_pdf`: one is drawn by the browser's own viewer, which keeps it apart from us, sandbox and all.
    """
    kind = content_type.partition(";")[0].strip().lower()
    shown = may_show and (kind in SHOWN_IN_PLACE or (may_show_pdf and kind == "application/pdf"))
    response = FileResponse(file)
    response["Content-Type"] = kind if shown or _HARMLESS.fullmatch(kind) else "application/octet-stream"
    response["Content-Disposition"] = content_disposition_header(not shown, file_name(name)) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=3600" if shown else "private, no-store"
    return response


def opened(file: File[bytes]) -> File[bytes]:
    """`file` open for reading. Its row can outlive it when a folder was lost: that is a 404, not a crash."""
    try:
        return file.open("rb")
    except FileNotFoundError:
        raise Http404 from None


def file_name(name: str) -> str:
    """`name` without folders, controls and signs that turn it round, so that what one reads is what one saves."""
    bare = re.split(r"[/\\]", _UNPRINTABLE.sub("", name))[-1].strip(" .")
    return bare[:200] or "file"
