"""Signed in, where a test is not about signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client

from tests.factories import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from people.models import User


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def be_signed_in(page: Page, address: str, user: User) -> None:
    """Opened at `address` by a browser that is signed in already: the form takes a page of its own, test after test."""
    name, parts = settings.SESSION_COOKIE_NAME, urlsplit(address)
    value = signed_in(user).cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": f"{parts.scheme}://{parts.netloc}/"}])
    page.goto(address)


def sign_in(page: Page, address: str, user: User) -> None:
    """At `address`, which leads to the form."""
    page.goto(address)
    page.get_by_label("Email", exact=True).fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
