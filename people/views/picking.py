"""What <record-picker> asks: who there is, and to make somebody new. Answers are JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpdesk.templatetags.ui import avatar
from people.access import reply_required, signed_in
from people.models import Company, Contact
from people.picking import CompanyKnown, ContactKnown, PickingError, make_company, make_contact

MOST = 20


@reply_required
@require_http_methods(["GET", "HEAD", "POST"])
def contacts(request: HttpRequest) -> HttpResponse:
    """GET finds by `q`, the best first; POST makes one of `name` and `address`. 409 names the one who is there already."""
    if request.method == "POST":
        try:
            made = make_contact(name=request.POST.get("name", ""), address=request.POST.get("address", ""))
        except ContactKnown as known:
            return _refused(known, HTTPStatus.CONFLICT, known=_contact(known.contact))
        except PickingError as error:
            return _refused(error)
        return JsonResponse(_contact(made), status=HTTPStatus.CREATED)
    found = Contact.objects.visible_to(signed_in(request)).matching(request.GET.get("q", "")).for_picking()[:MOST]
    return JsonResponse({"results": [_contact(each) for each in found]})


@reply_required
@require_http_methods(["GET", "HEAD", "POST"])
def companies(request: HttpRequest) -> HttpResponse:
    """GET finds by `q`; POST makes one of `name` and `domain`. 409 names the one that is there already."""
    if request.method == "POST":
        try:
            made = make_company(name=request.POST.get("name", ""), domain=request.POST.get("domain", ""))
        except CompanyKnown as known:
            return _refused(known, HTTPStatus.CONFLICT, known=_company(known.company))
        except PickingError as error:
            return _refused(error)
        return JsonResponse(_company(made), status=HTTPStatus.CREATED)
    found = Company.objects.matching(request.GET.get("q", "")).for_picking()[:MOST]
    return JsonResponse({"results": [_company(each) for each in found]})


def _contact(contact: Contact) -> dict[str, Any]:
    company = contact.company.name if contact.company else ""
    address = contact.address
    return {
        "id": contact.pk,
        "label": str(contact),
        "address": address,
        "detail": " · ".join(filter(None, [address or _("No mail address"), company])),
        "mark": avatar(contact.name, "xs", 1),
    }


def _company(company: Company) -> dict[str, Any]:
    return {
        "id": company.pk,
        "label": company.name,
        "detail": ", ".join(each.domain for each in company.domains.all()),
        "mark": avatar(company.name, "xs", 1),
    }


def _refused(error: PickingError, status: int = HTTPStatus.UNPROCESSABLE_ENTITY, **more: Any) -> JsonResponse:
    return JsonResponse({"error": str(error), **more}, status=status)
