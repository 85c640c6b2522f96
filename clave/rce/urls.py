"""URLs of the learning platforms' protocol (docs/rce-protocol.md), production and test."""

from django.urls import path

from clave.rce import block, close_page, views

urlpatterns = [
    path("rce/Registro/IniciarSesion", views.mark, {"environment": "rce", "closing": False}, name="rce_open"),
    path("rce/Registro/CerrarSesion", views.mark, {"environment": "rce", "closing": True}, name="rce_close"),
    path("rcetest/Registro/IniciarSesion", views.mark, {"environment": "rcetest", "closing": False}),
    path("rcetest/Registro/CerrarSesion", views.mark, {"environment": "rcetest", "closing": True}),
    path("rce/solicitud/<run:pending>", views.pending_request_page, name="rce_exchange"),
    path("asistencia/bloque/<str:packed>", block.block, name="attendance_block"),
    path("asistencia/bloque/<str:packed>/marca", block.begin, name="attendance_block_begin"),
    path("asistencia/cerrar/<run:public>", close_page.CloseHere.as_view(), name="attendance_close"),
]
