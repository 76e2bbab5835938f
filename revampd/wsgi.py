"""The web application: `gunicorn revampd.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from revampd.kit.frames import roomy

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revampd.settings")

application = roomy(get_wsgi_application())
