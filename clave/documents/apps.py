from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "clave.documents"
