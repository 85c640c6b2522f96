"""Countries by ISO 3166-1 alpha-2 code, named in the user's language (Unicode CLDR, through Babel)."""

from functools import cache

from babel import Locale
from django.utils.translation import get_language

# CLDR territories that are not countries, and Chile.
_EXCLUDED = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA", "CL"}


@cache
def _choices(language: str) -> list[tuple[str, str]]:
    names = Locale(language if language == "en" else "es").territories
    countries = [
        (code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _EXCLUDED
    ]
    return sorted(countries, key=lambda pair: pair[1].translate(str.maketrans("ÁÉÍÓÚÅ", "AEIOUA")))


def country_choices() -> list[tuple[str, str]]:
    """Return (code, name) of every country but Chile, sorted by name."""
    return _choices(get_language() or "es")


def country_name(code: str) -> str:
    """Return the country's name, or the code itself if unknown."""
    return dict(country_choices()).get(code, code)
