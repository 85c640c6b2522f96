"""The WSGI application served by granian."""

import os
from wsgiref.types import WSGIApplication

from clave.config.settings import choose

os.environ.setdefault("DJANGO_SETTINGS_MODULE", choose(os.environ))
os.environ.setdefault("CLAVE_ROLE", "web")  # users wait for the response: settings/cluster.py bounds statements

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver


def _application() -> WSGIApplication:
    django = get_wsgi_application()  # must come first: it initialises the settings
    from clave.web import gate, lifecycle

    get_resolver().url_patterns  # noqa: B018 - load all code before this process reports to the launcher that it is ready

    gate.allow_many_files()
    return lifecycle.CloseConnections(gate.Gate(django))


application = _application()
