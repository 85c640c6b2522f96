from django.apps import AppConfig
from django.conf import settings


class SandboxConfig(AppConfig):
    name = "clave.sandbox"

    def ready(self) -> None:
        """Register the protocol inspector and the demo clock, unless performance is to be measured as in production."""
        if not settings.CLAVE_INSPECTOR:
            return
        from clave.lib import clock
        from clave.rce import observers
        from clave.sandbox import inspector

        observers.observers.append(inspector.note)
        observers.overrides.append(inspector.wished)
        clock.mover = inspector.ahead
