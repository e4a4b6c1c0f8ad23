import pytest
from django.contrib import admin
from django.core import mail
from django.test import Client

from people.models import AuditEntry, Company, Contact, ContactAddress, Membership, Role, Team, User
from tests.factories import PASSWORD, make_contact, make_team, make_user
from tests.people.test_signing_in import is_signed_in, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return make_user(Role.ADMIN, email="boss@desk.example", name="Boss")


@pytest.fixture
def desk(client, boss):
    client.force_login(boss)
    return client


def fields_of(page) -> dict:
    """What the form on an admin page would send back unchanged."""
    context = page.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    sent = {}
    for form in forms:
        for field in form:
            value = field.value()
            if value is True:
                sent[field.html_name] = "on"
            elif value is not None and value is not False:
                sent[field.html_name] = value
    return sent


def change(desk, address, **changed):
    sent = fields_of(desk.get(address)) | changed
    return desk.post(address, {name: value for name, value in sent.items() if value is not None})


def test_a_new_user_can_sign_in_with_the_password_given(desk):
    address = "/admin/people/user/add/"
    answer = change(
        desk, address, name="Aino", email="Aino@desk.example", role="agent", new_password="a fine password 7"
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    user = User.objects.get(email="aino@desk.example")
    assert sign_in(Client(), user, "a fine password 7").status_code == 302
    entry = AuditEntry.objects.get(what__contains="Aino")
    assert entry.changes["new_password"] == "changed"
    assert entry.changes["role"] == [None, "agent"]
    assert "a fine password 7" not in str(entry.changes)


def test_a_new_user_without_a_password_is_mailed_a_link(desk, on_commit):
    with on_commit():
        change(desk, "/admin/people/user/add/", name="Aino", email="aino@desk.example", role="agent")
    assert mail.outbox[0].to == ["aino@desk.example"]
    assert not User.objects.get(email="aino@desk.example").has_usable_password()


def test_without_a_mail_server_a_new_user_needs_a_password(desk, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    answer = change(desk, "/admin/people/user/add/", name="Aino", email="aino@desk.example", role="agent")
    assert "Set a password." in answer.content.decode()


def test_a_link_can_be_mailed_again_by_a_button(desk):
    user = make_user()
    desk.post(f"/admin/people/user/{user.pk}/reset-link/")
    assert mail.outbox[0].to == [user.email]
    assert desk.get(f"/admin/people/user/{user.pk}/reset-link/").status_code == 405


def test_a_new_password_signs_them_out_and_is_never_shown(desk):
    user, theirs = make_user(), Client()
    sign_in(theirs, user)
    address = f"/admin/people/user/{user.pk}/change/"
    assert change(desk, address, new_password="a fine password 7").status_code == 302
    assert not is_signed_in(theirs)
    page = desk.get(address).content.decode()
    user.refresh_from_db()
    assert user.password not in page
    assert "a fine password 7" not in page


def test_an_admin_who_sets_their_own_password_stays_signed_in(desk, boss):
    change(desk, f"/admin/people/user/{boss.pk}/change/", new_password="a fine password 7")
    assert desk.get("/admin/").status_code == 200
    assert sign_in(Client(), boss, PASSWORD).status_code == 422


def test_a_weak_password_is_refused(desk):
    user = make_user()
    answer = change(desk, f"/admin/people/user/{user.pk}/change/", new_password="12345")
    assert "too short" in answer.content.decode()


@pytest.mark.parametrize("changed", [{"role": "agent"}, {"is_active": None}])
def test_an_admin_cannot_lock_themselves_out(desk, boss, changed):
    make_user(Role.ADMIN)
    answer = change(desk, f"/admin/people/user/{boss.pk}/change/", **changed)
    assert "lock yourself out" in answer.content.decode()
    boss.refresh_from_db()
    assert boss.is_admin


def test_a_change_of_role_is_written_to_the_audit_log(desk, boss):
    other = make_user(Role.ADMIN, name="Other")
    change(desk, f"/admin/people/user/{other.pk}/change/", role="agent")
    entry = AuditEntry.objects.get()
    assert (entry.by, entry.what, entry.changes) == (boss, "User Other changed", {"role": ["admin", "agent"]})


def test_the_last_admin_cannot_be_dismissed_by_a_form():
    from people.admin_forms import UserChangeForm

    last = make_user(Role.ADMIN)
    form = UserChangeForm(
        {"name": "Last", "email": last.email, "role": "agent", "is_active": "on", "ticket_access": "all"}, instance=last
    )
    form.by = make_user()
    assert "This is the last admin" in str(form.errors)


def test_only_a_user_who_never_signed_in_can_be_deleted(desk, boss):
    fresh, used = make_user(), make_user()
    sign_in(Client(), used)
    assert desk.post(f"/admin/people/user/{fresh.pk}/delete/", {"post": "yes"}).status_code == 302
    assert desk.post(f"/admin/people/user/{used.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.post(f"/admin/people/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    assert set(User.objects.all()) == {used, boss}


def test_a_wrong_time_zone_is_refused(desk):
    user = make_user()
    answer = change(desk, f"/admin/people/user/{user.pk}/change/", time_zone="Europe/Atlantis")
    assert answer.status_code == 200
    assert change(desk, f"/admin/people/user/{user.pk}/change/", time_zone="Europe/Helsinki").status_code == 302


def test_teams_get_members(desk):
    user, team = make_user(), make_team("Returns")
    change(
        desk, f"/admin/people/team/{team.pk}/change/",
        **{"memberships-TOTAL_FORMS": "1", "memberships-0-user": str(user.pk), "memberships-0-is_main": "on"},
    )  # fmt: skip
    assert Membership.objects.get().user == user
    assert AuditEntry.objects.get().what == "Team Returns changed"


def test_the_primary_address_of_a_contact_can_change_hands(desk):
    contact = make_contact("first@customer.example")
    second = ContactAddress.objects.create(contact=contact, address="second@customer.example")
    address = f"/admin/people/contact/{contact.pk}/change/"
    answer = change(desk, address, **{"addresses-0-is_primary": None, "addresses-1-is_primary": "on"})
    assert answer.status_code == 302
    assert ContactAddress.objects.get(is_primary=True) == second
    both = change(desk, address, **{"addresses-0-is_primary": "on", "addresses-1-is_primary": "on"})
    assert "Only one address" in both.content.decode()
    change(desk, address, **{"addresses-0-is_primary": None, "addresses-1-is_primary": None})
    assert ContactAddress.objects.get(is_primary=True).address == "first@customer.example"


def test_an_address_of_another_contact_is_refused_in_any_case(desk):
    make_contact("taken@customer.example")
    contact = make_contact("mine@customer.example")
    answer = change(
        desk, f"/admin/people/contact/{contact.pk}/change/",
        **{"addresses-TOTAL_FORMS": "2", "addresses-1-address": "Taken@Customer.example"},
    )  # fmt: skip
    assert "already exists" in answer.content.decode()


def test_domains_of_a_company_are_kept_in_lower_case(desk):
    company = Company.objects.create(name="Korpi")
    change(
        desk, f"/admin/people/company/{company.pk}/change/",
        **{"domains-TOTAL_FORMS": "1", "domains-0-domain": "Korpi.FI"},
    )  # fmt: skip
    assert company.domains.get().domain == "korpi.fi"


def test_the_audit_log_cannot_be_changed(desk):
    entry = AuditEntry.objects.create(what="Something")
    assert desk.get(f"/admin/people/auditentry/{entry.pk}/change/").status_code == 200
    assert desk.post(f"/admin/people/auditentry/{entry.pk}/change/", {"what": "Nothing"}).status_code == 403
    assert desk.get("/admin/people/auditentry/add/").status_code == 403


def test_every_list_of_the_admin_opens_and_can_be_searched(desk, settings):
    settings.HELPDESK_MAIL_ROOM = True
    for model, page in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert desk.get(address).status_code == 200, address
        if page.search_fields:
            assert desk.get(address, {"q": "#12 aino@desk.example"}).status_code == 200, address


def test_the_lists_cost_the_same_for_one_row_and_for_ten(desk, count_queries):
    def fill():
        team = make_team()
        contact = make_contact()
        Company.objects.create(name="Korpi").contacts.add(contact)
        Membership.objects.create(user=make_user(), team=team)
        AuditEntry.objects.create(by=make_user(), what="Something")

    lists = [
        f"/admin/people/{model._meta.model_name}/" for model in (User, Team, Contact, Company, AuditEntry, Membership)
    ]
    fill()
    one = {address: count_queries(lambda: desk.get(address)) for address in lists}  # noqa: B023
    for _ in range(9):
        fill()
    assert {address: count_queries(lambda: desk.get(address)) for address in lists} == one  # noqa: B023


def test_the_admin_asks_the_browser_for_no_inline_script(desk):
    import re

    user = make_user()
    for address in [
        "/admin/",
        "/admin/people/user/",
        f"/admin/people/user/{user.pk}/change/",
        "/admin/people/contact/add/",
    ]:
        answer = desk.get(address)
        page = answer.content.decode()
        assert "script-src 'self'" in answer["Content-Security-Policy"], address
        inline = [
            tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag and "application/json" not in tag
        ]
        assert not inline, address
        assert not re.search(r"\son[a-z]+=", page), address


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_dismiss_each_other_at_once_leave_one():
    from threading import Thread

    from django.db import connection

    one, other = make_user(Role.ADMIN), make_user(Role.ADMIN)
    browsers = [(Client(), one, other), (Client(), other, one)]
    for browser, who, _whom in browsers:
        browser.force_login(who)
    forms = [fields_of(browser.get(f"/admin/people/user/{whom.pk}/change/")) for browser, _who, whom in browsers]

    def dismiss(browser, whom, form):
        browser.post(f"/admin/people/user/{whom.pk}/change/", form | {"role": "agent"})
        connection.close()

    both = [
        Thread(target=dismiss, args=(browser, whom, form))
        for (browser, _who, whom), form in zip(browsers, forms, strict=True)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert User.objects.filter(role=Role.ADMIN).count() == 1
