from django.urls import path

from clave.sandbox import views

urlpatterns = [
    path("", views.home, name="sandbox"),
    path("servicio", views.set_behaviour, name="sandbox_behaviour"),
    path("mensajes.json", views.messages_json, name="sandbox_messages"),
]
