"""Pages of somebody signed in are theirs alone: no cache keeps them, and after they signed out nobody comes back to them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control


class PrivateMiddleware:
    """Says so for every answer that does not say itself how it may be kept. After the session and its user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_signed_in = request.user.is_authenticated
        response = self.get_response(request)
        # Whoever has just signed in or out was somebody before or is somebody now.
        if (is_signed_in or request.user.is_authenticated) and "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_store=True)
        return response
