"""The WSGI application that granian serves."""

import os

from clave.settings import choose

os.environ.setdefault("DJANGO_SETTINGS_MODULE", choose(os.environ))

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
