from django.urls import path

from tickets.views.assignment import assignment
from tickets.views.creation import creation_form
from tickets.views.following import following
from tickets.views.notifications import (
    notification_count,
    notification_reading,
    notifications,
    notifications_reading,
)
from tickets.views.priority import priority
from tickets.views.properties import ticket_property
from tickets.views.status import status
from tickets.views.statuses import pipeline_statuses
from tickets.views.trash import trash

app_name = "tickets"

urlpatterns = [
    path("tickets/<int:number>/status/", status, name="status"),
    path("tickets/<int:number>/assignment/", assignment, name="assignment"),
    path("tickets/<int:number>/priority/", priority, name="priority"),
    path("tickets/<int:number>/properties/<slug:key>/", ticket_property, name="property"),
    path("tickets/<int:number>/following/", following, name="following"),
    path("tickets/<int:number>/trash/", trash, name="trash"),
    path("notifications/", notifications, name="notifications"),
    path("notifications/count/", notification_count, name="notification_count"),
    path("notifications/reading/", notifications_reading, name="notifications_reading"),
    path("notifications/<int:pk>/reading/", notification_reading, name="notification_reading"),
    path("pipelines/<int:pk>/statuses/", pipeline_statuses, name="pipeline_statuses"),
    path("settings/create-form/", creation_form, name="creation_form"),
]
