"""Host names that a training body registers for responses to its platform."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def parse(text: str) -> list[str]:
    """Return the distinct host names in a text, in lower case. Raises `ValidationError` naming the first bad one."""
    names = list(dict.fromkeys(text.lower().replace(",", " ").split()))
    for name in names:
        if not _NAME.fullmatch(name) or len(name) > 253:
            raise ValidationError(
                _("«%s» no es un nombre de sitio. Escríbalo sin https:// ni barras.") % name, code="host"
            )
    return names
