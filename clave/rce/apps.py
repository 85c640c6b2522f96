from django.apps import AppConfig


class RceConfig(AppConfig):
    name = "clave.rce"
