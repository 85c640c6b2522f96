"""Whatever is posted, the answer is a page, never a fault; and sessions keep their promises in whatever order things happen."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clave.attendance import sessions
from clave.attendance.models import ActiveSession, EndKind, SessionEnd, SessionStart
from clave.lib import clock
from clave.rce.checks import CHECKS
from clave.rce.request import RceRequest
from clave.training.tokens import issue
from tests import factories
from tests.story import Page
from tests.wire.platform import GOOD, Answer

NAMES = [*GOOD, "IdSesionSence"]
ODD = [
    "",
    " ",
    "-1",
    "1",
    "3",
    "6",
    "11111111-1",
    "11111111-k",
    "http://[",
    "https://a.cl:99999/",
    "%00",
    *GOOD.values(),
]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))


@pytest.mark.parametrize("endpoint", ["rce/Registro/IniciarSesion", "rcetest/Registro/CerrarSesion"])
@given(changes=st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), TEXTS), max_size=6))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_parameters_get_the_first_code_that_applies(
    demo: None, endpoint: str, changes: dict[str, str | None]
) -> None:
    sent = {name: text for name, text in {**GOOD, **changes}.items() if text is not None}
    page = Page(Client().post(f"/{endpoint}", sent, follow=True))
    asked = RceRequest(endpoint.split("/")[0], endpoint.endswith("CerrarSesion"), sent)
    if any("\0" in text or "\ufffd" in text for text in sent.values()):
        assert page.status == 400
        return
    failed = [code for code, passes in CHECKS if not passes(asked)]
    if not failed:
        assert page.shows("Escriba su Clave SENCE")
    elif page.status == 400:
        assert page.shows("No pudimos volver a su curso", str(failed[0]))
    else:
        assert Answer(page).fields["GlosaError"] == str(failed[0])


class LifeOfSessions(RuleBasedStateMachine):
    """Two participants of one action, under a clock that moves forth and now and then back."""

    @initialize()
    def begin(self) -> None:
        self._clock = clock.stopped(datetime(2026, 4, 5, 1, 0, tzinfo=UTC))
        self.clock = self._clock.__enter__()
        self._savepoint = transaction.savepoint()
        body = factories.otec()
        self.token, _text = issue(body, "aula")
        action = factories.action(body)
        self.enrolments = [factories.enrolment(run, action) for run in ("11111111-1", "22222222-2")]
        self.openings: list[SessionStart] = []
        self.facts: dict[int, tuple[str, int]] = {}

    def teardown(self) -> None:
        if hasattr(self, "_clock"):
            transaction.savepoint_rollback(self._savepoint)
            self._clock.__exit__(None, None, None)

    @rule(seconds=st.integers(-600, 4 * 3600))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @rule(who=st.integers(0, 1))
    def somebody_opens(self, who: int) -> None:
        try:
            self.openings.append(sessions.open_session(self.enrolments[who], self.token, "x", ""))
        except sessions.AlreadyOpen:
            assert sessions.active(self.enrolments[who])

    @precondition(lambda self: self.openings)
    @rule(data=st.data(), end=st.sampled_from([sessions.close, sessions.abandon]))
    def somebody_ends(self, data: Any, end: Callable[[SessionStart], SessionEnd]) -> None:
        end(data.draw(st.sampled_from(self.openings)))

    @rule()
    def the_job_runs(self) -> None:
        sessions.expire_overdue()
        assert not ActiveSession.objects.filter(limit_at__lt=clock.now()).exists()

    @invariant()
    def nothing_vanishes_or_changes(self) -> None:
        if hasattr(self, "openings"):
            assert SessionStart.objects.count() == len(self.openings)
            now = {ending.pk: (ending.kind, ending.seconds) for ending in SessionEnd.objects.all()}
            assert self.facts.items() <= now.items()
            self.facts = now

    @invariant()
    def credit_is_the_time_that_passed_and_only_for_what_was_closed(self) -> None:
        for ending in SessionEnd.objects.select_related("opening"):
            passed = max(0, int((ending.at - ending.opening.opened_at).total_seconds()))
            assert ending.seconds == (passed if ending.kind == EndKind.CLOSED else 0) <= 170 * 60

    @invariant()
    def each_session_is_open_or_ended_and_nobody_has_two_open(self) -> None:
        assert ActiveSession.objects.count() + SessionEnd.objects.count() == SessionStart.objects.count()
        assert ActiveSession.objects.count() == ActiveSession.objects.values("enrolment").distinct().count()


class TestLifeOfSessions(TestCase, LifeOfSessions.TestCase):  # type: ignore[valid-type,misc]
    settings = settings(max_examples=40, stateful_step_count=25, deadline=None)  # type: ignore[assignment]
