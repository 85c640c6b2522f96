"""What operators do about marks: correct them by new facts, look at those that seem made by one hand."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from clave.attendance import sessions
from clave.attendance.models import Correction, SessionEnd, SessionStart
from clave.attendance.tasks import watch
from clave.audit.models import Entry
from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.lib.rut import check_digit
from clave.training.models import Token
from tests import factories
from tests.wire.platform import Platform


@pytest.mark.abuse(30)
def test_a_correction_is_a_new_fact_with_a_reason(demo: None, clock: Stopped) -> None:
    Platform().open()
    opening = SessionStart.objects.get()
    with pytest.raises(CommandError, match="has ended"):
        call_command("correct_mark", opening.public, "600", reason="corte de luz", operator="op-1")
    clock.move(minutes=180)
    watch.call()
    for seconds in ("-1", "10201"):
        with pytest.raises(CommandError):
            call_command("correct_mark", opening.public, seconds, reason="x", operator="op-1")
    call_command("correct_mark", opening.public, "600", reason="corte de luz", operator="op-1")
    assert Correction.objects.get().reason == "corte de luz" and SessionEnd.objects.get().seconds == 0
    assert sessions.credited(opening.enrolment) == 600
    entry = Entry.objects.get(action="attendance.corrected")
    assert entry.detail == {"session": opening.public, "seconds": 600, "operator": "op-1"}
    with pytest.raises(CommandError):
        call_command("correct_mark", "0" * 32, "1", reason="x", operator="y")


def openings(many: int, address: str, apart: int, clock: Stopped, first: int) -> None:
    token = Token.objects.get(otec__rut="76543210-3")
    for number in range(first, first + many):
        sessions.open_session(factories.enrolment(f"{number}-{check_digit(number)}"), token, "x", address)
        clock.move(seconds=apart)


@pytest.mark.abuse(31)
def test_many_people_from_one_address_seconds_apart_are_reported(demo: None, clock: Stopped) -> None:
    openings(6, "198.51.100.9", 5, clock, 20_000_000)
    openings(6, "198.51.100.8", 120, clock, 20_000_100)
    openings(4, "198.51.100.7", 5, clock, 20_000_200)
    out = StringIO()
    call_command("anomalies", stdout=out)
    assert "6 people in 25 s  from 198.51.100.9  OTEC 76543210-3" in out.getvalue()
    assert len(out.getvalue().splitlines()) == 1
    clock.set(clave_clock.now() + timedelta(days=8))
    out = StringIO()
    call_command("anomalies", stdout=out)
    assert out.getvalue() == ""
