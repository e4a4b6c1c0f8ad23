"""How two unsent texts of one person differ, in a sentence or two: enough to choose between them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from inbox.drafting import Written
from inbox.models import Draft

WORDS_SHOWN = 14


def differences(newer: Draft, mine: Written) -> str:
    """What stands in `newer` and what in `mine`, from the first word on that differs; and what else is not the same."""
    there, here = newer.words.split(), mine.draft.words.split()
    same = next(
        (at for at, (one, other) in enumerate(zip(there, here, strict=False)) if one != other),
        min(len(there), len(here)),
    )
    sentences = []
    if there != here:
        sentences.append(
            _("There: %(there)s Here: %(here)s") % {"there": _from(there, same), "here": _from(here, same)}
        )
    elif newer.html != mine.html:
        sentences.append(_("The words are the same, their looks are not."))
    if _others(newer) != _others(mine.draft):
        sentences.append(_("Whom it goes to or its subject differs."))
    files = {upload.pk: upload.name for upload in newer.uploads.all()}
    own = {upload.pk: upload.name for upload in mine.uploads}
    names = [name for key, name in {**files, **own}.items() if key not in files or key not in own]
    if names:
        sentences.append(_("Only one of them has: %(files)s.") % {"files": ", ".join(names)})
    return " ".join(sentences)


def _from(words: list[str], at: int) -> str:
    if at >= len(words):
        return _("nothing more.") if at else _("nothing.")
    shown = " ".join(words[max(0, at - 3) : at + WORDS_SHOWN])
    before, behind = "…" * (at > 3), "…" * (at + WORDS_SHOWN < len(words))
    return f"“{before}{shown}{behind}”."


def _others(draft: Draft) -> tuple[Any, ...]:
    return draft.kind, draft.mailbox_id, draft.to, draft.cc, draft.bcc, draft.subject, draft.quoted_html
