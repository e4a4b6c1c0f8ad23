"""What one sees of a file, and what all files of a message are packed into."""

import io
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from inbox.models import Attachment
from inbox.previews import MOST_SHOWN, decoded, kind_of, read_text
from inbox.zipping import archive, safe_name, unique
from tests.factories import make_message, make_ticket


@pytest.mark.parametrize(
    ("content_type", "name", "kind"),
    [
        ("image/png", "a.png", "image"),
        ("IMAGE/JPEG; name=a", "a", "image"),
        ("image/svg+xml", "a.svg", ""),
        ("text/html", "a.html", ""),
        ("text/html", "a.txt", ""),
        ("application/pdf", "a.pdf", "pdf"),
        ("application/octet-stream", "a.pdf", ""),
        ("application/octet-stream", "server.LOG", "text"),
        ("text/plain; charset=utf-8", "a", "text"),
        ("text/csv", "a.csv", "text"),
        ("application/zip", "a.txt", ""),
    ],
)
def test_what_can_be_looked_at(content_type, name, kind):
    assert kind_of(content_type, name) == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_text_is_read_whatever_it_is_written_in(encoding):
    assert decoded("Jäätelö 5 €".encode(encoding)) == "Jäätelö 5 €"


def test_a_letter_that_is_cut_in_the_middle_spoils_nothing():
    text = "ä" * MOST_SHOWN
    shown = read_text(io.BytesIO(b"x" + text.encode()), content_type="text/plain", name="a.txt")
    assert shown.is_cut
    assert set(shown.text) == {"x", "ä"}


def test_a_table_has_rows_whatever_parts_its_columns():
    shown = read_text(io.BytesIO(b'name;size\n"A; b";M\n'), content_type="text/csv", name="a.csv")
    assert shown.rows == [["name", "size"], ["A; b", "M"]]
    shown = read_text(io.BytesIO(b'a,"' + b"x" * 150_000), content_type="text/csv", name="a.csv")
    assert shown.rows == []
    assert shown.text.startswith('a,"xxx')


def test_names_in_an_archive_are_safe_and_each_its_own():
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name('a<b>:"c".txt') == "a_b___c_.txt"
    assert safe_name("NUL.txt") == "_NUL.txt"
    taken: set[str] = set()
    names = [unique(name, taken) for name in ("a.txt", "A.TXT", "a.txt", "a (2).txt", "b", "b")]
    assert names == ["a.txt", "A (2).TXT", "a (3).txt", "a (2) (2).txt", "b", "b (2)"]


@pytest.mark.django_db
def test_an_archive_holds_every_file_and_names_those_that_are_lost():
    message = make_message(make_ticket())
    for number, data in enumerate([b"one", b"two" * 300_000, b"three"]):
        file = Attachment(message=message, name="a.bin", content_type="application/octet-stream", size=len(data))
        file.file.save(f"stored{number}", ContentFile(data))
    files = list(message.attachments.all())
    files[2].file.storage.delete(files[2].file.name)
    chunks = list(archive(files, timezone.now()))
    assert max(map(len, chunks)) < 600_000
    packed = zipfile.ZipFile(io.BytesIO(b"".join(chunks)))
    assert packed.testzip() is None
    assert packed.namelist() == ["a.bin", "a (2).bin", "Missing files.txt"]
    assert packed.read("a (2).bin") == b"two" * 300_000
    assert "a (3).bin" in packed.read("Missing files.txt").decode()
