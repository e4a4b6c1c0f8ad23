"""A mail's text as a page of its own, for a frame: nothing runs in it and nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from helpdesk import html as safe_html


def respond_with_mail_body(
    request: HttpRequest,
    *,
    subject: str,
    html: str,
    text: str,
    quoted_html: str = "",
    quoted_text: str = "",
    urls: Mapping[str, str],
    shows_images: bool = False,
) -> HttpResponse:
    """Cleaned HTML, or else text, and what it quotes folded below it. `urls`: its inline images by content id.

    `shows_images`: those from elsewhere are fetched too, because the reader asked.
    """
    body, quoted = _shown(html, text, urls), _shown(quoted_html, quoted_text, urls)
    if shows_images:
        body, quoted = safe_html.show_remote_images(body), safe_html.show_remote_images(quoted)
    response = render(request, "inbox/mail_body.html", {"subject": subject, "body": body, "quoted": quoted})
    images = "'self' data: https:" if shows_images else "'self' data:"
    # Its own policy, since its address can be opened directly too, where no frame has a sandbox around it.
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {images}; frame-ancestors 'self'; base-uri 'none'; "
        "form-action 'none'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


def _shown(html: str, text: str, urls: Mapping[str, str]) -> SafeString:
    return safe_html.resolve_cids(html, urls) if html else safe_html.from_text(text)
