"""A link by mail with which somebody sets their password: the first one, or a new one for a forgotten one."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from people.models import User


def link_for(user: User) -> str:
    """Works once, for PASSWORD_RESET_TIMEOUT, and no longer when the password or the email has changed since."""
    pk = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("people:password_reset_confirm", args=[pk, default_token_generator.make_token(user)])
    return f"{settings.HELPDESK_PUBLIC_URL}{path}"


def send_link(user: User) -> None:
    """Mail the link, in the language of `user`. Raises SMTPException or OSError when the mail server does not take it."""
    with translation.override(user.language or settings.LANGUAGE_CODE):
        is_first = not user.has_usable_password()
        desk = {"desk": settings.HELPDESK_NAME}
        subject = _("Your account at %(desk)s") % desk if is_first else _("Set a new password for %(desk)s") % desk
        context = {
            "user": user,
            "link": link_for(user),
            "is_first": is_first,
            "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
            "language": translation.get_language(),
        }
        mail = EmailMultiAlternatives(
            subject=" ".join(subject.split()),
            body=render_to_string("people/password_reset_mail.txt", context),
            to=[user.email],
            # So that the away notices of the world do not answer it.
            headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        )
        mail.attach_alternative(render_to_string("people/password_reset_mail.html", context), "text/html")
    mail.send()


def can_send() -> bool:
    """Whether the desk has a server for its own mails (HELPDESK_SYSTEM_MAIL_URL, or the mail room)."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")
