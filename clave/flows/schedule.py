"""What comes round by itself, and how often (seconds)."""

from typing import Any

from clave.audit.tasks import seal
from clave.courier.tasks import sweep
from clave.flows.housekeeping import tidy
from clave.flows.register.tasks import verify_pending

TIMETABLE: list[tuple[int, Any]] = [(5, sweep), (30, seal), (60, verify_pending), (3600, tidy)]
