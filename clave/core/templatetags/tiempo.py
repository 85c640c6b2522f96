"""Durations in the words of the Asistencia SENCE block."""

from django import template
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def hours_minutes(seconds: int) -> str:
    """Return seconds as `2 horas y 5 minutos`; what is left of a minute is not shown."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return "{} {}".format(
        ngettext("%(n)d hora y", "%(n)d horas y", hours) % {"n": hours},
        ngettext("%(n)d minuto", "%(n)d minutos", minutes) % {"n": minutes},
    )
