"""Rules for a CS. `sence`: the guides' rule. `nist`: SP 800-63B, section 3.1.1.2."""

import re
import secrets
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clave.lib.outcome import Refused
from clave.lib.text import folded


@dataclass(frozen=True)
class About:
    """Holder data that a key must not contain. Phones are digits only."""

    identifier: str = ""
    birth_date: date | None = None
    phones: tuple[str, ...] = ()
    email: str = ""
    names: str = ""


class PolicyViolation(Refused):
    """The key violates the policy; `reasons` are codes, keys of `REASONS`."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("policy", " ".join(str(REASONS[reason]) for reason in reasons), field="new_key")
        self.reasons = reasons


REASONS = {
    "characters": _("La clave solo puede tener letras y números, sin espacios ni tildes."),
    "length": _("La clave debe tener de 8 a 10 caracteres."),
    "length_nist": _("La clave debe tener de 15 a 64 caracteres."),
    "upper": _("La clave debe tener al menos 2 letras mayúsculas."),
    "digits": _("La clave debe tener al menos 6 números."),
    "own_rut": _("La clave no puede contener los números de su RUT."),
    "own_birth_date": _("La clave no puede contener su fecha de nacimiento."),
    "own_phone": _("La clave no puede contener su teléfono."),
    "example": _("La clave no puede ser el ejemplo de la guía."),
    "too_simple": _("La clave es muy fácil de adivinar. Cambie las letras o los números."),
    "common": _("Esta clave es de las más usadas. Elija otra."),
    "previous": _("La clave nueva no puede ser igual a la anterior."),
}
_SEQUENCES = ("0123456789012345", "9876543210987654")
CAPITALS = "".join(letter for letter in string.ascii_uppercase if letter not in "IO")
Rule = Callable[[str, About], bool]


def _digits(text: str) -> str:
    return "".join(char for char in text if char in string.digits)


def _shares_six(key: str, number: str) -> bool:
    """Return whether any six consecutive digits of the key also occur in `number`."""
    digits = _digits(key)
    return any(digits[start : start + 6] in number for start in range(len(digits) - 5))


def has_own_rut(key: str, about: About) -> bool:
    return _shares_six(key, about.identifier.split("-")[0])


def has_birth_date(key: str, about: About) -> bool:
    if about.birth_date is None:
        return False
    forms = {about.birth_date.strftime(form) for form in ("%d%m%y", "%d%m%Y", "%y%m%d", "%Y%m%d", "%m%d%y")}
    return any(form in _digits(key) for form in forms)


def has_phone(key: str, about: About) -> bool:
    return any(_shares_six(key, phone) for phone in about.phones)


def is_too_simple(key: str, about: About) -> bool:
    letters, digits = [c for c in key if c.isalpha()], _digits(key)
    one_letter = len({letter.upper() for letter in letters}) <= 1
    sequential = len(set(digits)) <= 1 or any(digits in sequence for sequence in _SEQUENCES)
    return one_letter and sequential


SENCE_RULES: list[tuple[str, Rule]] = [
    ("characters", lambda key, about: not re.fullmatch(r"[A-Za-zÑñ0-9]*", key)),
    ("length", lambda key, about: not 8 <= len(key) <= 10),
    ("upper", lambda key, about: sum(char.isupper() for char in key) < 2),
    ("digits", lambda key, about: len(_digits(key)) < 6),
    ("example", lambda key, about: key.upper() == "XX123456"),
    ("own_rut", has_own_rut),
    ("own_birth_date", has_birth_date),
    ("own_phone", has_phone),
    ("too_simple", is_too_simple),
]


@cache
def _common() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "data" / "common.txt").read_text(encoding="utf-8").split())


def is_common(key: str, about: About) -> bool:
    bare = folded(key).replace(" ", "")
    return bare in _common() or len(set(bare)) <= 3 or any(word * 3 in bare for word in {bare[:3], bare[:4], bare[:5]})


NIST_RULES: list[tuple[str, Rule]] = [
    ("length_nist", lambda key, about: not 15 <= len(key) <= 64),
    ("common", is_common),
    ("own_rut", lambda key, about: len(about.identifier) > 6 and about.identifier.split("-")[0] in key),
]


def _violations(key: str, about: About) -> Iterator[str]:
    for reason, is_violated in NIST_RULES if settings.KEY_POLICY == "nist" else SENCE_RULES:
        if is_violated(key, about):
            yield reason


def check(key: str, about: About) -> None:
    """Raise `PolicyViolation` with every reason why this holder may not use `key` (mission.md, section 2)."""
    if reasons := list(_violations(key, about)):
        raise PolicyViolation(reasons)


def check_passphrase(key: str, about: About) -> None:
    """Raise `PolicyViolation` for a password SP 800-63B rejects, whatever policy the settings choose for a CS."""
    if reasons := [reason for reason, is_violated in NIST_RULES if is_violated(key, about)]:
        raise PolicyViolation(reasons)


def generate() -> str:
    """Return a random temporary key that satisfies the guides' rule: 4 capitals, 6 digits, 38 bits."""
    while True:
        letters = "".join(secrets.choice(CAPITALS) for _ in range(4))
        digits = "".join(secrets.choice(string.digits) for _ in range(6))
        key = letters + digits
        if not any(is_violated(key, About()) for reason, is_violated in SENCE_RULES):
            return key
