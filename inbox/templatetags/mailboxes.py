"""What every page tells of the mailboxes."""

from django import template

from inbox.models import Mailbox

register = template.Library()


@register.simple_tag
def mailbox_is_in_error() -> bool:
    """Whether any is meant to work and does not."""
    return Mailbox.objects.in_error().exists()
