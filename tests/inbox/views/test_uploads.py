from __future__ import annotations

from django.core.files.base import ContentFile
from django.test import Client

from inbox.models import Upload
from people.models import User
from tests.factories import make_user


def test_what_one_person_has_waiting_unsent_has_a_limit(desk: Client, agent: User) -> None:
    for user in (agent, make_user()):
        Upload.objects.create(user=user, name="film.mov", content_type="video/quicktime", size=500 * 1024 * 1024 - 4)
    assert desk.post("/uploads/", {"file": ContentFile(b"four", name="a.bin")}).status_code == 201
    answer = desk.post("/uploads/", {"file": ContentFile(b"1", name="b.bin")})
    assert answer.status_code == 413
    assert "500 MB" in answer.json()["error"]
    assert not Upload.objects.filter(name="b.bin").exists()
    Upload.objects.filter(user=agent, name="film.mov").delete()
    assert desk.post("/uploads/", {"file": ContentFile(b"1", name="b.bin")}).status_code == 201
