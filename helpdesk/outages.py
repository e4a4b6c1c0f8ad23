"""When the database or Redis is away, a page says so with 503, and works again when they are back."""

import logging
import sys
from collections.abc import Callable

import redis.exceptions
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.utils.translation import gettext as _
from django.views.defaults import server_error as bug
from kombu.exceptions import OperationalError as BrokerAway
from psycopg import InterfaceError as PsycopgInterfaceError
from psycopg import OperationalError as PsycopgOperationalError

from helpdesk.web import toast

logger = logging.getLogger(__name__)

# A pool that waited in vain raises a kind of psycopg's OperationalError.
OUTAGES: tuple[type[BaseException], ...] = (
    OperationalError,
    InterfaceError,
    PsycopgOperationalError,
    PsycopgInterfaceError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.ResponseError,  # it answers and refuses: its memory or its disk is full
    BrokerAway,
)


class OutagesMiddleware:
    """Answers what a view raised. What a middleware raised comes to `server_error`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(exception) if isinstance(exception, OUTAGES) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: called while the exception is being handled."""
    exception = sys.exception()
    if isinstance(exception, OUTAGES):
        return unavailable(exception)
    return bug(request)


def unavailable(exception: BaseException) -> HttpResponse:
    logger.error("A page was answered with 503: %s: %s", type(exception).__name__, str(exception).split("\n")[0])
    return away()


def away(*, perhaps_saved: bool = False) -> HttpResponse:
    """`perhaps_saved` is for what hangs: nobody knows whether it will be done when the database goes on."""
    # No request: context processors would ask the database again.
    page = get_template("503.html").render({"perhaps_saved": perhaps_saved})
    answer = HttpResponse(page, status=503, headers={"Retry-After": "5", "Cache-Control": "no-store"})
    if perhaps_saved:
        # What a page says of any other 503 by itself is that nothing was changed.
        toast(
            answer,
            _("The help desk did not answer in time. Look whether what you sent is there, then try again."),
            "error",
        )
    return answer


class NotUnavailable(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != 503
