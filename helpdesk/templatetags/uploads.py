from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def upload_limits() -> dict[str, int]:
    """How large one file and a whole mail may be: {"file", "file_mb", "mail"}, in bytes where not said otherwise."""
    return {
        "file": settings.HELPDESK_MAX_UPLOAD_MB * 1024 * 1024,
        "file_mb": settings.HELPDESK_MAX_UPLOAD_MB,
        "mail": settings.HELPDESK_MAX_MAIL_MB * 1024 * 1024,
    }
