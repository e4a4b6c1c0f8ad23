"""What a signed-in person can post by hand: it neither stops the program nor does what the pages do not offer."""

from __future__ import annotations

import time

import pytest

from inbox import commenting
from inbox.commenting import comment
from inbox.errors import UploadGone
from tests.factories import make_ticket, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("piece", ["<img", '<img src="', '<img src="/attachments/', "<span ", '<img alt="', "<p><img "])
def test_a_megabyte_of_anything_is_read_within_a_second(piece: str) -> None:
    author = make_user()
    written = comment(make_ticket(), by=author, text="Short.")
    much = piece * (1024 * 1024 // len(piece))
    begun = time.process_time()
    commenting.edit(written, by=author, html=f"<p>Words</p>{much}")

    assert time.process_time() - begun < 1
    written.refresh_from_db()
    assert "Words" in written.text


def test_an_image_with_a_key_that_is_none_is_a_file_that_is_gone() -> None:
    with pytest.raises(UploadGone):
        comment(make_ticket(), by=make_user(), html=f'<p>See</p><img src="/uploads/{"-" * 36}/">')
