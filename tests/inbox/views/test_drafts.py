"""Unsent texts: kept as they are typed, found again, and seen by whoever wrote them alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from inbox import drafting
from inbox.leftovers import collect
from inbox.models import Draft, Message, Upload
from inbox.views.composing import Written
from people.models import Role, User
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    ticket = make_ticket(name="Wrong size delivered", contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=make_mailbox("support@desk.example"))
    return ticket


def attach(user: User, name: str, content_type: str = "application/pdf") -> Upload:
    file = ContentFile(b"%PDF", name)
    return Upload.objects.create(user=user, name=name, content_type=content_type, size=4, file=file)


def keep(desk: Client, ticket: Ticket, html: str = "<p>Hi Elina,</p>", mode: str = "reply", **fields: Any) -> Any:
    return desk.post(f"/tickets/{ticket.number}/drafts/{mode}/", {"html": html, "draft_version": "0", **fields})


def kept(agent: User, mode: str = "reply") -> Draft:
    return Draft.objects.get(user=agent, mode=mode, deleted_at=None)


def test_what_is_typed_stands_in_the_editor_when_the_ticket_is_opened_again(desk, ticket):
    answer = keep(desk, ticket, "<p>Good news: one is in our shop.</p>")
    assert (answer.status_code, answer.json()["version"], answer.json()["drafts"]) == (200, 1, "1")
    shown = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "&lt;p&gt;Good news: one is in our shop.&lt;/p&gt;" in shown
    assert f"Saved {answer.json()['saved']}" in desk.get("/drafts/").content.decode()


def test_everything_in_the_form_is_kept(desk, agent, ticket):
    message, mailbox = Message.objects.get(), make_mailbox("returns@desk.example")
    file, gone = attach(agent, "size-guide.pdf"), attach(make_user(), "foreign.pdf")
    fields = {
        "recipients": "1", "to": ["Elina <elina@customer.example>", "jussi@korpi"], "cc": "x@y.example", "bcc": "z@y.example",
        "subject": "Your jacket", "kind": "reply_all", "answers": message.pk, "chosen": "1", "mailbox": mailbox.pk,
        "quoted_html": "<p>Short</p>", "quotes": "1", "upload": [str(file.pk), str(gone.pk)],
    }  # fmt: skip
    assert keep(desk, ticket, **fields).status_code == 200
    draft = kept(agent)
    assert draft.to[0] == {"name": "Elina", "address": "elina@customer.example"}
    assert draft.to[1]["address"] == "jussi@korpi"  # wrong, and not lost
    assert (draft.cc[0]["address"], draft.bcc[0]["address"]) == ("x@y.example", "z@y.example")
    assert (draft.subject, draft.kind, draft.answers, draft.mailbox) == ("Your jacket", "reply_all", message, mailbox)
    assert draft.quoted_html == "<p>Short</p>"
    assert list(draft.uploads.all()) == [file]


def test_a_picture_in_the_text_is_held_by_the_draft(desk, agent, ticket):
    picture = attach(agent, "map.png")
    keep(desk, ticket, f'<p>Here: <img src="/uploads/{picture.pk}/" alt=""></p>')
    assert list(kept(agent).uploads.all()) == [picture]
    Upload.objects.update(created_at=timezone.now() - timedelta(days=20))
    collect(timezone.now())
    assert Upload.objects.filter(pk=picture.pk).exists()


def test_emptying_a_draft_removes_it(desk, agent, ticket):
    version = keep(desk, ticket).json()["version"]
    answer = keep(desk, ticket, "<p><br></p>", draft_version=version).json()
    assert (answer["version"], answer["drafts"]) == (0, "0")
    assert not Draft.objects.exists()


def test_an_empty_editor_leaves_no_draft(desk, ticket):
    assert keep(desk, ticket, "", text=" \r\n ").json()["version"] == 0
    assert not Draft.objects.exists()


def test_a_save_over_a_newer_text_is_refused_and_says_how_they_differ(desk, agent, ticket):
    first = keep(desk, ticket, "<p>We keep it until Friday for you.</p>").json()["version"]
    keep(desk, ticket, "<p>We keep it until Saturday for you.</p>", draft_version=first)
    answer = keep(desk, ticket, "<p>We keep it until Sunday for you.</p>", draft_version=first)
    newer = answer.json()["newer"]
    assert (answer.status_code, newer["version"]) == (409, 2)
    assert "Saturday" in newer["differs"]
    assert "Sunday" in newer["differs"]
    assert "Saturday" in kept(agent).html
    # “Keep mine” saves over the version it was told of.
    assert keep(desk, ticket, "<p>Sunday</p>", draft_version=newer["version"]).status_code == 200


def test_the_same_text_saved_twice_is_no_newer_one(desk, agent, ticket):
    keep(desk, ticket)
    assert keep(desk, ticket, draft_version="0").json()["version"] == 1  # its first answer was lost on the way
    assert kept(agent).version == 1


def test_what_was_sent_does_not_come_back_as_a_draft(desk, agent, ticket):
    key = str(Draft().form_key)
    keep(desk, ticket, form_key=key)
    desk.post(f"/tickets/{ticket.number}/replies/", {"html": "<p>Hi Elina,</p>", "form_key": key, "draft_version": "1"})
    assert Message.objects.filter(direction="out").count() == 1
    late = keep(desk, ticket, "<p>Hi Elina, and</p>", form_key=key, draft_version="1")
    assert late.status_code == 409
    fresh = late.json()["sent"]["form_key"]
    assert "No drafts" in desk.get("/drafts/").content.decode()
    assert keep(desk, ticket, "<p>Hi Elina, and</p>", form_key=fresh).status_code == 200


def test_a_draft_that_was_saved_while_it_was_sent_is_not_shown(desk, agent, ticket):
    draft = Draft.objects.create(
        user=agent, ticket=ticket, mode="reply", html="<p>Ghost</p>", updated_at=timezone.now()
    )
    make_message(ticket, direction="out", form_key=draft.form_key)
    assert "Ghost" not in desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Ghost" not in desk.get("/drafts/").content.decode()
    assert keep(desk, ticket, "<p>Another</p>").status_code == 200


def test_sending_an_older_text_keeps_the_newer_one(agent, ticket):
    now = timezone.now()
    newer = Draft.objects.create(user=agent, ticket=ticket, mode="reply", html="<p>B</p>", version=3, updated_at=now)
    older = Draft(user=agent, ticket=ticket, mode="reply", html="<p>A</p>", form_key=newer.form_key)
    drafting.used_up(Written(older, based_on=2))
    assert kept(agent).html == "<p>B</p>"
    assert kept(agent).form_key != newer.form_key
    drafting.used_up(Written(kept(agent), based_on=3))
    assert not Draft.objects.exists()


def test_nobody_else_meets_a_draft_an_admin_neither(desk, agent, ticket, on_commit):
    file = attach(agent, "salary.pdf")
    with on_commit():
        keep(desk, ticket, "<p>Zanzibar</p>", upload=str(file.pk))
        keep(desk, ticket, "<p>Zanzibar</p>", mode="comment")
    other = Client()
    other.force_login(make_user(Role.ADMIN))
    for address in ("/", "/drafts/", f"/tickets/{ticket.number}/", f"/tickets/{ticket.number}/thread/", "/?q=Zanzibar"):
        shown = other.get(address, follow=True).content.decode()
        assert "Zanzibar" not in shown.replace("?q=Zanzibar", "")
        assert "salary.pdf" not in shown
    assert "data-drafts>0<" in other.get("/").content.decode()
    draft = kept(agent)
    assert other.get(f"/uploads/{file.pk}/").status_code == 404
    for verb in ("removal", "restoration"):
        assert other.post(f"/drafts/{draft.pk}/{verb}/").status_code == 404
    keep(other, ticket, "<p>Mine</p>", draft_version="1", upload=str(file.pk), form_key=str(draft.form_key))
    assert "Zanzibar" in kept(agent).html
    mine = Draft.objects.exclude(user=agent).get()
    assert not mine.uploads.exists()


def test_the_admin_site_shows_no_drafts():
    assert apps.get_model("inbox", "Draft") not in admin.site._registry


def test_only_the_author_hears_of_it(desk, agent, ticket, on_commit, told_live):
    make_user(Role.ADMIN)
    with on_commit():
        answer = keep(desk, ticket)
    assert answer.json()["version"] == 1
    [said] = told_live()
    assert said["to"] == [f"user:{agent.pk}"]
    assert said["notice"] == {"kind": "draft", "ticket": ticket.pk, "mode": "reply", "version": 1, "drafts": "1"}


def test_the_drafts_view_says_what_has_changed_since(desk, agent, ticket):
    keep(desk, ticket, "<p>Hi Elina, <b>it</b> is &amp; stays</p><p>Bye</p>")
    keep(desk, ticket, "<p>Who packed it?</p>", mode="comment")
    make_message(ticket, from_name="Elina Saarinen", now=timezone.now() + timedelta(minutes=1))
    Ticket.objects.update(owner=make_user(name="Jussi Koskela"))
    shown = desk.get("/drafts/").content.decode()
    assert "Hi Elina, it is &amp; stays Bye" in shown
    assert "Elina Saarinen wrote again at" in shown
    assert "Ticket belongs to Jussi Koskela" in shown
    assert f"/tickets/{ticket.number}/?write=comment" in shown
    opened = desk.get(f"/tickets/{ticket.number}/?write=comment").content.decode()
    assert 'class="composer" data-mode="comment"' in opened


def test_a_discarded_draft_can_be_taken_back(desk, agent, ticket):
    keep(desk, ticket, "<p>Almost done</p>")
    draft = kept(agent)
    gone = desk.post(f"/drafts/{draft.pk}/removal/", headers={"HX-Request": "true"}).content.decode()
    assert f"/drafts/{draft.pk}/restoration/" in gone
    assert "No drafts" in desk.get("/drafts/").content.decode()
    assert "Almost" not in desk.get(f"/tickets/{ticket.number}/").content.decode()
    back = desk.post(f"/drafts/{draft.pk}/restoration/", headers={"HX-Request": "true"}).content.decode()
    assert "Almost done" in back


def test_without_scripts_a_discarded_draft_is_offered_back(desk, agent, ticket):
    keep(desk, ticket)
    draft = kept(agent)
    shown = desk.post(f"/drafts/{draft.pk}/removal/", follow=True).content.decode()
    assert "Draft discarded: Wrong size delivered" in shown
    desk.post(f"/drafts/{draft.pk}/restoration/")
    assert kept(agent) == draft


def test_a_draft_does_not_come_back_over_another_one(desk, agent, ticket):
    keep(desk, ticket, "<p>First</p>")
    first = kept(agent)
    desk.post(f"/drafts/{first.pk}/removal/")
    keep(desk, ticket, "<p>Second</p>")
    shown = desk.post(f"/drafts/{first.pk}/restoration/", follow=True).content.decode()
    assert "begun another text" in shown
    assert kept(agent).html == "<p>Second</p>"


def test_a_discarded_draft_goes_for_good_after_a_month(desk, agent, ticket):
    now = timezone.now()
    keep(desk, ticket)
    drafting.discard(kept(agent), now)
    collect(now + timedelta(days=29))
    assert Draft.objects.count() == 1
    collect(now + timedelta(days=31))
    assert Draft.objects.count() == 0


def test_a_draft_on_a_ticket_out_of_sight_is_hidden_and_not_lost(client):
    agent = make_user(ticket_access="own", sees_unassigned=False)
    client.force_login(agent)
    ticket = make_ticket(owner=agent)
    make_message(ticket)
    keep(client, ticket, "<p>Half a sentence</p>")
    Ticket.objects.update(owner=None)
    assert "Half a sentence" not in client.get("/drafts/").content.decode()
    assert keep(client, ticket, "<p>More</p>", draft_version="1").status_code == 404
    Ticket.objects.update(owner=agent)
    assert "Half a sentence" in client.get("/drafts/").content.decode()


def test_a_collaborator_keeps_comments_and_no_replies(client, ticket):
    client.force_login(make_user(Role.COLLABORATOR))
    assert keep(client, ticket, mode="comment").status_code == 200
    assert keep(client, ticket).status_code == 403
    assert keep(client, ticket, mode="anything").status_code == 404
    assert "Hi Elina" in client.get("/drafts/").content.decode()


def test_the_editor_of_another_window_is_fetched_alone(desk, ticket):
    keep(desk, ticket, "<p>From the phone</p>")
    shown = desk.get(f"/tickets/{ticket.number}/drafts/reply/", headers={"HX-Request": "true"}).content.decode()
    assert shown.lstrip().startswith("<draft-saver")
    assert "From the phone" in shown
    assert desk.get(f"/tickets/{ticket.number}/drafts/reply/").status_code == 302


def test_more_drafts_come_by_the_page_at_the_same_cost(desk, agent, ticket, count_queries):
    now = timezone.now()
    keep(desk, ticket)
    one = count_queries(lambda: desk.get("/drafts/"))
    for number in range(60):
        other = make_ticket(name=f"Ticket {number}", owner=make_user(), pipeline=ticket.pipeline)
        Draft.objects.create(
            user=agent, ticket=other, mode="reply", html="<p>x</p>", updated_at=now - timedelta(hours=number)
        )
    assert count_queries(lambda: desk.get("/drafts/")) == one
    first = desk.get("/drafts/").content.decode()
    assert first.count('<li class="draft"') == 50
    after = first.split("?after=")[1].split('"')[0]
    rest = desk.get(f"/drafts/?after={after}", headers={"HX-Request": "true"}).content.decode()
    assert rest.count('<li class="draft"') == 11
    assert "nextpage" not in rest


def test_a_message_becomes_a_draft_again(agent, ticket):
    from inbox.replying import reply

    picture, file = attach(agent, "map.png", "image/png"), attach(agent, "guide.pdf")
    html = f'<p>Here is the map <img src="/uploads/{picture.pk}/" alt=""></p>'
    message = reply(ticket, by=agent, html=html, uploads=[file])
    draft = drafting.from_message(message, by=agent, now=timezone.now())
    names = sorted(draft.uploads.values_list("name", flat=True))
    assert names == ["guide.pdf", "map.png"]
    shown = draft.uploads.get(name="map.png")
    assert f'src="/uploads/{shown.pk}/"' in draft.html
    assert draft.to == message.to
    assert draft.quoted_html is None  # the usual one
    assert draft.answers is None  # the newest, as it was
    assert draft.form_key != message.form_key


def test_a_message_does_not_come_back_into_what_was_begun_meanwhile(desk, agent, ticket):
    from inbox.errors import AnotherBegun
    from inbox.replying import reply

    message = reply(ticket, by=agent, html="<p>First</p>")
    keep(desk, ticket, "<p>Second</p>")
    with pytest.raises(AnotherBegun):
        drafting.from_message(message, by=agent, now=timezone.now())
    assert Draft.objects.get().html == "<p>Second</p>"
