"""Allowed characters in user-entered text, and normalisation for comparing texts."""

import re
import unicodedata
from typing import TYPE_CHECKING

from django.utils.functional import Promise

# A text, or one that is translated when it is shown.
if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    Text = str | StrPromise
else:
    Text = str | Promise

_SPACES = re.compile(r"\s+")
_PUNCTUATION = set(" .,;:'\"´`’°ºª#/()&+-_@!?¡¿*%$=")


def unexpected_characters(text: str) -> set[str]:
    """Return the characters that do not belong in a Chilean form: controls, emoji, other scripts."""
    return {
        char
        for char in unicodedata.normalize("NFC", text)
        if not (char.isascii() and char.isalnum())
        and char not in _PUNCTUATION
        and not (char.isalpha() and unicodedata.name(char, "").startswith("LATIN"))
    }


def folded(text: str) -> str:
    """Return `text` without case, accents or repeated spaces, for comparing answers (mission.md, section 2)."""
    # Case-folded again at the end: some characters decompose into capitals.
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
    return _SPACES.sub(" ", bare).strip()
