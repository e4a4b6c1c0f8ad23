"""What the server that took a mail says of its sender."""

import pytest

from inbox.mime.parse import parse

FAILS = "mx.desk.example; spf=fail smtp.mailfrom=evil.example; dkim=none; dmarc=fail header.from=desk.example"
PASSES = "mx.desk.example; dkim=pass; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=desk.example"
FORGED = "mx.evil.example; dmarc=pass header.from=desk.example"
EXCHANGE = "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=desk.example; dmarc=fail action=oreject;compauth=fail"


def doubtful(*results, sender="From: Aino <aino@desk.example>"):
    fields = "".join(f"Authentication-Results: {one}\r\n" for one in results)
    return parse(f"{fields}{sender}\r\nSubject: Hello\r\n\r\nHello\r\n".encode()).sender_doubtful


@pytest.mark.parametrize(
    "results",
    [
        [FAILS],
        [FAILS, FORGED],
        [FAILS, PASSES],
        ["mx.desk.example; spf=pass", FAILS, FORGED],  # one field for each method
        ["MX.desk.example (a filter) 1; DMARC/1 = Fail", FORGED],
        ['mx.desk.example;\r\n\tspf=softfail smtp.mailfrom="(x"@evil.example;\r\n\tdmarc=fail'],
        [EXCHANGE],
    ],
)
def test_what_fails_at_our_server_is_doubtful_whatever_stands_below(results):
    assert doubtful(*results)


@pytest.mark.parametrize(
    "results",
    [
        [],
        [PASSES],
        [PASSES, "lists.example.org; dmarc=fail"],  # a server on the way, or whoever wrote the mail
        ["mx.desk.example; dmarc=none"],
        ["mx.desk.example; dmarc=temperror; x-dmarc=fail"],
        ["", ";", "dmarc"],
    ],
)
def test_what_does_not_fail_there_is_as_it_says(results):
    assert not doubtful(*results)


@pytest.mark.parametrize(
    "sender",
    ["Reply-To: aino@desk.example", "Sender: aino@desk.example", "From: aino@desk.example, mallory@evil.example"],
)
def test_a_sender_that_no_server_looks_at_is_doubtful(sender):
    assert doubtful(PASSES, sender=sender)
