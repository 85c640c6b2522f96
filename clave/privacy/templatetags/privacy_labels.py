"""Names of a holder's data, for templates."""

from django import template

from clave.privacy.labels import word

register = template.Library()
register.filter("palabra", word)
