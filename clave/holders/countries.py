"""Countries by ISO 3166-1 alpha-2 code, named in the reader's language (Unicode CLDR, through Babel)."""

from functools import cache

from babel import Locale
from django.utils.translation import get_language

# Territories in CLDR that are no countries.
_NONE = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA", "CL"}


@cache
def _named(language: str) -> list[tuple[str, str]]:
    names = Locale(language if language == "en" else "es").territories
    found = [(code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NONE]
    return sorted(found, key=lambda pair: pair[1].translate(str.maketrans("ÁÉÍÓÚÅ", "AEIOUA")))


def country_choices() -> list[tuple[str, str]]:
    """Return (code, name) of every country but Chile, sorted by name."""
    return _named(get_language() or "es")


def country_name(code: str) -> str:
    """Return the country's name; the code itself if there is no such country."""
    return dict(country_choices()).get(code, code)
