"""Where a demo may look in on the protocol, and make it answer what a developer wants to see. Empty in production."""

from collections.abc import Callable

from clave.rce.replies import Answer
from clave.rce.request import RceRequest

# Told of every request and its answer (None while the participant signs in), under the exchange's id ("" if none).
observers: list[Callable[[str, RceRequest, Answer | None], None]] = []
# Asked for a code to answer with, whatever the checks say.
overrides: list[Callable[[RceRequest], int | None]] = []


def observe(pending: str, asked: RceRequest, answer: Answer | None) -> None:
    """Tell the observers."""
    for observer in observers:
        observer(pending, asked, answer)


def overridden(asked: RceRequest) -> int | None:
    """Return the code that somebody wants answered, if any."""
    return next((code for override in overrides if (code := override(asked))), None)
