from django.apps import AppConfig


class OtecPortalConfig(AppConfig):
    name = "clave.otec_portal"
