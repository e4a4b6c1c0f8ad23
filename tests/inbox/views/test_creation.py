"""Creating a ticket by hand (SPEC S-07 to S-14)."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from inbox.models import Message
from people.models import AuditEntry, Company, Contact
from tests.factories import make_contact, make_mailbox, make_pipeline, make_ticket, make_user
from tests.tickets.test_properties import make_property
from tickets.models import CreationField, EventKind, Kind, Priority, Source, Ticket

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def aino(client):
    user = make_user(name="Aino Virtanen")
    client.force_login(user)
    return user


@pytest.fixture
def desk(client, aino):
    return client


def fields(**more):
    pipeline = more.pop("pipeline", None) or make_pipeline()
    given = {
        "name": "Backpack fitting by phone",
        "pipeline": pipeline.pk,
        "status": pipeline.first_status(Kind.NEW).pk,
        "priority": Priority.NORMAL.value,
        "form_key": str(uuid.uuid4()),
    }
    return given | more


def test_s07_the_button_stands_under_the_views_and_its_panel_leaves_the_workspace_as_it_is(desk):
    make_pipeline()
    home = desk.get("/").content.decode()
    assert 'href="/tickets/new/?view=all-open"' in home
    assert 'data-shortcut="t"' in home
    panel = desk.get("/tickets/new/", **HTMX)
    html = panel.content.decode()
    assert "<html" not in html
    assert '<dialog class="panel" open' in html
    assert "Ticket name" in html
    assert "<html" in desk.get("/tickets/new/").content.decode()


def test_s08_only_name_pipeline_and_status_are_required(desk):
    pipeline = make_pipeline()
    answer = desk.post("/tickets/new/", {}, **HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Write a ticket name" in html
    for said in ("Choose an owner", "Choose a contact", "Choose a company"):
        assert said not in html
    status = pipeline.first_status(Kind.NEW)
    desk.post("/tickets/new/", {"name": "Tent pole", "pipeline": pipeline.pk, "status": status.pk})
    ticket = Ticket.objects.get()
    assert (ticket.name, ticket.status, ticket.source, ticket.priority) == (
        "Tent pole",
        status,
        Source.MANUAL,
        Priority.NORMAL,
    )


def test_s09_the_statuses_are_those_of_the_pipeline_and_begin_with_its_first_open_one(desk):
    make_pipeline("Support")
    warranty = make_pipeline("Warranty")
    warranty.statuses.filter(kind=Kind.NEW).update(name="Claimed")
    html = desk.get(f"/pipelines/{warranty.pk}/statuses/").content.decode()
    assert f'<option value="{warranty.first_status(Kind.NEW).pk}" selected>Claimed</option>' in html
    assert html.count("<option") == 4
    warranty.statuses.filter(kind__in=[Kind.NEW]).delete()
    html = desk.get(f"/pipelines/{warranty.pk}/statuses/").content.decode()
    assert "selected>Waiting on us</option>" in html


def test_s09_a_status_of_another_pipeline_posted_by_hand_is_refused(desk):
    other = make_pipeline("Warranty")
    answer = desk.post("/tickets/new/", fields(status=other.first_status(Kind.NEW).pk), **HTMX)
    assert answer.status_code == 422
    assert "That is not a status of this pipeline." in answer.content.decode()
    assert "Backpack fitting by phone" in answer.content.decode(), "nothing typed is lost"
    assert not Ticket.objects.exists()


def test_a_refused_form_makes_nobody_and_keeps_who_was_typed(desk):
    make_pipeline()
    answer = desk.post("/tickets/new/", fields(name="", contact="Niamh <niamh@galway.example>"), **HTMX)
    assert answer.status_code == 422
    assert 'value="Niamh &lt;niamh@galway.example&gt;"' in answer.content.decode()
    assert not Contact.objects.exists()
    assert not Company.objects.exists()
    desk.post("/tickets/new/", fields(contact="Niamh <Niamh@Galway.example>"))
    assert (Ticket.objects.get().contact.name, Contact.objects.get().address) == ("Niamh", "niamh@galway.example")


def test_somebody_new_typed_twice_is_one_contact(desk):
    make_pipeline()
    elina = make_contact("elina@customer.example")
    typed = ["niamh@galway.example", "Niamh <NIAMH@galway.example>", "elina@customer.example", str(elina.pk)]
    desk.post("/tickets/new/", fields(contact=typed))
    ticket = Ticket.objects.get()
    assert (ticket.contact.address, list(ticket.other_contacts.all())) == ("niamh@galway.example", [elina])
    assert Contact.objects.count() == 2


def test_whoever_is_made_with_a_ticket_that_fails_is_not_there_either(desk):
    make_pipeline()  # and no mailbox to send the message from
    answer = desk.post("/tickets/new/", fields(contact="niamh@galway.example", message="Hello Niamh"), **HTMX)
    assert answer.status_code == 422
    assert not Contact.objects.exists()


def test_s10_the_link_to_edit_the_form_is_for_whoever_may_change_settings(desk, client):
    make_pipeline()
    assert "Edit this form" in desk.get("/tickets/new/", **HTMX).content.decode()
    client.force_login(make_user(settings_right=False))
    assert "Edit this form" not in client.get("/tickets/new/", **HTMX).content.decode()
    assert client.post("/settings/create-form/", {"key": ["name"], "save": "1"}).status_code == 403


def test_s10_the_form_is_arranged_and_obeyed(desk, aino):
    make_pipeline(), make_property(name="Root cause")
    address = "/settings/create-form/"
    assert "Refund" not in desk.get(address).content.decode()
    keys = ["root_cause", "name", "pipeline", "status", "owner", "priority"]
    shown = desk.post(address, {"key": keys, "required": ["root_cause"], "up": "owner"}, **HTMX)
    assert not CreationField.objects.exists(), "shown, not kept"
    assert shown.content.decode().index('id="row-owner"') < shown.content.decode().index('id="row-status"')

    desk.post(address, {"key": keys, "required": ["root_cause", "owner"], "remove": "owner", "save": "1"})
    assert list(CreationField.objects.values_list("key", "is_required")) == [
        ("root_cause", True),
        ("name", True),
        ("pipeline", True),
        ("status", True),
        ("priority", False),
    ]
    entry = AuditEntry.objects.get()
    assert (entry.by, entry.changes["fields"][1][0]) == (aino, "root_cause (required)")

    html = desk.get("/tickets/new/", **HTMX).content.decode()
    assert html.index("Root cause") < html.index("Ticket name")
    assert "record-picker" not in html
    answer = desk.post("/tickets/new/", fields(), **HTMX)
    assert (answer.status_code, Ticket.objects.count()) == (422, 0)
    assert "Choose a value for “Root cause”." in answer.content.decode()
    desk.post("/tickets/new/", fields(root_cause="Courier"))
    assert Ticket.objects.get().properties == {"root_cause": "Courier"}


def test_s10_name_pipeline_and_status_cannot_be_taken_off_the_form(desk):
    make_pipeline()
    desk.post("/settings/create-form/", {"key": ["owner", "name", "no-such"], "remove": "name", "save": "1"})
    assert set(CreationField.objects.values_list("key", flat=True)) == {"owner", "name", "pipeline", "status"}


def test_s10_a_status_that_asks_for_more_asks_here_too(desk):
    make_property(name="Root cause")
    pipeline = make_pipeline()
    closed = pipeline.first_status(Kind.CLOSED)
    closed.required = ["root_cause"]
    closed.save()
    answer = desk.post("/tickets/new/", fields(status=closed.pk), **HTMX)
    assert answer.status_code == 422
    assert "Choose a value for “Root cause”." in answer.content.decode()
    desk.post("/tickets/new/", fields(status=closed.pk, root_cause="Sizing"))
    assert Ticket.objects.get().closed_at


def test_s11_contacts_and_companies_are_none_one_or_many_and_the_first_is_primary(desk):
    elina, olu = make_contact("elina@halla.example"), make_contact("olu@club.example", "Olu Adeyemi")
    kallio = Company.objects.create(name="Kallio Climbing ry")
    desk.post("/tickets/new/", fields(contact=[olu.pk, elina.pk, ""], company=[kallio.pk, elina.company.pk]))
    ticket = Ticket.objects.get()
    assert (ticket.contact, list(ticket.other_contacts.all())) == (olu, [elina])
    assert (ticket.company, list(ticket.other_companies.all())) == (kallio, [elina.company])
    desk.post("/tickets/new/", fields(contact=["Niamh <niamh@galway.example>"]))
    assert Ticket.objects.latest("pk").contact == Contact.objects.get(addresses__address="niamh@galway.example")
    answer = desk.post("/tickets/new/", fields(contact=["Nobody Known"]), **HTMX)
    assert answer.status_code == 422
    assert "Nobody is called “Nobody Known” here." in answer.content.decode()


def test_s11a_earlier_activities_are_linked_under_the_access_of_whoever_looks(desk, client, aino):
    elina, now = make_contact(), timezone.now()
    recent = make_ticket(contact=elina, name="Care of merino", now=now - timedelta(days=10))
    make_ticket(contact=elina, name="Long ago", now=now - timedelta(days=400))
    hidden = make_ticket(contact=elina, name="Somebody else's", owner=make_user(), now=now - timedelta(days=5))
    given = fields(contact=[elina.pk], earlier="on", period="90")
    answer = desk.post("/tickets/new/", given, follow=True)
    ticket = Ticket.objects.latest("pk")
    assert set(ticket.links.values_list("other", flat=True)) == {recent.pk, hidden.pk}
    html = answer.content.decode()
    assert "Care of merino" in html[html.index("2 earlier activities") :]
    narrow = make_user(ticket_access="own")
    Ticket.objects.filter(pk__in=[ticket.pk, recent.pk]).update(owner=narrow)
    client.force_login(narrow)
    html = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Care of merino" in html
    assert "Somebody else" not in html


def test_s12_a_ticket_made_by_hand_has_no_conversation_contact_or_not(desk):
    desk.post("/tickets/new/", fields(contact=[make_contact().pk], description="She rang at noon."))
    ticket = Ticket.objects.get()
    assert not ticket.conversations.exists()
    comment = Message.objects.get()
    assert (comment.is_internal, comment.text) == (True, "She rang at noon.")
    assert ticket.contact is not None


def test_a_first_message_is_sent_as_a_reply_and_makes_the_conversation(desk, aino):
    make_mailbox()
    desk.post("/tickets/new/", fields(contact=[make_contact("laura@gmail.example").pk], message="Come by on Friday."))
    ticket = Ticket.objects.get()
    message = ticket.messages.get()
    assert (message.text, message.to[0]["address"]) == ("Come by on Friday.", "laura@gmail.example")
    assert ticket.conversations.count() == 1
    assert message.outgoing is not None


def test_a_first_message_has_its_looks_and_can_be_taken_back_while_the_ticket_stays(desk, aino):
    make_mailbox()
    aino.undo_seconds = 10
    aino.save()
    looks = "<p>Come by on <b>Friday</b>.</p><script>alert(1)</script>"
    person = make_contact("laura@gmail.example", "Laura Niemi")
    answer = desk.post("/tickets/new/", fields(contact=[person.pk], message_html=looks), **HTMX)
    ticket = Ticket.objects.get()
    message = ticket.messages.get()
    assert "<b>Friday</b>" in message.html
    assert "script" not in message.html
    assert message.text == "Come by on Friday."
    undo = f"/outgoing/{message.outgoing.pk}/undo/"
    assert undo in answer.content.decode()
    assert "Sending to Laura Niemi" in answer.content.decode()
    back = desk.post(undo, **HTMX)
    assert "Not sent. The ticket stays" in back["HX-Trigger"]
    assert "Come by on <b>Friday</b>" in unescape(back.content.decode())
    assert (Ticket.objects.count(), Message.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hello {{ contact.first_name }}", "would go out just as it stands here"),
        ("The label is attached.", "no file is attached"),
    ],
)
def test_a_first_message_that_looks_wrong_makes_nothing_until_it_is_insisted_on(desk, written, said):
    make_mailbox()
    form = fields(contact=[make_contact().pk], message_html=f"<p>{written}</p>")
    answer = desk.post("/tickets/new/", form, **HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert said in html
    assert "Create and send anyway" in html
    assert written in unescape(html)
    assert not Ticket.objects.exists()

    anyway = re.search(r'name="anyway" value="([^"]+)"', html)
    desk.post("/tickets/new/", {**form, "anyway": unescape(anyway[1])}, **HTMX)
    ticket = Ticket.objects.get()
    assert ticket.messages.get().text == written
    assert ticket.events.filter(kind=EventKind.SENT_ANYWAY).count() == 1


def test_insisting_on_one_mistake_is_not_insisting_on_another(desk):
    make_mailbox()
    form = fields(contact=[make_contact().pk], message="XXX is attached.")
    answer = desk.post("/tickets/new/", {**form, "anyway": "override=placeholder"}, **HTMX)
    assert answer.status_code == 422
    assert "no file is attached" in answer.content.decode()
    assert not Ticket.objects.exists()


def test_who_insists_on_a_first_message_and_wants_another_form_gets_it(desk):
    make_mailbox()
    form = fields(contact=[make_contact().pk], message="It is attached.")
    html = desk.post("/tickets/new/", {**form, "another": "1"}, **HTMX).content.decode()
    anyway = unescape(re.search(r'name="anyway" value="([^"]+)"', html)[1])
    again = desk.post("/tickets/new/", {**form, "anyway": anyway}, **HTMX)
    assert Message.objects.get().text == "It is attached."
    assert 'id="new-ticket"' in again.content.decode()


def test_looks_without_a_contact_are_told_and_kept(desk):
    answer = desk.post("/tickets/new/", fields(message_html="<p><i>Come by</i></p>"), **HTMX)
    assert "Add a contact to write to" in answer.content.decode()
    assert "<p><i>Come by</i></p>" in unescape(answer.content.decode())
    answer = desk.post("/tickets/new/", fields(message_html="<p><br></p>"), **HTMX)
    assert Ticket.objects.count() == 1


def test_the_form_says_from_which_address_the_first_message_goes(desk):
    make_mailbox("support@desk.example")
    page = desk.get("/tickets/new/", **HTMX).content.decode()
    assert "From support@desk.example" in page


def test_the_contact_of_the_open_ticket_is_offered_and_not_set(desk, client):
    ticket = make_ticket(contact=make_contact("anna@customer.example", "Anna Virtanen"))
    page = desk.get(f"/tickets/new/?open={ticket.number}", **HTMX).content.decode()
    assert "For Anna Virtanen" in page
    assert f'name="contact" value="{ticket.contact_id}"' not in page
    assert (
        f'name="contact" value="{ticket.contact_id}"'
        in desk.get(f"/tickets/new/?contact={ticket.contact_id}", **HTMX).content.decode()
    )
    again = desk.post("/tickets/new/", {"name": "", "offered": ticket.contact_id}, **HTMX).content.decode()
    assert "For Anna Virtanen" in again
    assert "record-offer" not in desk.get("/tickets/new/?open=0", **HTMX).content.decode()
    client.force_login(make_user(ticket_access="own", sees_unassigned=False))
    assert "Anna" not in client.get(f"/tickets/new/?open={ticket.number}", **HTMX).content.decode()


def test_a_first_message_that_cannot_be_sent_makes_nothing_and_keeps_what_was_typed(desk):
    make_mailbox()
    silent = Contact.objects.create(name="Laura Niemi")
    answer = desk.post("/tickets/new/", fields(contact=[silent.pk], message="Come by on Friday."), **HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Laura Niemi has no mail address." in html
    assert "Come by on Friday." in html
    answer = desk.post("/tickets/new/", fields(message="Come by on Friday."), **HTMX)
    assert "Add a contact to write to" in answer.content.decode()
    assert not Ticket.objects.exists()


def test_the_same_form_sent_twice_makes_one_ticket(desk):
    given = fields(description="Once.")
    first = desk.post("/tickets/new/", given)
    assert first["Location"] == desk.post("/tickets/new/", given)["Location"]
    assert (Ticket.objects.count(), Message.objects.count()) == (1, 1)


def test_the_made_ticket_opens_beside_the_list_and_the_panel_goes(desk):
    answer = desk.post("/tickets/new/?view=my-open", fields(), **HTMX)
    ticket = Ticket.objects.get()
    html = answer.content.decode()
    assert answer["HX-Retarget"] == "#ticket"
    assert answer["HX-Push-Url"] == f"/tickets/{ticket.number}/?view=my-open"
    assert 'id="panel" hx-swap-oob' in html
    assert f"Ticket #{ticket.number} is made." in answer["HX-Trigger"]


def test_create_and_add_another_shows_the_form_again_with_what_a_row_of_them_shares(desk, aino):
    warranty = make_pipeline("Warranty")
    given = fields(pipeline=warranty, owner=aino.pk, contact=[make_contact().pk], another="1")
    html = desk.post("/tickets/new/", given, **HTMX).content.decode()
    assert Ticket.objects.count() == 1
    assert f'<option value="{warranty.pk}" selected>' in html
    assert f'<option value="{aino.pk}" selected>' in html
    assert "Backpack fitting" not in html
    assert given["form_key"] not in html
    assert "Elina" not in html


def test_one_who_does_not_see_what_they_made_is_told_so_and_not_sent_into_the_dark(desk, client):
    user = make_user(ticket_access="team", sees_unassigned=False)
    client.force_login(user)
    answer = client.post("/tickets/new/", fields(), follow=True)
    assert answer.status_code == 200
    assert "is made." in answer.content.decode()
    assert client.post("/tickets/new/", fields(), **HTMX).status_code == 200


def test_the_form_costs_the_same_for_one_contact_and_for_ten(desk, count_queries):
    make_pipeline()
    desk.get("/tickets/new/", **HTMX)
    one = count_queries(lambda: desk.get("/tickets/new/", **HTMX))
    for _ in range(9):
        make_contact()
    assert count_queries(lambda: desk.get("/tickets/new/", **HTMX)) == one
