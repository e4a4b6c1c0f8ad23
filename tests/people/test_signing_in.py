import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.utils import translation

from people.models import Role, User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def sign_in(client: Client, user: User | str, password: str = PASSWORD, **rest):
    email = user if isinstance(user, str) else user.email
    return client.post("/login/", {"username": email, "password": password}, **rest)


def is_signed_in(client: Client) -> bool:
    return client.get("/login/").status_code == 302  # whoever is signed in is sent on


def test_signing_in_leads_to_the_page_that_was_asked_for(client):
    user = make_user()
    answer = client.post("/login/", {"username": user.email, "password": PASSWORD, "next": "/tickets/7/"})
    assert (answer.status_code, answer["Location"]) == (302, "/tickets/7/")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_leads_to_no_other_host(client, elsewhere):
    user = make_user()
    answer = client.post("/login/", {"username": user.email, "password": PASSWORD, "next": elsewhere})
    assert answer["Location"] == "/"


def test_the_email_may_be_written_in_any_case(client):
    make_user(email="aino@desk.example")
    assert sign_in(client, " Aino@Desk.EXAMPLE ").status_code == 302


def test_the_page_names_its_fields_as_people_script_them(client):
    page = client.get("/login/").content.decode()
    for word in [">Email</label>", ">Password</label>", "Sign in</button>"]:
        assert word in page


def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(client):
    user = make_user()
    wrong = sign_in(client, user, "not this one")
    unknown = sign_in(client, "nobody@desk.example", "not this one")
    assert wrong.status_code == unknown.status_code == 422
    for answer in (wrong, unknown):
        assert "That email and password do not match." in answer.content.decode()


def test_a_deactivated_user_gets_the_same_answer_and_their_session_ends_at_once(client):
    user = make_user()
    sign_in(client, user)
    assert is_signed_in(client)
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert not is_signed_in(client)
    assert "do not match" in sign_in(client, user).content.decode()


def test_signing_out_needs_a_post(client):
    sign_in(client, make_user())
    assert client.get("/logout/").status_code == 405
    assert is_signed_in(client)
    assert client.post("/logout/")["Location"] == "/login/"
    assert not is_signed_in(client)


def test_signing_in_and_out_needs_our_own_form():
    strict = Client(enforce_csrf_checks=True)
    assert sign_in(strict, make_user()).status_code == 403
    assert strict.post("/logout/").status_code == 403


def test_a_session_from_before_signing_in_is_not_taken_over(client):
    session = client.session
    session["planted"] = "by a stranger"
    session.save()
    planted = session.session_key
    sign_in(client, make_user())
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_a_new_password_ends_all_other_sessions(client):
    user = make_user()
    sign_in(client, user)
    user.set_password("another fine password")
    user.save(update_fields=["password"])
    assert not is_signed_in(client)


def test_pages_come_in_the_language_and_time_zone_of_the_user(client):
    from django.utils import timezone

    from people.middleware import PreferencesMiddleware

    user = make_user(language="fi", time_zone="Europe/Helsinki")
    seen = []

    def page(request):
        seen.append((translation.get_language(), timezone.get_current_timezone_name()))

    request = RequestFactory().get("/")
    request.user = user
    with translation.override("en"):
        PreferencesMiddleware(page)(request)
    assert seen == [("fi", "Europe/Helsinki")]
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


def test_a_fragment_asked_for_after_signing_out_sends_the_whole_page_to_sign_in(client):
    answer = client.post(
        "/profile/theme/",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/tickets/7/?view=closed"},
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/login/?next=%2Ftickets%2F7%2F%3Fview%3Dclosed"


def test_a_form_sent_after_signing_out_leads_back_to_its_page(client):
    page = {"Referer": "http://testserver/tickets/7/?view=closed"}
    answer = client.post("/tickets/7/status/", {"status": "1"}, headers=page)
    assert answer["Location"] == "/login/?next=%2Ftickets%2F7%2F%3Fview%3Dclosed"
    assert client.post("/tickets/7/status/")["Location"] == "/login/"


@pytest.mark.parametrize(("word", "stored"), [("dark", "dark"), ("light", "light"), ("system", "")])
def test_the_theme_is_kept(client, word, stored):
    user = make_user(theme="dark" if word != "dark" else "light")
    client.force_login(user)
    answer = client.post("/profile/theme/", {"theme": word}, headers={"Referer": "http://testserver/tickets/"})
    assert answer["Location"] == "http://testserver/tickets/"
    user.refresh_from_db()
    assert user.theme == stored


def test_an_unknown_theme_is_refused_and_no_other_host_is_followed(client):
    client.force_login(make_user())
    assert client.post("/profile/theme/", {"theme": "neon"}).status_code == 400
    answer = client.post("/profile/theme/", {"theme": "dark"}, headers={"Referer": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_the_admin_is_for_admins_and_uses_our_own_sign_in(client):
    answer = client.get("/admin/people/user/")
    assert answer["Location"].startswith("/admin/login/")
    assert client.get(answer["Location"])["Location"] == "/login/?next=/admin/people/user/"
    client.force_login(make_user(Role.AGENT))
    assert client.get("/admin/people/user/", follow=True).status_code == 403
    client.force_login(make_user(Role.ADMIN))
    assert client.get("/admin/").status_code == 200


def test_a_foreign_domain_is_one_however_it_is_written(client):
    user = make_user(email="aino@Ääkkö.test")
    assert user.email == "aino@xn--kk-uiaa6g.test"
    for email in ("aino@ääkkö.test", "Aino@XN--kk-uiaa6g.test"):
        assert sign_in(client, email).status_code == 302
        client.post("/logout/")
