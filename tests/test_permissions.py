"""Every address x everybody. An address that is not in the table fails the test: say here who may open it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from inbox.models import Attachment, Conversation, Draft, Incoming, Message, Outgoing, OutgoingState, Upload
from library.models import Snippet
from people.models import Role, User
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tickets.models import Property

pytestmark = pytest.mark.django_db

SIGN_IN = "sign in"
OK, REFUSED, HIDDEN = "done", 403, 404

# Everybody there is. Outsiders are agents who see their own tickets only, and none of those asked for.
PEOPLE: dict[str, dict[str, Any]] = {
    "agent": {"role": Role.AGENT},
    "agent without settings": {"role": Role.AGENT, "settings_right": False},
    "collaborator": {"role": Role.COLLABORATOR},
    "collaborator who replies": {"role": Role.COLLABORATOR, "reply_right": True},
    "outsider": {"role": Role.AGENT, "ticket_access": "own", "sees_unassigned": False},
    "admin": {"role": Role.ADMIN},
}


@dataclass(frozen=True)
class Rule:
    """What comes of a request with this method. Whoever is not named gets what `else_` says."""

    method: str = "get"
    expected: dict[str, Any] = field(default_factory=dict)
    else_: Any = OK
    data: Callable[[], dict[str, Any]] = dict
    public: bool = False


OF_A_TICKET = {"outsider": HIDDEN}
BY_REPLIERS = {"outsider": HIDDEN, "collaborator": REFUSED}
ADMINS_ONLY = {"admin": OK}
DESK_SETTINGS = {"agent without settings": REFUSED, "collaborator": REFUSED, "collaborator who replies": REFUSED}

RULES: dict[str, Rule] = {
    "health": Rule(public=True),
    # Signing in
    "people:login": Rule(public=True),
    "people:logout": Rule("post", public=True),
    "people:password_reset": Rule(public=True),
    "people:password_reset_done": Rule(public=True),
    "people:password_reset_confirm": Rule(public=True),
    "people:password_reset_complete": Rule(public=True),
    "people:unsent": Rule(),
    "people:profile": Rule(),
    "inbox:sender_removal": Rule("post", else_=HIDDEN),  # everybody has their own
    "people:theme": Rule("post", data=lambda: {"theme": "dark"}),
    # Pickers of contacts and companies, for whoever may create and change tickets
    "people:contacts": Rule(expected={"collaborator": REFUSED}),
    "people:companies": Rule(expected={"collaborator": REFUSED}),
    # The workspace
    "inbox:workspace": Rule(),
    "inbox:ticket_list": Rule(),
    "inbox:ticket": Rule(expected=OF_A_TICKET),
    "inbox:thread": Rule(expected=OF_A_TICKET),
    "inbox:ticket_rows": Rule(),
    "inbox:presence": Rule("post", OF_A_TICKET, data=lambda: {"state": "viewing", "mode": "reply", "tab": "a1"}),
    "events": Rule(),
    "inbox:replies": Rule("post", BY_REPLIERS, data=lambda: {"text": "Here it is."}),
    "inbox:composer_head": Rule("post", BY_REPLIERS),
    "inbox:history": Rule(expected={**BY_REPLIERS}, else_=HIDDEN),  # without a message that is named there is none
    "inbox:recipients": Rule(expected={"collaborator": REFUSED}),
    "inbox:contact_address": Rule("post", BY_REPLIERS, data=lambda: {"contact_address": "new@customer.example"}),
    "inbox:comments": Rule("post", OF_A_TICKET, data=lambda: {"text": "Put one aside."}),
    "inbox:ticket_draft": Rule("post", BY_REPLIERS, data=lambda: {"text": "Here it"}),
    "inbox:drafts": Rule(),
    "inbox:draft_removal": Rule("post", else_=HIDDEN),  # its author's alone, admins neither
    "inbox:draft_restoration": Rule("post", else_=HIDDEN),
    "inbox:comment": Rule(expected=OF_A_TICKET, else_=REFUSED),  # only its author changes a comment
    "inbox:comment_versions": Rule(expected=OF_A_TICKET),
    "inbox:comment_deletion": Rule("post", {**OF_A_TICKET, "admin": OK}, else_=REFUSED),
    "inbox:comment_restoration": Rule("post", {**OF_A_TICKET, "admin": OK}, else_=REFUSED),
    "inbox:mentions": Rule(else_=HIDDEN),  # without a ticket in the question
    "inbox:message_body": Rule(expected=OF_A_TICKET),
    "inbox:message_original": Rule(expected=OF_A_TICKET),
    "inbox:message_source": Rule(expected=OF_A_TICKET),
    "inbox:message_files": Rule(expected=OF_A_TICKET),
    "inbox:sender_trust": Rule(
        "post", OF_A_TICKET, data=lambda: {"message": str(Message.objects.exclude(from_address="")[0].pk)}
    ),
    "inbox:attachment": Rule(expected=OF_A_TICKET),
    "inbox:attachment_preview": Rule(expected=OF_A_TICKET),
    "inbox:snippets": Rule(),
    "inbox:placeholders": Rule(),
    "inbox:uploads": Rule("post", data=lambda: {"file": SimpleUploadedFile("a.txt", b"a")}),
    "inbox:upload": Rule(else_=HIDDEN),  # only whoever put it there sees it, admins neither
    "inbox:outgoing_retry": Rule("post", BY_REPLIERS),
    "inbox:outgoing_undo": Rule("post", {"outsider": HIDDEN}, else_=REFUSED),  # its writer's alone, admins neither
    "inbox:outgoing_stop": Rule("post", BY_REPLIERS),
    "inbox:outgoing_departure": Rule("post", {"outsider": HIDDEN}, else_=REFUSED),
    "inbox:outgoing_draft": Rule("post", BY_REPLIERS),
    "inbox:message_release": Rule("post", BY_REPLIERS),
    "tickets:following": Rule("post", OF_A_TICKET),
    "tickets:notifications": Rule(),
    "tickets:notification_count": Rule(),
    "tickets:notifications_reading": Rule("post"),
    "tickets:notification_reading": Rule("post", else_=HIDDEN),  # everybody has their own, admins too
    "tickets:status": Rule("post", BY_REPLIERS, data=lambda: {"status": str(_last_status())}),
    "tickets:assignment": Rule("post", BY_REPLIERS, data=lambda: {"owner": ""}),
    "inbox:ticket_contacts": Rule("post", BY_REPLIERS),
    "inbox:ticket_companies": Rule("post", BY_REPLIERS),
    "inbox:ticket_new": Rule(expected={"collaborator": REFUSED}),
    "tickets:property": Rule("post", BY_REPLIERS, data=lambda: {"value": "Sizing"}),
    "tickets:pipeline_statuses": Rule(expected={"collaborator": REFUSED}),
    "tickets:creation_form": Rule(expected=DESK_SETTINGS),
    "tickets:trash": Rule("post", {**OF_A_TICKET, "admin": OK}, else_=REFUSED, data=lambda: {"trashed": "0"}),
    "tickets:priority": Rule("post", BY_REPLIERS, data=lambda: {"priority": "3"}),
    # Conversations without a ticket: for whoever may reply and sees what is unassigned
    "inbox:conversations": Rule(expected={"collaborator": REFUSED}),
    "inbox:conversation": Rule(expected={"outsider": HIDDEN, "collaborator": HIDDEN}),
    # The agent's turn comes first and makes the ticket, which a collaborator sees.
    "inbox:conversation_ticket": Rule("post", {"outsider": HIDDEN, "collaborator": REFUSED}),
    # Settings of the desk; servers and passwords are for admins
    "inbox:mailboxes": Rule(expected=DESK_SETTINGS),
    "inbox:mailbox_new": Rule(expected=ADMINS_ONLY, else_=REFUSED),
    "inbox:mailbox": Rule(expected=DESK_SETTINGS),
    "inbox:mailbox_test": Rule("post", ADMINS_ONLY, else_=REFUSED),
    "inbox:mailbox_fetch": Rule("post", DESK_SETTINGS),
    # Everybody has snippets of their own; those of the desk are for whoever changes settings
    "library:snippets": Rule(),
    "library:snippet_new": Rule("post", data=lambda: {"name": "Thanks", "text": "Thank you."}),
    "library:snippet": Rule(expected=DESK_SETTINGS),
    "library:snippet_deletion": Rule("post", {"agent": OK}, else_=HIDDEN),  # the agent's turn comes first
    # The mail room: embedded only, for whoever sees all tickets, since all mail goes through it
    "inbox:palette": Rule(),
    "inbox:mail_room": Rule(expected=OF_A_TICKET),
    "inbox:mail_room_body": Rule(else_=HIDDEN),
    "inbox:mail_room_attachment": Rule(else_=HIDDEN),
}


def addresses() -> dict[str, URLPattern]:
    """Every named address of the program but for the admin's, which has a rule of its own."""

    def walk(resolver: Any, namespaces: tuple[str, ...]) -> Iterator[tuple[str, URLPattern]]:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, (*namespaces, pattern.namespace) if pattern.namespace else namespaces)
            else:
                if not pattern.name and namespaces == ("admin",):
                    continue  # Django's own redirects to a page that has one
                assert pattern.name, f"{pattern.pattern} has no name"
                yield ":".join([*namespaces, pattern.name]), pattern

    return dict(walk(get_resolver(), ()))


