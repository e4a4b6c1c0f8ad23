"""The pages, as any WSGI server takes them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
os.environ.setdefault("HELPDESK_DATABASE_POOL", "8")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
