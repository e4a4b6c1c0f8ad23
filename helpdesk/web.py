"""How a view answers: a whole page or a fragment of it, and what else the page should hear."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Literal

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

ToastKind = Literal["info", "error"]


@login_required
def no_stream(_request: HttpRequest) -> HttpResponse:
    """Under a server that speaks WSGI alone there are no streams (see helpdesk.streaming): pages ask by themselves."""
    return HttpResponse(status=204)


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx swaps the answer into a page that is already there.

    Boosted links, history restores and requests that pick their part out of a whole page (`hx-select`) say that they
    come from htmx too, and yet need the whole page.
    """
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Request-Type") != "full"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def render_page(
    request: HttpRequest,
    page: str,
    partial: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """One address, two answers: the template `page`, or `partial` for a swap.

    An invalid form answers with `status=422`: htmx swaps it like any other answer.
    """
    template = partial if wants_fragment(request) else page
    return vary_on_fragment(render(request, template, context, status=status))


def vary_on_fragment(response: HttpResponse) -> HttpResponse:
    """Say that the address has two answers: what `wants_fragment` asks tells them apart."""
    patch_vary_headers(response, ["HX-Request", "HX-Request-Type", "HX-Boosted", "HX-History-Restore-Request"])
    return response


def toast(response: HttpResponse, text: str, kind: ToastKind = "info") -> HttpResponse:
    """Say what just happened in a corner of the page; an error stays until it is dismissed. Can be called repeatedly."""
    return _trigger(response, "toast", {"text": str(text), "kind": kind})


def announce(response: HttpResponse, text: str, *, now: bool = False) -> HttpResponse:
    """Say it to a screen reader only. `now` interrupts, for what cannot wait."""
    return _trigger(response, "announce-now" if now else "announce", {"text": str(text)})


def forget_draft(response: HttpResponse, key: str) -> HttpResponse:
    """The text kept in the browser under `key` (a <rich-editor>'s data-key) has arrived and need not be kept."""
    return _trigger(response, "draft:saved", {"key": key})


def _trigger(response: HttpResponse, event: str, item: dict[str, str]) -> HttpResponse:
    """Add to the events that htmx fires in the page. An event fires once, so its items are gathered in a list."""
    header = response.headers.get("HX-Trigger", "")
    events = json.loads(header) if header.startswith("{") else {name: {} for name in header.split(",") if name}
    events.setdefault(event, {}).setdefault("items", []).append(item)
    response.headers["HX-Trigger"] = json.dumps(events)  # ASCII only, as a header must be
    return response


def shows_again(*words: str) -> Callable[[Any], Any]:
    """Outermost on a view that asks `is_shown_again` before it does what was posted (see people.unsent).

    `words` are the fields that a person types into.
    """

    def mark(view: Any) -> Any:
        view.shows_again = words
        return view

    return mark


def is_shown_again(request: HttpRequest) -> bool:
    """Whether a form came when its sender was signed out: it is shown once more, and nothing is done."""
    return bool(getattr(request, "is_shown_again", False))


def signed_out_meanwhile() -> str:
    return _(
        "You were signed out meanwhile, so this was not sent. Your words are here: look at them and send them again."
    )