ADDRESSES = addresses()


def parts_of(name: str) -> list[str]:
    pattern = ADDRESSES[name].pattern
    return list(getattr(pattern, "converters", None) or pattern.regex.groupindex)


OURS = [name for name in ADDRESSES if not name.startswith("admin:")]


def _last_status() -> int:
    from tickets.models import Status

    return Status.objects.order_by("-position").values_list("pk", flat=True)[0]


@pytest.fixture
def things(settings) -> dict[str, dict[str, Any]]:
    """Something behind every address, by the name of its argument; of a stranger, and seen by whoever sees all."""
    settings.HELPDESK_MAIL_ROOM = True
    now = timezone.now()
    stranger, mailbox = make_user(), make_mailbox()
    Property.objects.create(key="root_cause", name="Root cause")
    ticket = make_ticket(owner=stranger)
    raw = ContentFile(b"From: a@customer.example\r\n\r\nHello", "mail.eml")
    incoming = Incoming.objects.create(
        mailbox=mailbox, source="pipe", content_hash="1", size=1, raw=raw, received_at=now, state="done"
    )
    message = make_message(ticket, mailbox=mailbox, incoming=incoming)
    file = ContentFile(b"a", "a.txt")
    attachment = Attachment.objects.create(message=message, name="a.txt", content_type="text/plain", size=1, file=file)
    upload = Upload.objects.create(user=stranger, name="a.txt", content_type="text/plain", size=1, file=file)
    answer = make_message(ticket, direction="out", author=stranger)
    comment = make_message(ticket, direction="internal", author=stranger)
    outgoing = Outgoing.objects.create(
        message=answer, mailbox=mailbox, state=OutgoingState.FAILED, mail_id="1@desk.example",
        envelope_from=mailbox.address, due_at=now + timedelta(days=1),
    )  # fmt: skip
    draft = Draft.objects.create(user=stranger, ticket=ticket, mode="reply", text="Secret", updated_at=now)
    conversation = Conversation.objects.create(mailbox=mailbox, contact=ticket.contact, created_at=now)
    snippet = Snippet.objects.create(name="Thanks", html="<p>Thank you.</p>")
    return {
        "number": dict.fromkeys(OURS, ticket.number),
        "key": dict.fromkeys(OURS, upload.pk) | {"tickets:property": "root_cause"},
        "place": dict.fromkeys(OURS, 0),
        "mode": dict.fromkeys(OURS, "reply"),
        "uidb64": dict.fromkeys(OURS, "MQ"),
        "token": dict.fromkeys(OURS, "a-b"),
        "pk": {
            "tickets:pipeline_statuses": ticket.pipeline_id,
            "tickets:notification_reading": 1_000_000,
            "inbox:sender_removal": 1_000_000,
            "inbox:comment": comment.pk,
            "inbox:comment_versions": comment.pk,
            "inbox:comment_deletion": comment.pk,
            "inbox:comment_restoration": comment.pk,
            "inbox:message_body": message.pk,
            "inbox:message_original": message.pk,
            "inbox:message_source": message.pk,
            "inbox:message_files": message.pk,
            "inbox:attachment": attachment.pk,
            "inbox:attachment_preview": attachment.pk,
            "inbox:draft_removal": draft.pk,
            "inbox:draft_restoration": draft.pk,
            "inbox:outgoing_retry": outgoing.pk,
            "inbox:outgoing_undo": outgoing.pk,
            "inbox:outgoing_departure": outgoing.pk,
            "inbox:outgoing_stop": outgoing.pk,
            "inbox:outgoing_draft": outgoing.pk,
            "inbox:message_release": message.pk,
            "inbox:mailbox": mailbox.pk,
            "inbox:mailbox_test": mailbox.pk,
            "inbox:mailbox_fetch": mailbox.pk,
            "library:snippet": snippet.pk,
            "library:snippet_deletion": snippet.pk,
            "inbox:conversation": conversation.pk,
            "inbox:conversation_ticket": conversation.pk,
            "inbox:mail_room_body": 1,
            "inbox:mail_room_attachment": 1,
        },
    }


