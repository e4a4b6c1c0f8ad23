import pytest
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db

PAGES = ["/", "/tickets/", "/conversations/", "/settings/mailboxes/", "/mail-room/", "/admin/", "/nowhere/"]


@pytest.mark.parametrize("page", PAGES)
def test_no_cache_keeps_what_somebody_signed_in_saw(client: Client, page: str) -> None:
    client.force_login(make_user("admin"))
    kept = client.get(page)["Cache-Control"]
    assert "private" in kept
    assert "no-store" in kept


def test_signing_out_leaves_nothing_behind(client: Client) -> None:
    client.force_login(make_user())
    assert "no-store" in client.post("/logout/")["Cache-Control"]


def test_a_file_that_is_edited_while_the_tests_run_comes_whole(settings, tmp_path):
    script = tmp_path / "growing.js"
    script.write_text("short")
    settings.STATICFILES_DIRS = [tmp_path]
    settings.WHITENOISE_USE_FINDERS = True
    client = Client()
    assert b"".join(client.get("/static/growing.js").streaming_content) == b"short"
    script.write_text("longer than it was")
    response = client.get("/static/growing.js")
    assert response["Content-Length"] == str(len("longer than it was"))
    assert b"".join(response.streaming_content) == b"longer than it was"
