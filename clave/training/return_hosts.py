"""Host names a training body registers for the answers to its platform."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def parse(text: str) -> list[str]:
    """Return the host names in a text, lower case, once each. Raises `ValidationError` naming the first bad one."""
    found = list(dict.fromkeys(text.lower().replace(",", " ").split()))
    for name in found:
        if not _NAME.fullmatch(name) or len(name) > 253:
            raise ValidationError(
                _("«%s» no es un nombre de sitio. Escríbalo sin https:// ni barras.") % name, code="host"
            )
    return found