def address_of(name: str, things: dict[str, dict[str, Any]]) -> str:
    return reverse(name, kwargs={part: things[part][name] for part in parts_of(name)})


def ask(client: Client, name: str, things: dict[str, dict[str, Any]], rule: Rule) -> Any:
    return getattr(client, rule.method)(address_of(name, things), rule.data())


def outcome(answer: Any) -> Any:
    """What became of it: done, sent to sign in, or the number of the refusal. A form with errors was let in too."""
    if answer.status_code == 302 and answer["Location"].startswith("/login/"):
        return SIGN_IN
    if answer.status_code in (200, 201, 204, 302, 409, 422):
        return OK
    return answer.status_code


def test_every_address_is_in_the_table():
    missing = sorted(set(OURS) - set(RULES))
    assert not missing, f"say in RULES who may open {missing}"


@pytest.mark.parametrize("name", OURS)
def test_whoever_is_not_signed_in_gets_no_further(name, things, client):
    rule, switched_off = RULES[name], Client()
    user = make_user(Role.ADMIN)
    switched_off.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    for who, browser in (("a stranger", client), ("somebody who was switched off", switched_off)):
        if rule.public:
            expected = {SIGN_IN} if name == "people:logout" else {OK, 503}
            assert outcome(ask(browser, name, things, rule)) in expected, who
        else:
            for method in ("get", "post"):
                assert outcome(getattr(browser, method)(address_of(name, things))) == SIGN_IN, (who, method)


