from __future__ import annotations

import logging
from smtplib import SMTPException

from celery import shared_task
from django.core.cache import cache

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINKS = 60


@shared_task(autoretry_for=(SMTPException, OSError), retry_backoff=5, retry_backoff_max=300, max_retries=6)
def send_reset_link(email: str) -> None:
    """Mail a reset link, if somebody with this address may sign in. At most one a minute for one person.

    The page that queues it does not look the address up, so it answers strangers and colleagues alike, and as fast.
    """
    from people import resetting
    from people.models import User
    from people.models.contact import normalised

    user = User.objects.active().filter(email=normalised(email)).first()
    if user is None:
        logger.info("A reset link was asked for an address that nobody signs in with")
        return
    once = f"people:reset-link:{user.pk}"
    if not cache.add(once, True, SECONDS_BETWEEN_LINKS):
        return
    try:
        resetting.send_link(user)
    except Exception:
        cache.delete(once)  # or the retry would take the failed try for a sent link
        raise
    logger.info("Reset link sent to user %d", user.pk)
