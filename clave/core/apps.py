from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "clave.core"

    def ready(self) -> None:
        from clave.settings.guard import refuse_insecure

        refuse_insecure()