@pytest.mark.parametrize("name", [name for name in OURS if name in RULES and not RULES[name].public])
def test_everybody_gets_what_the_table_says(name, things, client):
    rule, got = RULES[name], {}
    for who, fields in PEOPLE.items():
        client.force_login(make_user(**fields))
        got[who] = outcome(ask(client, name, things, rule))
    assert got == {who: rule.expected.get(who, rule.else_) for who in PEOPLE}


@pytest.mark.parametrize("name", [name for name in OURS if name in RULES and RULES[name].method == "post"])
def test_what_changes_something_needs_our_own_form(name, things):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user(Role.ADMIN))
    assert ask(strict, name, things, RULES[name]).status_code == 403


# -- The admin --------------------------------------------------------------------------------------------------------

ADMIN = [name for name in ADDRESSES if name.startswith("admin:")]


@pytest.mark.parametrize("who", ["a stranger", "somebody who was switched off", *PEOPLE])
def test_the_admin_is_for_admins(who, client):
    if who in PEOPLE:
        client.force_login(make_user(**PEOPLE[who]))
    elif who != "a stranger":
        user = make_user(Role.ADMIN)
        client.force_login(user)
        User.objects.filter(pk=user.pk).update(is_active=False)

    for name in ADMIN:
        values = {"object_id": "1", "pk": 1, "app_label": "people", "content_type_id": 1, "url": "x/"}
        address = reverse(name, kwargs={part: values[part] for part in parts_of(name)})
        for method in ("get", "post"):
            answer = getattr(client, method)(address, follow=True)
            end = answer.redirect_chain[-1][0] if answer.redirect_chain else address
            if who == "admin":
                assert answer.status_code < 500, (name, method)
            elif who in PEOPLE:
                is_open = name in ("admin:logout", "admin:jsi18n")
                assert is_open or answer.status_code == 403, (name, method, end)
            else:
                is_open = name in ("admin:logout", "admin:jsi18n")
                assert is_open or end.startswith("/login/"), (name, method, end)
        if name == "admin:logout" and who in PEOPLE:
            client.force_login(make_user(**PEOPLE[who]))
