from django.urls import path

from tickets.views.assignment import assignment
from tickets.views.creation import creation_form
from tickets.views.priority import priority
from tickets.views.properties import ticket_property
from tickets.views.status import status
from tickets.views.statuses import pipeline_statuses

app_name = "tickets"

urlpatterns = [
    path("tickets/<int:number>/status/", status, name="status"),
    path("tickets/<int:number>/assignment/", assignment, name="assignment"),
    path("tickets/<int:number>/priority/", priority, name="priority"),
    path("tickets/<int:number>/properties/<slug:key>/", ticket_property, name="property"),
    path("pipelines/<int:pk>/statuses/", pipeline_statuses, name="pipeline_statuses"),
    path("settings/create-form/", creation_form, name="creation_form"),
]
