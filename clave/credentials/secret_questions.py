"""Secret questions and answers (guide PN, sections 2 and 5)."""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from clave.lib.crypto import keyed_hash
from clave.lib.text import folded

QUESTIONS = {
    "abuelo": _("Nombre de mi abuelo/a"),
    "mascota": _("Nombre de mi mascota"),
    "pais": _("País favorito"),
    "profesor": _("Nombre de mi primer profesor o profesora"),
    "escuela": _("Nombre de mi primera escuela"),
    "amigo": _("Nombre de mi mejor amigo/a de la infancia"),
    "calle": _("Calle donde vivía de niño/a"),
}
# Answers an attacker tries first.
COMMON_ANSWERS = frozenset(
    (Path(__file__).parent / "data" / "common_answers.txt").read_text(encoding="utf-8").splitlines()
)


class CommonAnswer(ValueError):
    """The answer is among the first an attacker would try, or too short."""


def normalised(answer: str) -> str:
    """Return the answer in the form that is hashed: without case, accents or repeated spaces."""
    return folded(answer)


def check_answer(answer: str) -> None:
    """Raise `CommonAnswer` for an answer that is too short or easily guessed."""
    text = normalised(answer)
    if len(text) < 3 or len(set(text)) < 2 or text in COMMON_ANSWERS:
        raise CommonAnswer


def decoy_question(identifier: str) -> str:
    """Return the question to show for a RUT that has none: always the same for the same RUT."""
    codes = list(QUESTIONS)
    return codes[int(keyed_hash("decoy", identifier)[:8], 16) % len(codes)]
