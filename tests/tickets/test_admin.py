import pytest

from people.models import AuditEntry, Role
from tests.factories import make_contact, make_pipeline, make_team, make_ticket, make_user
from tests.people.test_admin import change
from tickets.models import EventKind, Kind, Pipeline, Property, Share, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return make_user(Role.ADMIN, name="Boss")


@pytest.fixture
def desk(client, boss):
    client.force_login(boss)
    return client


def page_of(thing) -> str:
    return f"/admin/{thing._meta.app_label}/{thing._meta.model_name}/{thing.pk}/change/"


def listed(desk, question) -> set[Ticket]:
    return set(desk.get("/admin/tickets/ticket/", {"q": question}).context["cl"].result_list)


def test_status_owner_and_priority_change_by_the_verbs(desk, boss):
    ticket, agent = make_ticket(), make_user()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    answer = change(desk, page_of(ticket), status=closed.pk, owner=agent.pk, priority=4, name="Renamed")
    assert answer.status_code == 302, answer.context["errors"]
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.owner, ticket.priority, ticket.name) == (Kind.CLOSED, agent, 4, "Renamed")
    assert ticket.closed_at
    events = {event.kind: event.actor for event in ticket.events.all()}
    assert {EventKind.STATUS, EventKind.OWNER, EventKind.PRIORITY} <= set(events)
    assert events[EventKind.STATUS] == boss


def test_a_status_that_asks_for_more_takes_it_from_the_same_form_or_says_what_is_missing(desk):
    ticket, agent = make_ticket(), make_user()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    closed.required = ["owner"]
    closed.save()
    answer = change(desk, page_of(ticket), status=closed.pk)
    assert "“Closed” asks for more of the ticket first: Owner." in desk.get(answer["Location"]).content.decode()
    ticket.refresh_from_db()
    assert ticket.turn == Kind.NEW
    change(desk, page_of(ticket), status=closed.pk, owner=agent.pk)
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.owner) == (Kind.CLOSED, agent)


def test_a_status_of_another_pipeline_and_an_owner_who_may_not_answer_are_no_choice(desk):
    ticket = make_ticket()
    elsewhere = make_pipeline("Sales").first_status(Kind.NEW)
    for wrong in ({"status": elsewhere.pk}, {"owner": make_user("collaborator").pk}):
        assert "not one of the available choices" in change(desk, page_of(ticket), **wrong).content.decode()


def test_an_owner_who_left_does_not_keep_a_ticket_from_being_saved(desk):
    gone = make_user()
    ticket = make_ticket(owner=gone)
    gone.is_active = False
    gone.save()
    assert change(desk, page_of(ticket), name="Renamed").status_code == 302
    ticket.refresh_from_db()
    assert (ticket.name, ticket.owner) == ("Renamed", gone)


def test_tickets_are_found_by_number_name_and_contact(desk):
    ticket = make_ticket(name="Blue tent", contact=make_contact("elina@customer.example", "Elina"))
    make_ticket(name="Red boots", contact=make_contact("olu@elsewhere.example", "Olu"))
    for question in (str(ticket.number), f"#{ticket.number}", "blue", "elina@customer", "Elina"):
        assert listed(desk, question) == {ticket}, question
    assert listed(desk, "9" * 18) == set()
    assert listed(desk, "9" * 40) == set()


