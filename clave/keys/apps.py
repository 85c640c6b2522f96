from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "clave.keys"
