"""Results of use cases: rendered by the views, recorded by the audit."""

from dataclasses import asdict, dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Outcome:
    """Base class of every use case's result.

    `kind` selects the page that shows it. `secret` is shown once and never stored; all other fields are already
    masked, so the success page survives a reload.
    """

    kind: ClassVar[str]
    secret: str = field(default="", kw_only=True, repr=False)

    def facts(self) -> dict[str, object]:
        """Return the storable fields: all but the secret."""
        facts = asdict(self)
        del facts["secret"]
        return facts


@dataclass(frozen=True)
class Flash(Outcome):
    """A completed change, confirmed in one sentence on the page at the path `to`."""

    kind = "said"
    sentence: str
    to: str


class Refused(Exception):
    """A use case's refusal, for a reason the user may know. `code` is stable, for the help desk."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, message: str = "", *, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
