from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from inbox import leftovers
from inbox.models import Upload
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_an_upload_that_never_went_into_a_message_is_removed_after_a_week():
    upload = Upload.objects.create(
        user=make_user(), name="a.txt", content_type="text/plain", size=1, file=ContentFile(b"a", "a.txt")
    )
    leftovers.collect(timezone.now() + timedelta(days=6))
    assert Upload.objects.filter(pk=upload.pk).exists()

    leftovers.collect(timezone.now() + timedelta(days=8))
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert not default_storage.exists(upload.file.name)


def test_a_mail_that_was_rendered_for_an_answer_never_written_is_removed_after_an_hour():
    now = timezone.now()
    name = default_storage.save(f"sent/{now:%Y/%m/%d}/1.eml", ContentFile(b"To: a@customer.example\r\n\r\n"))
    leftovers.collect(now + timedelta(minutes=50))
    assert default_storage.exists(name)
    leftovers.collect(now + timedelta(minutes=70))
    assert not default_storage.exists(name)
