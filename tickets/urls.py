from django.urls import path

from tickets.views.assignment import assignment
from tickets.views.priority import priority
from tickets.views.status import status

app_name = "tickets"

urlpatterns = [
    path("tickets/<int:number>/status/", status, name="status"),
    path("tickets/<int:number>/assignment/", assignment, name="assignment"),
    path("tickets/<int:number>/priority/", priority, name="priority"),
]
