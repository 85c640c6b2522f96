"""The participant's own courses and marks."""

from django.urls import path

from clave.attendance import pages

urlpatterns = [
    path("mi-cuenta/cursos", pages.courses, name="my_courses"),
    path("mi-cuenta/cursos/avisos", pages.Warnings.as_view(), name="attendance_warnings"),
]
