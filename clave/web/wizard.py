"""State of a multi-step flow: kept in the browser's session on the server, expires after 15 minutes."""

import secrets
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.http import HttpRequest
from django.utils.translation import gettext as _

from clave.lib import clock
from clave.lib.outcome import Refused

LIFE = timedelta(minutes=15)
_MAX_RUNS = 5


class StepRefused(Refused):
    """This step is unavailable: expired, skipped ahead to, finished, or started in another browser."""

    status = 403

    def __init__(self) -> None:
        super().__init__("step_refused", _("Este paso ya no está disponible."))


class _Run(TypedDict):
    flow: str
    reached: list[str]
    until: str
    data: dict[str, Any]  # each step stores its own facts, as JSON


class Wizard:
    """A run of a flow. `data` holds the results of earlier steps; `reached` lists the allowed steps."""

    def __init__(self, request: HttpRequest, flow: str, run: str, state: _Run) -> None:
        self._session = request.session
        self.flow = flow
        self.run = run
        self._state = state
        self.data = state["data"]

    @classmethod
    def begin(cls, request: HttpRequest, flow: str, first: str, **data: object) -> "Wizard":
        """Start a run whose first allowed step is `first`."""
        runs = dict(request.session.get("runs", {}))
        for old in sorted(runs, key=lambda name: runs[name]["until"])[: max(0, len(runs) - _MAX_RUNS + 1)]:
            del runs[old]
        run = secrets.token_hex(8)
        until = (clock.now() + LIFE).isoformat()
        runs[run] = {"flow": flow, "reached": [first], "until": until, "data": data}
        request.session["runs"] = runs
        request.session.setdefault("agent", "")
        return cls(request, flow, run, runs[run])

    @classmethod
    def load(cls, request: HttpRequest, flow: str, run: str, step: str) -> "Wizard":
        """Load a run, checking that `step` is allowed. Raises `StepRefused`."""
        state = request.session.get("runs", {}).get(run)
        if not state or state["flow"] != flow or step not in state["reached"]:
            raise StepRefused
        if datetime.fromisoformat(state["until"]) < clock.now():
            raise StepRefused
        return cls(request, flow, run, state)

    def allow(self, step: str, **data: object) -> None:
        """Allow `step` and store `data`."""
        if step not in self._state["reached"]:
            self._state["reached"].append(step)
        self.data.update(data)
        self._session.modified = True

    def may(self, step: str) -> bool:
        """Return whether a step is allowed."""
        return step in self._state["reached"]

    def before(self, step: str) -> str:
        """Return the step reached before this one; empty if it is the first."""
        reached = self._state["reached"]
        index = reached.index(step)
        return reached[index - 1] if index else ""

    def end(self) -> None:
        """Delete the run, or the whole session if the use case has ended it, as a change of key does."""
        if not self._session.exists(self._session.session_key or ""):
            self._session.flush()
            return
        self._session.get("runs", {}).pop(self.run, None)
        self._session.modified = True
