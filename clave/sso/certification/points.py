"""The eight points of ClaveÚnica's certification, for an application that relies on Clave.

Source: Manual de Integración de ClaveÚnica, "Certificación", as published by the Secretaría de Gobierno Digital
(https://wikiguias.digital.gob.cl/Manuales/Integraci%C3%B3n_Clave%C3%9Anica, of 2 December 2025); `docs/integration.md`
says how each is judged here. A reviewer looks at screenshots and code; this looks from outside, and says so where that
is not enough.
"""

from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext_lazy as _

from clave.lib.text import Text


class Verdict(Enum):
    """What was found of a point. Not seen is no fault, and no success either."""

    PASSED = "passed"
    FAILED = "failed"
    UNSEEN = "unseen"


TITLES: dict[int, Text] = {
    1: _("Botón reconocible"),
    2: _("Solo https"),
    3: _("Clave se abre en la misma ventana"),
    4: _("El state es nuevo cada vez y se comprueba"),
    5: _("La secuencia de OpenID Connect está completa"),
    6: _("El servidor pide los tokens, no el navegador"),
    7: _("El secreto no se ve"),
    8: _("Al salir se sale también de Clave"),
}


@dataclass(frozen=True)
class Finding:
    """What was found of one point, in a sentence for the application's developer."""

    point: int
    verdict: Verdict
    words: str

    @property
    def title(self) -> Text:
        return TITLES[self.point]
