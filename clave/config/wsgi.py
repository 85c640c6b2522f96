"""The WSGI application that granian serves."""

import os

from clave.config.settings import choose

os.environ.setdefault("DJANGO_SETTINGS_MODULE", choose(os.environ))
os.environ.setdefault("CLAVE_ROLE", "web")  # somebody waits: settings/cluster.py bounds what a statement may take

from django.core.wsgi import get_wsgi_application


def _application() -> object:
    django = get_wsgi_application()  # first: it makes the settings ready
    from clave.web import gate, lifecycle

    gate.allow_many_files()
    return lifecycle.CloseConnections(gate.Gate(django))


application = _application()
