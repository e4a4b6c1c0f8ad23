from django.urls import path

from people.views import picking, signing_in
from people.views.profile import profile
from people.views.theme import theme
from people.views.unsent import unsent_form

app_name = "people"

urlpatterns = [
    path("login/", signing_in.Login.as_view(), name="login"),
    path("logout/", signing_in.Logout.as_view(), name="logout"),
    path("password-reset/", signing_in.PasswordReset.as_view(), name="password_reset"),
    path("password-reset/sent/", signing_in.PasswordResetDone.as_view(), name="password_reset_done"),
    path(
        "password-reset/<str:uidb64>/<str:token>/",
        signing_in.PasswordResetConfirm.as_view(),
        name="password_reset_confirm",
    ),
    path("password-reset/complete/", signing_in.PasswordResetComplete.as_view(), name="password_reset_complete"),
    path("contacts/", picking.contacts, name="contacts"),
    path("companies/", picking.companies, name="companies"),
    path("unsent/", unsent_form, name="unsent"),
    path("profile/", profile, name="profile"),
    path("profile/theme/", theme, name="theme"),
]
