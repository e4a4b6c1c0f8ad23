from typing import Any

from django.test import RequestFactory

from helpdesk.proxy import client_address


def test_only_the_last_forwarded_address_counts_and_only_behind_a_proxy(settings: Any) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "6.6.6.6, 10.0.0.9"}, REMOTE_ADDR="127.0.0.1")
    settings.HELPDESK_BEHIND_PROXY = False
    assert client_address(request) == "127.0.0.1"
    settings.HELPDESK_BEHIND_PROXY = True
    assert client_address(request) == "10.0.0.9"
