"""Where a demo may look in on the protocol, and make it answer what a developer wants to see. Empty in production."""

from collections.abc import Callable

from clave.rce.replies import Answer
from clave.rce.request import MarkRequest

# Told of every request and its answer (None while the participant signs in), under the exchange's id ("" if none).
observers: list[Callable[[str, MarkRequest, Answer | None], None]] = []
# Asked for a code to answer with, whatever the checks say.
overrides: list[Callable[[MarkRequest], int | None]] = []


def observe(exchange: str, asked: MarkRequest, answer: Answer | None) -> None:
    """Tell the observers."""
    for observer in observers:
        observer(exchange, asked, answer)


def overridden(asked: MarkRequest) -> int | None:
    """Return the code that somebody wants answered, if any."""
    return next((code for override in overrides if (code := override(asked))), None)
