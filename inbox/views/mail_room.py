"""The page "Customer's side": write to the desk as any customer, and read its answers as that customer would."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.files.base import ContentFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from helpdesk.attachments import respond_with_file
from helpdesk.html import from_text
from helpdesk.numbers import as_number
from inbox.mail_room import MailRoomClosed, NoSuchRecipient, check_recipient, deliver, insist_on_open, mailboxes
from inbox.mail_room.forms import CustomerMailForm
from inbox.mail_room.program import Enclosure, answer_subject, write
from inbox.mail_room.showing import ShownMail, name_of, people, threads
from inbox.mime.parse import ParsedMail
from inbox.models import RoomMail
from inbox.views.bodies import respond_with_mail_body
from people.access import signed_in
from people.models.contact import normalised

P = ParamSpec("P")

PARTS = ("threads", "thread")


def _in_the_room(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """For whoever sees all tickets, where there is a mail room; for others there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            insist_on_open()
        except MailRoomClosed:
            raise Http404 from None
        if request.user.is_authenticated and not request.user.sees_all_tickets:
            raise Http404
        return login_required(view)(request, *args, **kwargs)

    return guarded


@_in_the_room
@require_http_methods(["GET", "HEAD", "POST"])
def mail_room(request: HttpRequest) -> HttpResponse:
    """One customer's mails, with `thread` one of their threads, with `answers` the form to answer one of its mails."""
    customer = normalised(request.GET.get("as", ""))[:254]
    part = request.GET.get("part")
    answered = _mail(request, request.GET.get("answers", ""))
    if part in PARTS and customer:
        return _part(request, part, customer, answered)

    if request.method == "POST":
        form = CustomerMailForm(request.POST, request.FILES, mailboxes=mailboxes(), answers=answered, customer=customer)
        if form.is_valid():
            try:
                return _send(form, answered)
            except NoSuchRecipient as reason:
                form.add_error(None, _("The mail was not taken: %(reason)s.") % {"reason": reason})
    else:
        form = CustomerMailForm(
            initial=_first_words(request, customer, answered),
            mailboxes=mailboxes(),
            answers=answered,
            customer=customer,
        )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "inbox/mail_room/mail_room.html", _context(request, customer, answered, form), status=status)


@_in_the_room
@require_safe
def mail_room_body(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of a mail as a page of its own, for a frame in which nothing runs."""
    kept = get_object_or_404(RoomMail.objects.visible_to(signed_in(request)), pk=pk)
    read = kept.read()
    urls = {
        one.content_id: reverse("inbox:mail_room_attachment", args=[kept.pk, place])
        for place, one in enumerate(read.mail.attachments)
        if one.content_id
    }
    has_html = bool(read.html or read.quoted_html)
    return respond_with_mail_body(
        request,
        subject=read.mail.subject,
        html=read.html,
        text="" if has_html else read.text,
        quoted_html=read.quoted_html,
        quoted_text="" if has_html else read.quoted_text,
        urls=urls,
    )


@_in_the_room
@require_safe
def mail_room_attachment(request: HttpRequest, pk: int, place: int) -> HttpResponseBase:
    kept = get_object_or_404(RoomMail.objects.visible_to(signed_in(request)), pk=pk)
    attachments = kept.read().mail.attachments
    if place >= len(attachments):
        raise Http404
    one = attachments[place]
    response = respond_with_file(ContentFile(one.data), name=one.name, content_type=one.content_type)
    response["Cache-Control"] = "private, no-store"
    return response


def _part(request: HttpRequest, part: str, customer: str, answered: RoomMail | None) -> HttpResponse:
    """What the page asks for every few seconds: nothing (204) unless something came since."""
    context = _context(request, customer, answered, None)
    thread = context["thread"]
    newest = context["newest"] if part == "threads" else thread and thread.last.pk
    if newest is None or str(newest) == request.GET.get("known"):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, f"inbox/mail_room/_{part}.html", context)


def _context(
    request: HttpRequest, customer: str, answered: RoomMail | None, form: CustomerMailForm | None
) -> dict[str, Any]:
    found = threads(RoomMail.objects.visible_to(signed_in(request)).of(customer)) if customer else []
    wanted = request.GET.get("thread", "")
    thread = next((one for one in found if str(one.pk) == wanted), None)
    return {
        "section": "mail_room",
        "customer": customer,
        "people": people(signed_in(request)) if form else [],
        "mailboxes": mailboxes(),
        "threads": found,
        "newest": max((one.last.pk for one in found), default=0),
        "thread": thread,
        "mails": [ShownMail(mail, customer) for mail in thread.mails] if thread else [],
        "answered": answered,
        "form": form,
        "pane": "ticket" if thread or request.GET.get("new") or (form and form.errors) else "list",
    }


def _mail(request: HttpRequest, pk: str) -> RoomMail | None:
    return RoomMail.objects.visible_to(signed_in(request)).filter(pk=as_number(pk) or 0).first()


def _first_words(request: HttpRequest, customer: str, answered: RoomMail | None) -> dict[str, Any]:
    """What the form says before anybody wrote into it."""
    first: dict[str, Any] = {"name": name_of(customer, signed_in(request)), "address": customer}
    if answered:
        mail = answered.read().mail
        first |= {"subject": answer_subject(mail.subject), "to": _answer_address(mail, customer)}
    return first


def _answer_address(mail: ParsedMail, customer: str) -> str:
    """Whom a mail program would answer: whoever wrote, or the same people again after a mail of one's own."""
    if mail.from_address == customer:
        return mail.to[0][1] if mail.to else ""
    return mail.reply_to[0][1] if mail.reply_to else mail.from_address


def _send(form: CustomerMailForm, answered: RoomMail | None) -> HttpResponse:
    words = form.cleaned_data
    sender = normalised(words["address"])
    known = RoomMail.objects.with_message_id(form.message_id).first()  # the same form, sent a second time
    if known is None:
        check_recipient(words["to"], sender=sender)
        raw = write(
            sender=(words["name"], sender),
            to=(form.name_of(words["to"]), words["to"]),
            subject=words["subject"],
            text=words["text"],
            html=str(from_text(words["text"])),
            now=timezone.now(),
            answers=answered.parsed() if answered else None,
            enclosures=[
                Enclosure(file.name or "file", file.content_type or "application/octet-stream", file.read())
                for file in words["attachments"]
            ],
            message_id=form.message_id,
        )
        known = deliver(raw, sender=sender, recipients=[words["to"]]).kept
    return redirect(_address(sender, thread=known.thread_id))


def _address(customer: str, **more: Any) -> str:
    return f"{reverse('inbox:mail_room')}?{urlencode({'as': customer} | more)}"
