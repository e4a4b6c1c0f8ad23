"""Sign in, sign out, and a new password by mail. Django's own views with our forms and pages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import views as django
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode
from django.views.generic import FormView, TemplateView

from helpdesk.live import access_changed
from people import resetting, unsent
from people.forms import ForgottenPasswordForm, LoginForm, NewPasswordForm
from people.models import User
from people.tasks import send_reset_link
from people.throttling import forget_failures

WHO = "desk-user"
"""Cookie that static/js/csrf.js reads: the id of the user."""


class Login(django.LoginView):
    """`next` is followed on our own host only."""

    form_class = LoginForm
    template_name = "people/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """Tells pages that are open in other tabs who is signed in now: what one person wrote is not sent by another."""
        response = super().form_valid(form)
        user = form.get_user()
        if unsent.leads(user, self.request):
            onward = {"next": response["Location"]}
            response = redirect(f"{reverse('people:unsent')}?{urlencode(onward)}")
        unsent.remember(response, user)
        who = str(user.pk)
        response.set_cookie(WHO, who, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax", httponly=False)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        # Most likely it is the password, and the email stands there already.
        form.fields["username"].widget.attrs.pop("autofocus", None)
        form.fields["password"].widget.attrs |= {"autofocus": True, "aria-invalid": "true"}
        return self.render_to_response(self.get_context_data(form=form), status=422)


class Logout(django.LogoutView):
    """By POST only, so that no picture or link on another page signs anybody out."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return nobody(super().post(request, *args, **kwargs))


def nobody(response: HttpResponse) -> HttpResponse:
    """Whoever sits down at this browser next is not the one who signed out with `response`."""
    for name in (WHO, unsent.WHO):
        response.delete_cookie(name, samesite="Lax")
    return response


class PasswordReset(FormView):
    form_class = ForgottenPasswordForm
    template_name = "people/password_reset.html"
    success_url = reverse_lazy("people:password_reset_done")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(can_send=resetting.can_send(), **kwargs)

    def form_valid(self, form: ForgottenPasswordForm) -> HttpResponse:
        send_reset_link.delay(form.cleaned_data["email"])
        return super().form_valid(form)

    def form_invalid(self, form: ForgottenPasswordForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class PasswordResetDone(TemplateView):
    template_name = "people/password_reset_done.html"
    extra_context = {"hours": settings.PASSWORD_RESET_TIMEOUT // 3600}


class PasswordResetConfirm(django.PasswordResetConfirmView):
    form_class = NewPasswordForm
    template_name = "people/password_reset_confirm.html"
    success_url = reverse_lazy("people:password_reset_complete")

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        return user if user and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        forget_failures(form.user.email)
        access_changed([form.user.pk])  # who was signed in with the old one is no more
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class PasswordResetComplete(TemplateView):
    template_name = "people/password_reset_complete.html"
