"""What a use case answers: rendered by the view, recorded by the audit."""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Outcome:
    """Base of every use case's answer.

    `kind` names the page that shows it. `secret` is shown once and never stored; everything else is
    masked already and survives a reload of the success page.
    """

    kind: ClassVar[str]
    secret: str = field(default="", kw_only=True, repr=False)

    def facts(self) -> dict[str, Any]:
        """Return what may be stored: every field but the secret."""
        facts = asdict(self)
        del facts["secret"]
        return facts


@dataclass(frozen=True)
class Flash(Outcome):
    """Something was done; the page at the path `to` says so in one sentence."""

    kind = "said"
    sentence: str
    to: str


class Refused(Exception):
    """A use case said no for a reason the person can be told. `code` is stable, for the help desk."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, message: str = "", *, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
