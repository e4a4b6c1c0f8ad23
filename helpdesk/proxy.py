"""Who is at the other end, when a proxy may stand between."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of the browser: the last one a trusted proxy added, else that of the connection.

    Only the last one counts; whoever sends the request can write what stands before it.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.HELPDESK_BEHIND_PROXY and forwarded:
        return str(forwarded.rsplit(",", 1)[-1].strip())
    return str(request.META.get("REMOTE_ADDR", ""))
