"""The web process: every page is Django's WSGI in eight threads.

As many threads as the pool has connections, so that no page waits for one. Django's own ASGI handler served a third of
the pages a second.
"""

from typing import Any, cast

from a2wsgi import WSGIMiddleware

from helpdesk.wsgi import application as pages

application = WSGIMiddleware(cast(Any, pages), workers=8)
