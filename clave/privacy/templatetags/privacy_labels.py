"""Template filter for the labels of a holder's data."""

from django import template

from clave.privacy.labels import word

register = template.Library()
register.filter("palabra", word)
