"""Who an answer goes to: a table of cases for the one pure function, and what reads the database for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from inbox import errors
from inbox.addressing import (
    House,
    Letter,
    Person,
    check_recipients,
    default_kind,
    parse_address,
    read_addresses,
    recipients,
    recipients_for,
    senders_for,
    written,
)
from inbox.addressing.suggesting import suggested
from inbox.mime.lists import list_address
from inbox.mime.parse import parse
from inbox.models import Direction, MailKind, ReplyAddress
from people.models import Membership, Role
from tests.factories import make_contact, make_mailbox, make_message, make_team, make_ticket, make_user

REPLY, ALL, FORWARD = MailKind.REPLY, MailKind.REPLY_ALL, MailKind.FORWARD


def people(text: str) -> tuple[Person, ...]:
    return tuple(Person(entry["name"], entry["address"]) for entry in read_addresses(text))


def person(text: str) -> Person:
    return people(text)[0] if text else Person("", "")


ELINA = "Elina <elina@customer.example>"
OUR = House(
    mailboxes=frozenset({"support@desk.example", "sales@desk.example", "tuki@xn--yritys-1xa.example"}),
    colleagues=frozenset({"aino@desk.example", "maija@desk.example"}),
    writer="aino@desk.example",
    contact=person(ELINA),
)
NO_CONTACT = House(OUR.mailboxes, OUR.colleagues, OUR.writer)


def mail(sender: str = ELINA, to: str = "support@desk.example", cc: str = "", **fields: object) -> Letter:
    reply_to = people(str(fields.pop("reply_to", "")))
    return Letter(person(sender), reply_to, people(to), people(cc), **fields)  # type: ignore[arg-type]


def sent(to: str = ELINA, cc: str = "") -> Letter:
    return mail("support@desk.example", to, cc, reply_to="support@desk.example", is_ours=True)


@dataclass(frozen=True)
class Case:
    letter: Letter | None
    to: str
    cc: str = ""
    kind: MailKind = ALL
    house: House = field(default=OUR)


MANY = ", ".join(f"p{n}@many.example" for n in range(40))
CASES = {
    # One customer
    "the customer wrote to us alone": Case(mail(), "elina@customer.example"),
    "a plain reply to the same": Case(mail(), "elina@customer.example", kind=REPLY),
    "a forward begins with nobody": Case(mail(cc="olu@customer.example"), "", kind=FORWARD),
    "a forward of our own mail too": Case(sent(), "", kind=FORWARD),
    "the first mail of a ticket made by hand": Case(None, "elina@customer.example"),
    "the first mail where there is no contact": Case(None, "", house=NO_CONTACT),
    "capitals in the sender": Case(mail("ELINA@Customer.EXAMPLE"), "ELINA@Customer.EXAMPLE"),
    "blanks around the address": Case(mail(to="  support@desk.example "), "elina@customer.example"),
    # Others on the mail
    "a second person in To is kept in Cc": Case(
        mail(to="support@desk.example, olu@customer.example"), "elina@customer.example", "olu@customer.example"
    ),
    "those in Cc stay in Cc": Case(mail(cc="olu@customer.example"), "elina@customer.example", "olu@customer.example"),
    "a plain reply leaves them out": Case(mail(cc="olu@customer.example"), "elina@customer.example", kind=REPLY),
    "named in To and in Cc": Case(
        mail(to="support@desk.example, olu@x.example", cc="OLU@x.example"), "elina@customer.example", "olu@x.example"
    ),
    "the sender in Cc too": Case(mail(cc=f"{ELINA}, olu@x.example"), "elina@customer.example", "olu@x.example"),
    "one box spelled in umlauts and in punycode": Case(
        mail(cc="a@müller.example, a@xn--mller-kva.example"), "elina@customer.example", "a@müller.example"
    ),
    "a tag makes another box": Case(
        mail(cc="olu@x.example, olu+home@x.example"), "elina@customer.example", "olu@x.example olu+home@x.example"
    ),
    "forty others, where all is asked for": Case(mail(cc=MANY), "elina@customer.example", MANY.replace(",", "")),
    "undisclosed recipients": Case(mail(to="undisclosed-recipients:;"), "elina@customer.example"),
    "nobody in To at all": Case(mail(to="", cc="olu@x.example"), "elina@customer.example", "olu@x.example"),
    "what is no address is left out": Case(
        mail(cc="olu, olu@, olu@x.example"), "elina@customer.example", "olu@x.example"
    ),
    "letters before the @ that few servers take": Case(mail(cc="jörg@x.example"), "elina@customer.example"),
    # Our mailboxes
    "our mailbox in Cc": Case(mail(to="olu@x.example", cc="support@desk.example"), "elina@customer.example", "olu@x.example"),
    "several of our mailboxes": Case(
        mail(to="support@desk.example, SALES@desk.example", cc="olu@x.example"), "elina@customer.example", "olu@x.example"
    ),
    "our mailbox with a tag": Case(mail(to="support+t7.abc@desk.example"), "elina@customer.example"),
    "our mailbox with umlauts in its domain": Case(mail(to="tuki@yritysö.example"), "elina@customer.example"),
    "our mailbox in punycode": Case(mail(to="tuki@xn--yritys-1xa.example"), "elina@customer.example"),
    "another mailbox of ours wrote to this one": Case(mail("sales@desk.example"), "", house=NO_CONTACT),
    "the same, for a customer": Case(mail("sales@desk.example"), "elina@customer.example"),
    # Reply-To
    "Reply-To is answered, not From": Case(mail(reply_to="orders@shop.example"), "orders@shop.example"),
    "From is not copied then": Case(mail(reply_to="orders@shop.example", cc="olu@x.example"), "orders@shop.example", "olu@x.example"),
    "Reply-To is our own mailbox": Case(mail(reply_to="support@desk.example"), "elina@customer.example"),
    "Reply-To is our mailbox with a tag": Case(mail(reply_to="support+t5@desk.example"), "elina@customer.example"),
    "Reply-To is ours and somebody's": Case(mail(reply_to="support@desk.example, olu@x.example"), "olu@x.example"),
    "Reply-To is no address": Case(mail(reply_to="not an address"), "elina@customer.example"),
    "Reply-To names two": Case(mail(reply_to="a@x.example, b@x.example"), "a@x.example b@x.example"),
    "Reply-To says what From says": Case(mail(reply_to=ELINA), "elina@customer.example"),
    "a form of a web shop": Case(mail("no-reply@shop.example", reply_to=ELINA), "elina@customer.example"),
    "a group that writes in others' names": Case(
        mail("Elina via Support <support@desk.example>", reply_to=ELINA), "elina@customer.example"
    ),
    # No From
    "no From: the contact": Case(mail(""), "elina@customer.example"),
    "no From and no contact": Case(mail(""), "", house=NO_CONTACT),
    "no From but a Reply-To": Case(mail("", reply_to="olu@x.example"), "olu@x.example"),
    "a From that is no address": Case(mail("MAILER-DAEMON"), "elina@customer.example"),
    # Colleagues
    "the customer wrote to an agent's own address too": Case(
        mail(to="aino@desk.example", cc="support@desk.example"), "elina@customer.example"
    ),
    "the writer's address with a tag": Case(mail(cc="aino+desk@desk.example"), "elina@customer.example"),
    "a colleague on the mail stays on it": Case(mail(cc="maija@desk.example"), "elina@customer.example", "maija@desk.example"),
    "forwarded in by a colleague: to the contact, the colleague in Cc": Case(
        mail("Maija <maija@desk.example>"), "elina@customer.example", "maija@desk.example"
    ),
    "forwarded in by a colleague, plain reply": Case(mail("maija@desk.example"), "elina@customer.example", kind=REPLY),
    "forwarded in by whoever answers": Case(mail("aino@desk.example"), "elina@customer.example"),
    "a colleague asks for themselves": Case(
        mail("maija@desk.example"), "maija@desk.example", house=House(OUR.mailboxes, OUR.colleagues, OUR.writer, person("maija@desk.example"))
    ),
    "a colleague's mail with the customer in Reply-To": Case(
        mail("maija@desk.example", reply_to="olu@x.example"), "olu@x.example"
    ),
    # Our own mails
    "after our own mail: who it went to": Case(sent(), "elina@customer.example"),
    "after our own mail with Cc": Case(sent(cc="olu@x.example"), "elina@customer.example", "olu@x.example"),
    "after our own mail, plain reply": Case(sent("a@x.example, b@x.example", "c@x.example"), "a@x.example b@x.example", kind=REPLY),
    "after our own mail to our own mailbox": Case(sent("sales@desk.example"), "elina@customer.example"),
    "after our own mail to hidden ones only": Case(sent(""), "elina@customer.example"),
    # Mailing lists
    "through a list, plain reply: the author, not the list": Case(
        mail(reply_to="dev@lists.example", list_address="dev@lists.example"), "elina@customer.example", kind=REPLY
    ),
    "through a list, to all: the list too": Case(
        mail(to="dev@lists.example", reply_to="dev@lists.example", list_address="dev@lists.example"),
        "elina@customer.example", "dev@lists.example",
    ),
    "a list that writes in the author's stead": Case(
        mail("Elina via dev <dev@lists.example>", reply_to=ELINA, list_address="dev@lists.example"),
        "elina@customer.example", kind=REPLY,
    ),
    "only the list is known": Case(mail("dev@lists.example", list_address="dev@lists.example"), "elina@customer.example", kind=REPLY),
    # Third parties
    "a third party's answer goes back to them": Case(mail("fix@factory.example", third_party=True), "fix@factory.example"),
    "a third party without an address: not to the contact": Case(mail("", third_party=True), ""),
    "a third party of our own house": Case(mail("maija@desk.example", third_party=True), "maija@desk.example"),
    "whom a third party copied stays": Case(
        mail("fix@factory.example", cc="boss@factory.example", third_party=True), "fix@factory.example", "boss@factory.example"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_who_an_answer_goes_to(case: Case) -> None:
    found = recipients(case.kind, case.letter, case.house)
    assert [each.address for each in found.to] == case.to.split()
    assert [each.address for each in found.cc] == case.cc.split()


DEFAULTS = {
    "one customer": (mail(), REPLY),
    "somebody in Cc": (mail(cc="olu@x.example"), ALL),
    "somebody beside us in To": (mail(to="support@desk.example, olu@x.example"), ALL),
    "only our mailboxes beside the sender": (mail(cc="sales@desk.example"), REPLY),
    "only whoever answers": (mail(cc="aino@desk.example"), REPLY),
    "the colleague who forwarded it": (mail("maija@desk.example"), REPLY),
    "a mail sent round": (mail(cc=MANY), REPLY),
    "a mailing list": (mail(cc="olu@x.example", list_address="dev@lists.example"), REPLY),
    "a list that is our own group": (mail(cc="olu@x.example", list_address="support@desk.example"), ALL),
    "our own mail with Cc": (sent(cc="olu@x.example"), ALL),
    "no message yet": (None, REPLY),
}


@pytest.mark.parametrize("case", DEFAULTS.values(), ids=DEFAULTS.keys())
def test_a_reply_leaves_nobody_out_by_default(case: tuple[Letter | None, MailKind]) -> None:
    assert default_kind(case[0], OUR) == case[1]


def test_a_name_that_stands_anywhere_is_kept_and_whom_no_mail_reaches_is_told() -> None:
    found = recipients(
        ALL, mail("elina@customer.example", cc='olu@x.example, "Adeyemi, Olu" <olu@x.example>, jörg@x.example'), OUR
    )
    assert found.cc == (Person("Adeyemi, Olu", "olu@x.example"),)
    assert [each.address for each in found.left_out] == ["jörg@x.example"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a@x.example", ["|a@x.example"]),
        ("Olu <a@x.example>", ["Olu|a@x.example"]),
        ('"Adeyemi, Olu" <a@x.example>; b@x.example', ["Adeyemi, Olu|a@x.example", "|b@x.example"]),
        ("a@x.example,b@x.example;c@x.example\nd@x.example", [f"|{n}@x.example" for n in "abcd"]),
        ("a@x.example b@x.example", ["|a@x.example", "|b@x.example"]),
        ("mailto:a@x.example", ["|a@x.example"]),
        ("jussi@korpi, jussi", ["|jussi@korpi", "|jussi"]),
        ('5" pipe <a@x.example', ['5" pipe|a@x.example']),
        (" ,;\n ", []),
    ],
)
def test_what_people_type_and_paste(typed: str, expected: list[str]) -> None:
    found = read_addresses(typed)
    assert [f"{entry['name']}|{entry['address']}" for entry in found] == expected
    assert [read_addresses(written(entry))[0]["address"] for entry in found] == [entry["address"] for entry in found]


def test_one_address_is_taken_and_anything_else_is_refused_by_name() -> None:
    assert parse_address("Olu <olu@x.example>") == {"name": "Olu", "address": "olu@x.example"}
    for typed in ("", "olu", "olu@x.example, b@x.example", "olu@"):
        with pytest.raises(errors.NotAMailAddress):
            parse_address(typed)
    with pytest.raises(errors.LettersBeforeAt, match=r"jörg@x\.example"):
        parse_address("jörg@x.example")


def test_the_address_of_a_list_is_read_from_its_header() -> None:
    head = "From: a@x.example\r\nTo: Dev@Lists.example\r\n"
    posted = parse(f"{head}List-Post: <mailto:dev@lists.example?subject=x>\r\n\r\nHi".encode())
    named = parse(f"{head}List-Id: Developers <dev.lists.example>\r\n\r\nHi".encode())
    closed = parse(f"{head}List-Post: NO\r\nList-Id: <other.lists.example>\r\n\r\nHi".encode())
    assert [list_address(one) for one in (posted, named, closed)] == ["dev@lists.example", "Dev@Lists.example", ""]


# -- With the database ------------------------------------------------------------------------------------------------

with_database = pytest.mark.django_db


@with_database
def test_what_is_sent_is_checked_first() -> None:
    make_mailbox("support@desk.example")
    good = [{"name": "", "address": "a@x.example"}]
    double = [{"name": "A", "address": "A@x.example"}, {"name": "", "address": "b@x.example"}]
    to, cc, _bcc = check_recipients(good, double, good)
    assert [entry["address"] for entry in to + cc] == ["a@x.example", "b@x.example"]
    for address, error in [
        ("jussi@", errors.NotAMailAddress),
        ("jörg@x.example", errors.LettersBeforeAt),
        ("Support+x@desk.example", errors.OwnMailbox),
    ]:
        with pytest.raises(error):
            check_recipients(good, [], [{"name": "", "address": address}])
    many = [{"name": "", "address": f"p{n}@x.example"} for n in range(101)]
    with pytest.raises(errors.TooManyRecipients, match="101"):
        check_recipients(many, [], [])
    with pytest.raises(errors.NobodyNamed):
        check_recipients([], good, [])


@with_database
def test_a_team_may_be_kept_to_some_mailboxes_and_admins_may_use_all() -> None:
    team, other = make_team("Sales"), make_team("Support")
    agent = make_user(team=team)
    everybodys, sales, support = (
        make_mailbox(f"{name}@desk.example", name=name) for name in ("all", "sales", "support")
    )
    make_mailbox("off@desk.example", enabled=False)
    make_mailbox("mute@desk.example", smtp_host="")
    sales.senders.add(team)
    support.senders.add(other)
    assert senders_for(agent) == [everybodys, sales]
    assert senders_for(make_user(Role.ADMIN)) == [everybodys, sales, support]
    ticket = make_ticket()
    make_message(ticket, mailbox=support)
    assert recipients_for(ticket, by=agent).mailbox == support  # the customer wrote there
    assert recipients_for(ticket, by=agent, mailbox=sales).mailbox == sales
    with pytest.raises(errors.MayNotSendFrom, match=r"support@desk\.example"):
        recipients_for(make_ticket(), by=agent, mailbox=support)


@with_database
def test_what_begins_with_us_leaves_from_the_default_address_of_the_main_team() -> None:
    extra, main = make_team("Extra"), make_team("Main")
    agent = make_user(team=main)
    Membership.objects.create(user=agent, team=extra, is_main=False)
    first, second, third = (make_mailbox(f"{name}@desk.example") for name in "abc")
    ticket = make_ticket()
    assert recipients_for(ticket, by=agent).mailbox == first
    ReplyAddress.objects.create(team=extra, mailbox=third)
    assert recipients_for(ticket, by=agent).mailbox == third
    ReplyAddress.objects.create(team=main, mailbox=second)
    assert recipients_for(ticket, by=agent).mailbox == second
    make_message(ticket, mailbox=third)
    assert recipients_for(ticket, by=agent).mailbox == third
    second.enabled = False
    second.save()
    assert recipients_for(make_ticket(), by=agent).mailbox == third


@with_database
def test_a_third_party_is_answered_only_when_chosen() -> None:
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    asked = make_message(ticket)
    other = make_message(ticket, from_address="fix@factory.example", third_party=True)
    assert recipients_for(ticket).answered == asked
    assert [entry["address"] for entry in recipients_for(ticket, other).to] == ["fix@factory.example"]


@with_database
def test_a_forward_needs_something_to_forward() -> None:
    make_mailbox()
    with pytest.raises(errors.NothingToForward):
        recipients_for(make_ticket(), kind="forward")


@with_database
def test_those_on_the_ticket_are_suggested_first_then_contacts() -> None:
    make_mailbox("support@desk.example")
    make_contact("elsa@other.example", "Elsa Berg")
    ticket = make_ticket(contact=make_contact("elina@customer.example", "Elina Saarinen"))
    make_message(
        ticket, cc=[{"name": "", "address": "else@x.example"}, {"name": "", "address": "support@desk.example"}]
    )
    make_message(ticket, direction=Direction.OUT, to=[{"name": "", "address": "olu@x.example"}])
    found = [each["address"] for each in suggested("els", ticket, by=make_user(), most=8)]
    assert found == ["else@x.example", "elsa@other.example"]
    assert [each["address"] for each in suggested("", ticket, by=make_user(), most=2)] == [
        "elina@customer.example",
        "olu@x.example",
    ]
    assert suggested("support", ticket, by=make_user(), most=8) == []
