"""Which app answers which address. Apps are named as strings: this folder knows none of them."""

from django.contrib import admin
from django.urls import path

handler500 = "helpdesk.outages.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
]
