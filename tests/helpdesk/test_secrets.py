"""`rotate_secrets`, as an administrator calls it to be rid of an old key."""

from __future__ import annotations

import io
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import make_mailbox
from tests.mail_servers import PASSWORD

pytestmark = pytest.mark.django_db


def raw_secret() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select imap_password from inbox_mailbox")
        return str(cursor.fetchone()[0])


def test_rotating_encrypts_with_the_first_key_so_that_the_old_one_can_go(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.HELPDESK_ENCRYPTION_KEYS = [old]
    box = make_mailbox(imap_password=PASSWORD)
    before = raw_secret()
    settings.HELPDESK_ENCRYPTION_KEYS = [new, old]
    out = io.StringIO()
    call_command("rotate_secrets", stdout=out)
    assert "1 secret is" in out.getvalue()
    assert raw_secret() != before
    settings.HELPDESK_ENCRYPTION_KEYS = [new]
    box.refresh_from_db()
    assert box.imap_password == PASSWORD


def test_rotating_names_what_no_key_can_read_and_does_the_others(settings: Any) -> None:
    settings.HELPDESK_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    make_mailbox("lost@desk.example", imap_password="lost")
    new, old = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.HELPDESK_ENCRYPTION_KEYS = [old]
    kept = make_mailbox("kept@desk.example", imap_password=PASSWORD)
    settings.HELPDESK_ENCRYPTION_KEYS = [new, old]
    with pytest.raises(CommandError, match="IMAP password"):
        call_command("rotate_secrets", stdout=io.StringIO())
    settings.HELPDESK_ENCRYPTION_KEYS = [new]
    kept.refresh_from_db()
    assert kept.imap_password == PASSWORD
