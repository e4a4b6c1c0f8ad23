"""Which app answers which address. Apps are named as strings: this folder knows none of them."""

from django.contrib import admin
from django.urls import include, path

from helpdesk.health import health
from helpdesk.web import no_stream

handler500 = "helpdesk.outages.server_error"

urlpatterns = [
    path("health/", health, name="health"),
    path("events/", no_stream, name="events"),
    path("admin/", admin.site.urls),
    path("", include("people.urls")),
    path("", include("tickets.urls")),
    path("", include("library.urls")),
    path("", include("inbox.urls")),
]
