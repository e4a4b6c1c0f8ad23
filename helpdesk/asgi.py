"""The web process: every page is Django's WSGI in eight threads, and /events/ is streams on the loop.

As many threads as the pool has connections for pages, so that no page waits for one. Django's own ASGI handler served a
third of the pages a second. /health/ has threads of its own and no middleware: it answers while pages hang.
"""

from typing import Any, cast

from a2wsgi import WSGIMiddleware

from helpdesk.wsgi import application as pages

# Django is set up by the import above.
from helpdesk.health import alone, in_time  # isort: skip
from helpdesk.limits import ANSWER_SECONDS, Application, Receive, Scope, Send, TimeLimit, too_late, unless_given_up  # isort: skip
from helpdesk.streaming import events  # isort: skip

THREADS = 8
HEALTH_THREADS, HEALTH_SECONDS = 2, 8.0


def in_threads(pages: Any, threads: int, **limit: Any) -> TimeLimit:
    program = WSGIMiddleware(cast(Any, unless_given_up(pages)), workers=threads)
    return TimeLimit(cast(Any, program), threads=threads, **limit)


_pages = in_threads(pages, THREADS, seconds=ANSWER_SECONDS, late=too_late)
_health = in_threads(alone, HEALTH_THREADS, seconds=HEALTH_SECONDS, late=in_time)
# A stream lasts as long as the page: no time limit is for it.
_besides: dict[str, Application] = {"/health/": _health, "/events/": events}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope["path"] if scope["type"] == "http" else ""
    await _besides.get(path, _pages)(scope, receive, send)
