from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "clave.web"

    def ready(self) -> None:
        from clave.config.settings.guard import refuse_insecure

        refuse_insecure()
