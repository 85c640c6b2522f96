"""Durations in the wording of the Asistencia SENCE block."""

from django import template
from django.utils.translation import gettext, ngettext

register = template.Library()


@register.filter
def hours_minutes(seconds: int) -> str:
    """Return seconds as `2 horas y 5 minutos`, rounded down to the minute."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return "{} {}".format(
        ngettext("%(n)d hora y", "%(n)d horas y", hours) % {"n": hours},
        ngettext("%(n)d minuto", "%(n)d minutos", minutes) % {"n": minutes},
    )


@register.filter
def hours_minutes_short(seconds: int) -> str:
    """Return seconds in the block's wording: `2 hora(s) y 5 minuto(s)`."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return gettext("%(hours)d hora(s) y %(minutes)d minuto(s)") % {"hours": hours, "minutes": minutes}


@register.filter
def hours_minutes_digits(seconds: int) -> str:
    """Return seconds as `1 h 12 min`."""
    hours, minutes = divmod(max(0, int(seconds)) // 60, 60)
    return f"{hours} h {minutes:02d} min"
