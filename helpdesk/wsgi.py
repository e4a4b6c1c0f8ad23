"""The pages, as any WSGI server takes them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
# Eight threads for pages, two for /health/ and two for streams, see asgi.py.
os.environ.setdefault("HELPDESK_DATABASE_POOL", "12")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
