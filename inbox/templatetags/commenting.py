"""What a template asks of a comment before it prints a button: `{% if message|may_delete:request.user %}`."""

from __future__ import annotations

from django import template

from inbox import commenting

register = template.Library()
register.filter("may_edit", commenting.may_edit)
register.filter("may_delete", commenting.may_delete)
