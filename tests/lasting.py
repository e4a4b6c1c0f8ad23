"""Browser contexts that outlive a test: what was fetched and compiled stays, what somebody left there does not.

A new context begins with an empty cache, so each test fetched and compiled the hundred modules of a page again: a third of
what a browser test cost. Between two tests the pages are closed, and cookies, storage, permissions and routes are gone.
Scripts, functions and a clock that are given to a context cannot be taken back: a test that needs them (`page.clock` is
the whole context's) asks for `new_context`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page


class LastingContext:
    def __init__(self, browser: Browser, **arguments: Any) -> None:
        self._context: BrowserContext = browser.new_context(**arguments)
        # Empties the storage, for which all other pages must be closed: one that goes away may still keep what it has.
        keeper = self._keeper = self._context.new_page()
        self._session = self._context.new_cdp_session(keeper)
        self._origins: set[str] = set()
        self._context.on("page", self._watch)

    @contextmanager
    def lent(self) -> Iterator[BrowserContext]:
        self._context.set_offline(False)
        yield self._context
        for page in self._context.pages:
            if page is not self._keeper:
                page.close()
        self._context.unroute_all()
        self._context.clear_cookies()
        self._context.clear_permissions()
        while self._origins:
            self._session.send("Storage.clearDataForOrigin", {"origin": self._origins.pop(), "storageTypes": "all"})

    def _watch(self, page: Page) -> None:
        page.on("framenavigated", lambda frame: self._origins.add("/".join(frame.url.split("/")[:3])))
