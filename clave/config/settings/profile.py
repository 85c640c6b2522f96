"""Where the guides and today's standards disagree: one named setting each, two profiles.

`guide` does what SENCE's user guides describe; `hardened` does what OWASP ASVS 5 and NIST SP 800-63B
ask. `CLAVE_PROFILE` chooses; each setting can also be set by itself through the environment.
The start-up log prints the ones in force; docs/threat-model.md explains them.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One disagreement: its two answers, every answer allowed, and the requirement the guide's answer breaks."""

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
    """A profile or an answer that does not exist was asked for."""


def read(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the answer in force for every choice. Raises `UnknownChoice`, naming variable and answers."""
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


def departures(answers: Mapping[str, str]) -> list[str]:
    """Say which answers in force depart from the standards, one line each."""
    return [
        f"{name}={answers[name]} (departs from {choice.standard})"
        for name, choice in CHOICES.items()
        if answers[name] != choice.hardened
    ]