def test_tickets_go_to_the_trash_and_back_and_are_never_deleted(desk):
    ticket = make_ticket()
    for action, kind in (("move_to_trash", EventKind.TRASHED), ("take_out_of_trash", EventKind.RESTORED)):
        desk.post("/admin/tickets/ticket/", {"action": action, "_selected_action": [ticket.pk]})
        assert ticket.events.last().kind == kind
    assert desk.post(f"/admin/tickets/ticket/{ticket.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.get("/admin/tickets/ticket/add/").status_code == 403


def test_a_ticket_leads_to_what_belongs_to_it(desk):
    ticket = make_ticket()
    page = desk.get(page_of(ticket)).content.decode()
    for app, model in (("inbox", "conversation"), ("inbox", "message"), ("tickets", "event")):
        address = f"/admin/{app}/{model}/?ticket__number__exact={ticket.pk}"
        assert address in page
        assert desk.get(address).status_code == 200
    assert f'href="/tickets/{ticket.number}/"' in page


def test_a_share_is_with_a_user_or_a_team(desk, boss):
    ticket, user, team = make_ticket(), make_user(), make_team()
    address = "/admin/tickets/share/add/"
    both = change(desk, address, ticket=ticket.pk, user=user.pk, team=team.pk)
    assert "one of the two" in both.content.decode()
    assert "one of the two" in change(desk, address, ticket=ticket.pk).content.decode()
    assert change(desk, address, ticket=ticket.pk, team=team.pk).status_code == 302
    assert Share.objects.get().by == boss


# -- Pipelines --------------------------------------------------------------------------------------------------------


def test_tickets_follow_when_the_kind_of_their_status_is_changed(desk):
    pipeline = make_pipeline()
    ticket = make_ticket(pipeline=pipeline)
    answer = change(desk, page_of(pipeline), **{"statuses-0-kind": Kind.CLOSED.value})
    assert answer.status_code == 302, answer.context["errors"]
    ticket.refresh_from_db()
    assert ticket.turn == Kind.CLOSED
    assert ticket.closed_at
    assert AuditEntry.objects.get().what == "Pipeline Support changed"


def test_a_status_with_tickets_cannot_be_deleted_and_says_why(desk):
    pipeline = make_pipeline()
    make_ticket(pipeline=pipeline, trashed=True)
    answer = change(desk, page_of(pipeline), **{"statuses-0-DELETE": "on"})
    assert "“New” still has 1 ticket. Move it to another status first" in answer.content.decode()
    assert change(desk, page_of(pipeline), **{"statuses-1-DELETE": "on"}).status_code == 302
    assert pipeline.statuses.count() == 3


def test_a_pipeline_keeps_at_least_one_status(desk):
    pipeline = make_pipeline()
    answer = change(desk, page_of(pipeline), **{f"statuses-{number}-DELETE": "on" for number in range(4)})
    assert "needs at least one status" in answer.content.decode()
    assert pipeline.statuses.count() == 4


def test_a_pipeline_with_tickets_cannot_be_deleted_and_says_why(desk):
    used, unused = make_ticket().pipeline, make_pipeline("Unused")
    answer = desk.post(f"/admin/tickets/pipeline/{used.pk}/delete/", {"post": "yes"}, follow=True)
    assert "This pipeline still has 1 ticket" in answer.content.decode()
    desk.post(f"/admin/tickets/pipeline/{unused.pk}/delete/", {"post": "yes"})
    assert list(Pipeline.objects.all()) == [used]


def test_the_lists_cost_the_same_for_one_row_and_for_ten(desk, count_queries):
    def fill(number):
        ticket = make_ticket(owner=make_user(), pipeline=make_pipeline(f"Pipeline {number}"))
        ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=make_user(), now=ticket.opened_at)
        Share.objects.create(ticket=ticket, user=make_user(), by=make_user())

    lists = [f"/admin/tickets/{name}/" for name in ("ticket", "event", "share", "pipeline", "ticketlink")]
    fill(0)
    one = {address: count_queries(lambda: desk.get(address)) for address in lists}  # noqa: B023
    for number in range(9):
        fill(number + 1)
    assert {address: count_queries(lambda: desk.get(address)) for address in lists} == one  # noqa: B023


def test_the_page_of_a_ticket_costs_the_same_for_one_event_and_for_ten(desk, count_queries):
    ticket = make_ticket()
    one = count_queries(lambda: desk.get(page_of(ticket)))
    for _ in range(9):
        ticket.record(EventKind.OWNER, by=make_user(), now=ticket.opened_at)
    assert count_queries(lambda: desk.get(page_of(ticket))) <= one + 1


def test_a_property_is_made_with_its_options_one_a_line_and_is_in_the_audit_log(desk):
    address = "/admin/tickets/property/add/"
    given = {"name": "Root cause", "key": "root_cause", "kind": "choice", "position": "0", "help_text": ""}
    answer = desk.post(address, given | {"options": ""})
    assert "Give at least one option to choose." in answer.content.decode()
    desk.post(address, given | {"options": "Sizing\n\n  Courier \n"})
    assert Property.objects.get().options == ["Sizing", "Courier"]
    assert AuditEntry.objects.filter(what__contains="Root cause").exists()
    answer = desk.post(address, given | {"key": "owner", "options": "x"})
    assert "Choose another key." in answer.content.decode()


def test_a_property_keeps_its_kind_while_tickets_have_values(desk):
    root = Property.objects.create(key="root_cause", name="Root cause", kind="text")
    ticket = make_ticket()
    ticket.set_properties({"root_cause": "Courier"}, by=None, now=ticket.opened_at)
    given = {"name": "Cause", "key": "root_cause", "kind": "number", "position": "0", "help_text": "", "options": ""}
    answer = desk.post(f"/admin/tickets/property/{root.pk}/change/", given)
    assert "1 ticket has a value for it" in answer.content.decode()
    desk.post(f"/admin/tickets/property/{root.pk}/change/", given | {"kind": "text"})
    root.refresh_from_db()
    assert root.name == "Cause"


def test_what_a_status_asks_for_is_chosen_from_what_there_is(desk):
    Property.objects.create(key="root_cause", name="Root cause", kind="text")
    pipeline = make_pipeline()
    closed = {"statuses-3-required": ["root_cause", "owner"]}
    assert change(desk, page_of(pipeline), **closed).status_code == 302
    assert pipeline.first_status(Kind.CLOSED).required == ["root_cause", "owner"]
    answer = change(desk, page_of(pipeline), **{"statuses-3-required": ["no-such"]})
    assert "not one of the available choices" in answer.content.decode()
