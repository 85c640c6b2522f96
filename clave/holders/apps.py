from django.apps import AppConfig


class HoldersConfig(AppConfig):
    name = "clave.holders"
