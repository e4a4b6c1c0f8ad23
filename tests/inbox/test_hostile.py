"""What a signed-in person can post by hand: it neither stops the program nor does what the pages do not offer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.admin import site
from django.core.files.base import ContentFile
from django.urls import resolve
from django.utils import timezone

from helpdesk import html as safe_html
from helpdesk import live
from inbox import commenting
from inbox.commenting import Access, comment
from inbox.errors import StillAside, UploadGone
from inbox.models import Attachment, Direction, Draft, Mention, Message, MessageKind, Outgoing, OutgoingState, Upload
from inbox.replying import reply, send
from people.models import User
from tests.factories import make_contact, make_message, make_ticket, make_user
from tests.inbox.views.conftest import HTMX
from tests.signing_in import signed_in
from tickets import presence
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

CARRIER, ELINA = "help@carrier.example", "elina@customer.example"


def to(*addresses: str) -> list[Any]:
    return [{"name": "", "address": address} for address in addresses]


@pytest.fixture
def agent() -> User:
    return make_user(name="Maija Virtanen")


@pytest.fixture
def ticket() -> Ticket:
    ticket = make_ticket(contact=make_contact(ELINA))
    make_message(ticket, cc=to("boss@customer.example"))
    return ticket


@pytest.fixture(params=["our forward", "their answer"])
def aside(request: pytest.FixtureRequest, ticket: Ticket) -> Message:
    """What stands between us and the carrier, with a file."""
    if request.param == "our forward":
        fields: dict[str, Any] = {"direction": Direction.OUT, "kind": MessageKind.FORWARD, "to": to(CARRIER)}
    else:
        fields = {"third_party": True, "from_address": CARRIER}
    message = make_message(ticket, text="She is a known complainer.", **fields)
    Attachment.objects.create(
        message=message, name="claims.pdf", content_type="application/pdf", size=3, file=ContentFile(b"pdf", "c")
    )
    return message


@pytest.mark.parametrize("piece", ["<img", '<img src="', '<img src="/attachments/', "<span ", '<img alt="', "<p><img "])
def test_a_megabyte_of_anything_is_read_within_a_second(piece: str) -> None:
    author = make_user()
    written = comment(make_ticket(), by=author, text="Short.")
    much = piece * (1024 * 1024 // len(piece))
    begun = time.process_time()
    commenting.edit(written, by=author, html=f"<p>Words</p>{much}")

    assert time.process_time() - begun < 1
    written.refresh_from_db()
    assert "Words" in written.text


def test_a_key_that_is_none_is_no_image_and_a_file_that_is_gone() -> None:
    written = comment(make_ticket(), by=make_user(), html=f'<p>See</p><img src="/uploads/{"-" * 36}/">')
    assert "/uploads/" not in written.html
    with pytest.raises(UploadGone):
        comment(make_ticket(), by=make_user(), html="<p>See</p>", uploads=["-" * 36])


@pytest.mark.parametrize("reader", [ELINA, "Boss@customer.example"])
@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize("kind", ["reply", "forward"])
def test_what_was_written_aside_reaches_nobody_of_the_customer(
    agent: User, ticket: Ticket, aside: Message, kind: str, field: str, reader: str
) -> None:
    named = {"to": to(CARRIER), "cc": [], "bcc": [], field: to(reader)}
    draft = Draft(user=agent, ticket=ticket, mode="reply", kind=kind, answers=aside, text="See below.", **named)
    with pytest.raises(StillAside, match=reader):
        send(draft, by=agent, overrides=None)

    draft.quoted_html, draft.forwarded = "", []
    sent = send(draft, by=agent, overrides=None)
    assert "complainer" not in sent.quoted_text + sent.quoted_html + sent.outgoing.mime.read().decode()
    assert not sent.attachments.exists()


def test_what_was_written_aside_is_quoted_to_those_it_is_for(agent: User, ticket: Ticket, aside: Message) -> None:
    draft = Draft(user=agent, ticket=ticket, mode="reply", answers=aside, text="Thank you.", to=to(CARRIER), cc=[])
    assert "complainer" in send(draft, by=agent, overrides=None).quoted_text


@pytest.mark.parametrize(
    "html",
    [
        'data-mention="user-{pk}"',
        '<span>data-mention="user-{pk}"</span>',
        "<span title='&lt;span data-mention=\"user-{pk}\"&gt;'>x</span>",
        "<span title=' data-mention=\"user-{pk}\"'>x</span>",
        '<p data-mention="user-{pk}">x</p>',
        '<!-- <span data-mention="user-{pk}"> -->x',
    ],
)
def test_only_the_mark_of_the_editor_names_somebody(agent: User, ticket: Ticket, html: str) -> None:
    outsider = make_user(ticket_access="own", sees_unassigned=False)
    html = html.format(pk=outsider.pk)
    written = comment(ticket, by=agent, html=f"<p>Look: {html}</p>", access=Access.GIVE)

    assert not Mention.objects.exists()
    assert not Ticket.objects.visible_to(outsider).exists()
    if html.startswith("data"):
        assert html in written.text
        assert "data-mention" in safe_html.without_mentions(written.html)


def test_an_admin_sees_nobodys_unsent_files() -> None:
    assert Upload not in site._registry
    assert signed_in(make_user("admin")).get("/admin/inbox/upload/").status_code == 404


def test_only_so_many_recipients_are_kept_and_the_form_says_why(agent: User, ticket: Ticket) -> None:
    many = [", ".join(f"a{part}-{n}@x.example" for n in range(300)) for part in range(300)]
    form = {"recipients": "1", "to": many, "cc": many, "bcc": many, "text": "Hi", "draft_version": "0"}
    desk, begun = signed_in(agent), time.process_time()
    assert desk.post(f"/tickets/{ticket.number}/drafts/reply/", form).status_code == 200
    draft = Draft.objects.get()
    assert len(draft.to or []) + len(draft.cc or []) + len(draft.bcc or []) == 200
    refused = desk.post(f"/tickets/{ticket.number}/replies/", form)
    assert refused.status_code == 422
    assert "only the first 200 were kept" in refused.content.decode()
    assert len(desk.get(f"/tickets/{ticket.number}/").content) < 500_000
    assert time.process_time() - begun < 5


def test_a_draft_that_holds_too_many_recipients_already_still_makes_a_small_page(agent: User, ticket: Ticket) -> None:
    many = to(*(f"a{n}@x.example" for n in range(20_000)))
    Draft.objects.create(
        user=agent, ticket=ticket, mode="reply", text="Hi", to=many, cc=many, bcc=[], updated_at=timezone.now()
    )
    assert len(signed_in(agent).get(f"/tickets/{ticket.number}/").content) < 500_000


@pytest.mark.parametrize("state", OutgoingState.values)
def test_only_a_mail_that_did_not_arrive_is_written_anew(agent: User, ticket: Ticket, state: str) -> None:
    first = reply(ticket, by=agent, text="One.")
    Outgoing.objects.filter(message=first).update(state=state)
    signed_in(agent).post(
        f"/tickets/{ticket.number}/replies/",
        {"text": "Two.", "replaces": first.pk, "override": ["changed", "replaced"]},
    )
    second = Message.objects.get(text="Two.")
    replaced = Outgoing.objects.get(message=first).replaced_by
    assert replaced == (second if state in ("failed", "bounced", "unknown", "cancelled") else None)


def test_a_user_has_only_so_many_tabs_on_a_ticket(agent: User, ticket: Ticket) -> None:
    desk, other = signed_in(agent), make_user()
    for number in range(presence.MOST_TABS * 3):
        answer = desk.post(f"/tickets/{ticket.number}/presence/", {"state": "typing", "tab": f"t{number}"})
        assert answer.status_code in (200, 302)
    assert live.client().hlen(presence._key(ticket.pk)) == presence.MOST_TABS
    assert [one.user for one in presence.others_on(ticket.pk, other, now=timezone.now())] == [agent.pk]
    desk.post(f"/tickets/{ticket.number}/presence/", {"state": "gone", "tab": "t59"})
    assert live.client().hlen(presence._key(ticket.pk)) == presence.MOST_TABS - 1


@pytest.mark.thorough
@pytest.mark.parametrize(
    "address",
    [
        "/tickets/new/ name description contact company pipeline status priority owner team message form_key",
        "/tickets/{n}/contacts/ contact",
        "/tickets/{n}/companies/ company",
        "/tickets/{n}/drafts/reply/ draft_version begun_after answers mailbox to subject quoted_html html kind form_key",
        "/tickets/{n}/replies/ draft_version answers mailbox to subject quoted_html html status due replaces override",
        "/tickets/{n}/comments/ html draft_version form_key access",
        "/tickets/{n}/head/ to_kind to_mailbox draft_version answers to opened",
        "/tickets/{n}/status/ status",
        "/tickets/{n}/assignment/ owner team",
        "/tickets/{n}/priority/ priority",
        "/settings/create-form/ key added remove up down required save",
        "/settings/snippets/new/ name shortcut html text shared",
        "/contacts/ name address",
        "/companies/ name domain",
    ],
)
def test_no_value_of_a_form_stops_the_program(ticket: Ticket, address: str) -> None:
    path, *names = address.format(n=ticket.number).split()
    desk = signed_in(make_user("admin"))
    assert resolve(path)
    for bad in ("a\0b", "9" * 18, "9" * 30, "-1", "2147483648"):
        forms = [{name: bad} for name in names]
        for form in [*forms, dict.fromkeys(names, bad)]:
            assert desk.post(path, {"text": "Hi", "draft_version": "0", "recipients": "1", **form}).status_code < 500


@pytest.mark.thorough
@pytest.mark.parametrize(
    "address",
    [
        "/mentions/?ticket={n}&q=", "/mentions/?q=a&ticket=", "/contacts/?q=", "/companies/?q=", "/recipients/?ticket={n}&q=",
        "/recipients/?ticket=", "/snippets/?q=", "/snippets/?ticket=", "/snippets/?ticket={n}&mailbox=", "/palette/?q=",
        "/tickets/{n}/?view=", "/tickets/{n}/?answers=", "/tickets/{n}/?message=", "/tickets/{n}/replies/?kind=forward&answers=",
        "/tickets/new/?contact=", "/tickets/new/?pipeline=", "/drafts/?after=", "/?shown=", "/?after=", "/?q=",
    ],
)  # fmt: skip
def test_no_value_of_an_address_stops_the_program(ticket: Ticket, address: str) -> None:
    desk = signed_in(make_user("admin"))
    assert resolve(address.format(n=ticket.number).split("?")[0])
    for bad in ("%00", "9" * 18, "9" * 30, "-1"):
        assert desk.get(address.format(n=ticket.number) + bad).status_code < 500
        assert desk.get(address.format(n=ticket.number) + bad, headers=HTMX).status_code < 500
