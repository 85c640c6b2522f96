"""Two profiles, for where the guides and today's standards disagree: one named setting per disagreement.

`guide` does what SENCE's user guides describe; `hardened` does what OWASP ASVS 5 and NIST SP 800-63B require.
`CLAVE_PROFILE` selects one; each setting can also be set on its own through the environment. The start-up log
prints the values in force; docs/threat-model.md explains them.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One disagreement: the value in each profile, all allowed values, and the requirement the guide's value breaks."""

    guide: str
    hardened: str
    allowed: tuple[str, ...]
    standard: str


CHOICES: dict[str, Choice] = {
    "SECRET_QUESTIONS": Choice("on", "off", ("on", "off"), "ASVS 6.4.2"),
    "KEY_POLICY": Choice("sence", "nist", ("sence", "nist"), "ASVS 6.2.1, 6.2.9"),
    "KEY_DELIVERY": Choice("contact", "contact", ("contact", "screen"), "ASVS 6.4.1 (screen)"),
    "TEMPORARY_KEY_SECONDS": Choice("3600", "600", ("3600", "600"), "ASVS 6.5.5"),
    "NEW_EMAIL_AFTER_SERIAL": Choice("on", "off", ("on", "off"), "NIST SP 800-63B 4.2"),
    "REGISTRATION_PROOF": Choice("none", "id_card", ("none", "id_card"), "NIST SP 800-63A IAL1"),
    "SIGNIN_MESSAGES": Choice("guide", "uniform", ("guide", "uniform"), "ASVS 6.3.8"),
}


class UnknownChoice(ValueError):
    """An unknown profile or value was configured."""


def read(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the value in force for every choice. Raises `UnknownChoice`, naming the variable and allowed values."""
    profile = environ.get("CLAVE_PROFILE", "guide")
    if profile not in ("guide", "hardened"):
        raise UnknownChoice(f"CLAVE_PROFILE={profile}: use guide or hardened")
    answers = {}
    for name, choice in CHOICES.items():
        answer = environ.get(name, getattr(choice, profile))
        if answer not in choice.allowed:
            raise UnknownChoice(f"{name}={answer}: use {' or '.join(choice.allowed)}")
        answers[name] = answer
    return answers


def deviations(answers: Mapping[str, str]) -> list[str]:
    """Return one line for each value in force that departs from the standards."""
    return [
        f"{name}={answers[name]} (departs from {choice.standard})"
        for name, choice in CHOICES.items()
        if answers[name] != choice.hardened
    ]
