"""The participant's own courses and marks."""

from django.urls import path

from clave.attendance import my_courses

urlpatterns = [
    path("mi-cuenta/cursos", my_courses.courses, name="my_courses"),
    path("mi-cuenta/cursos/avisos", my_courses.Warnings.as_view(), name="attendance_warnings"),
]
