import pytest
from django.templatetags.static import static
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


def test_a_browser_keeps_a_file_for_good_also_in_the_tests(client: Client) -> None:
    address = static("css/layers.css")
    assert address != "/static/css/layers.css", "a file that changes has another address"
    answer = client.get(address)
    assert "layer" in b"".join(answer.streaming_content).decode()
    assert "immutable" in answer["Cache-Control"]
