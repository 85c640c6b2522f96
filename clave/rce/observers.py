"""Hooks for a demo to observe the protocol and to force responses for developers. Empty in production."""

from collections.abc import Callable

from clave.rce.replies import Answer
from clave.rce.request import RceRequest

# Called for every request and its answer (None while the participant signs in), with the exchange's id ("" if none).
observers: list[Callable[[str, RceRequest, Answer | None], None]] = []
# Asked for a code that replaces the result of the checks.
overrides: list[Callable[[RceRequest], int | None]] = []


def observe(pending: str, request: RceRequest, answer: Answer | None) -> None:
    """Notify the observers."""
    for observer in observers:
        observer(pending, request, answer)


def overridden(request: RceRequest) -> int | None:
    """Return the code forced for this request, if any."""
    return next((code for override in overrides if (code := override(request))), None)
