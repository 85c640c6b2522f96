"""Addresses of the upstream doors."""

from django.urls import path

from clave.sso.upstream import pages

urlpatterns = [
    path("ingresar/con/<slug:slug>", pages.start, name="door"),
    path("ingresar/con/<slug:slug>/respuesta", pages.answer, name="door_answer"),
    path("ingresar/con/<slug:slug>/<run:run>/vincular", pages.Link.as_view(), name="door_link"),
    path("ingresar/con/<slug:slug>/<run:run>/registrarse", pages.RegisterByDoor.as_view(), name="door_register"),
    path("mi-cuenta/puertas", pages.linked_doors, name="doors"),
    path("mi-cuenta/puertas/<slug:slug>/quitar", pages.Unlink.as_view(), name="door_unlink"),
]
