"""A desk that answers late, so that what is typed quickly is ahead of it."""

from __future__ import annotations

from playwright.sync_api import Page

LATE = 150  # milliseconds


def answer_late(page: Page, address: str) -> None:
    """Everything that the page's own code fetches from `address` takes a moment longer."""
    page.evaluate(
        """([address, late]) => {
          const soon = window.fetch
          window.fetch = async (asked, ...how) => {
            if (String(asked.url ?? asked).includes(address)) await new Promise((resolve) => setTimeout(resolve, late))
            return soon(asked, ...how)
          }
        }""",
        [address, LATE],
    )
