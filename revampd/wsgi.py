"""The web application: `gunicorn revampd.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revampd.settings")

application = get_wsgi_application()
