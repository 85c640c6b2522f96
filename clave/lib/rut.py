"""Chilean identifiers as value objects: RUT (also RUN) and NIE."""

import re
from dataclasses import dataclass

from django.conf import settings

_RUT = re.compile(r"([0-9]{1,8})-?([0-9kK])")
_NOISE = str.maketrans("", "", ". \t\u00a0")
_HYPHENS = str.maketrans("‐‑‒–—−", "------")


class InvalidRut(ValueError):
    """The text is not a RUT. `code` says why: `rut_shape` or `rut_digit`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class InvalidNie(ValueError):
    """The text is not a NIE: digits only, as many as `NIE_DIGITS` allows."""


def check_digit(number: int) -> str:
    """Return the check digit of a RUT's number (módulo 11: factors 2 to 7 from the right)."""
    total, factor = 0, 2
    while number:
        number, digit = divmod(number, 10)
        total += digit * factor
        factor = 2 if factor == 7 else factor + 1
    return "-123456789K0"[11 - total % 11]


def dotted(stored: str) -> str:
    """Format a stored RUT for display, `12.345.678-5`, without validating it; anything else is returned unchanged."""
    number, _, digit = stored.partition("-")
    return f"{int(number):,}".replace(",", ".") + f"-{digit}" if number.isdecimal() else stored


@dataclass(frozen=True, order=True)
class Rut:
    """A RUT or RUN with a valid check digit."""

    number: int
    dv: str

    @classmethod
    def parse(cls, text: str) -> "Rut":
        """Parse a RUT, tolerating dots, spaces, a missing hyphen and a lowercase k. Raises `InvalidRut`."""
        match = _RUT.fullmatch(text) or _RUT.fullmatch(text.translate(_HYPHENS).translate(_NOISE))
        if not match or int(match[1]) == 0:
            raise InvalidRut("rut_shape")
        rut = cls(int(match[1]), match[2].upper())
        if check_digit(rut.number) != rut.dv:
            raise InvalidRut("rut_digit")
        return rut

    def __str__(self) -> str:
        """Return the storage format, `12345678-5`."""
        return f"{self.number}-{self.dv}"

    @property
    def pretty(self) -> str:
        """Return the display format, `12.345.678-5`."""
        return dotted(str(self))


@dataclass(frozen=True, order=True)
class Nie:
    """A Número de Identidad Extranjero: digits only, kept as written."""

    digits: str

    @classmethod
    def parse(cls, text: str) -> "Nie":
        """Parse a NIE, ignoring dots and spaces. Raises `InvalidNie`."""
        digits = text.translate(_NOISE)
        minimum, maximum = settings.NIE_DIGITS
        if not (digits.isascii() and digits.isdigit() and minimum <= len(digits) <= maximum):
            raise InvalidNie(text)
        return cls(digits)

    def __str__(self) -> str:
        return self.digits
