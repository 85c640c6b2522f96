"""At rest and behind the API no statement reads a whole table that grows with the installation's age."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clave.attendance import tasks as attendance
from clave.attendance.models import ActiveSession, EndKind, SessionEnd, SessionStart
from clave.holders.models import Holder, Profile, Verification
from clave.lib import clock
from clave.privacy.retention import purge_expired
from clave.rce.models import PendingRequest
from clave.rce.tasks import forget
from clave.sandbox.courses import CAMILA, OTEC, TOKEN
from clave.selfservice.register.tasks import verify_pending
from clave.statements.models import Kind, Statement
from clave.statements.tasks import make_papers
from clave.training.models import AccountLookup, Action, Enrolment, ImportJob, Otec, Stage, Token
from clave.training.tasks import work_on_imports
from clave.web.models import Submission
from tests.story import Visitor
from tests.wire.platform import GOOD

MANY = 20_000
# Grow with age or with the number of people; the audit trail's growth is its own tests' matter. What hourly jobs empty (captchas, task results) does not.
GROWING = {
    model._meta.db_table
    for model in (
        Action,
        Enrolment,
        SessionStart,
        SessionEnd,
        PendingRequest,
        Holder,
        Statement,
        AccountLookup,
        ImportJob,
        Submission,
    )
}
ASKED = {name: GOOD[name] for name in ("CodSence", "LineaCapacitacion", "UrlRetoma", "UrlError")}


def stored(model: Any, rows: Iterable[Any]) -> list[Any]:
    """Store rows in portions: PostgreSQL takes 65 535 values a statement."""
    return list(model.objects.bulk_create(rows, batch_size=2000))


def history() -> None:
    """Years of courses of many bodies, with their marks and statements, and everybody's accounts."""
    now = clock.now()
    bodies = [Otec(rut=f"{n}-0", name=f"Organismo {n}", created_at=now) for n in range(200)]
    bodies = stored(Otec, bodies)
    token = Token.objects.create(otec=bodies[0], label="x", digest="x", hint="x", created_at=now)
    about = {"cod_sence": "1238000001", "name": "Curso", "line": 3, "modality": "elearning", "hours": 40}
    actions = stored(
        Action,
        (
            Action(
                otec=bodies[n % 200],
                code=f"H{n:07}",
                starts=clock.today() - timedelta(days=n % 3650 + 60),
                ends=clock.today() - timedelta(days=n % 3650),
                # Of courses older than six years retention has long replaced the RUNs.
                anonymised_at=now if n % 3650 > 2190 else None,
                **about,
            )
            for n in range(MANY)
        ),
    )
    enrolments = stored(
        Enrolment,
        (
            Enrolment(action=action, run=f"X{n:011}" if action.anonymised_at else f"{n}-X")
            for n, action in enumerate(actions)
        ),
    )
    openings = stored(
        SessionStart,
        (
            SessionStart(
                public=f"{n:032x}",
                enrolment=each,
                token=token,
                client_session="x",
                opened_at=now - timedelta(hours=n),
                limit_at=now,
            )
            for n, each in enumerate(enrolments)
        ),
    )
    # A store that knows nothing of the sessions that are open now plans as if there were many.
    later = now + timedelta(hours=1)
    stored(
        ActiveSession,
        (
            ActiveSession(enrolment_id=each.enrolment_id, opening=each, limit_at=later, warned=True)
            for each in openings[:200]
        ),
    )
    stored(SessionEnd, (SessionEnd(opening=each, kind=EndKind.CLOSED, at=now, seconds=60) for each in openings))
    stored(
        Statement,
        (
            Statement(
                year=2000 + n // 1000,
                number=n,
                kind=Kind.OTEC,
                action=action,
                until=action.ends,
                data={},
                issued_at=now,
                digest=f"{n:064}",
            )
            for n, action in enumerate(actions)
        ),
    )
    holders = stored(
        Holder,
        (
            Holder(
                profile=Profile.PERSONA_NATURAL,
                identifier=f"{n}-Y",
                verification=Verification.VERIFIED,
                created_at=now,
                updated_at=now,
            )
            for n in range(MANY)
        ),
    )
    stored(AccountLookup, (AccountLookup(holder=each, otec=bodies[0], day=clock.today()) for each in holders))
    stored(
        PendingRequest,
        (
            PendingRequest(id=f"{n:032}", environment="rce", closing=False, fields={}, token=token, created_at=now)
            for n in range(MANY)
        ),
    )
    stored(
        ImportJob,
        (
            ImportJob(id=f"{n:032}", otec=bodies[n % 200], name="x", content=b"", stage=Stage.LOADED, created_at=now)
            for n in range(MANY)
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def scanned(sql: str, growing: set[str] = GROWING) -> set[str]:
    """Return the growing tables that the store would read whole for this statement."""
    if not re.match(r"\s*(SELECT|UPDATE|DELETE)", sql):
        return set()
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql)
        lines = [" ".join(map(str, row)) for row in cursor.fetchall()]
    found = set()
    for line in lines:
        # SQLite says SCAN also of a walk along an index that it leaves early; that one names the index.
        match = re.search(r"Seq Scan on (\w+)|\bSCAN (\w+)(?! USING (?:COVERING )?INDEX)\b", line)
        if match:
            found.add(match[1] or match[2])
    return found & growing


def scans_of(work: Callable[[], Any], growing: set[str] = GROWING) -> dict[str, set[str]]:
    with CaptureQueriesContext(connection) as queries:
        work()
    statements = [query["sql"] for query in queries.captured_queries]
    return {sql[:300]: tables for sql in statements if (tables := scanned(sql, growing))}


@pytest.mark.abuse(80)
@pytest.mark.slow
def test_nothing_reads_a_growing_table_whole(demo: None) -> None:
    """One test, for the years of history take longer to write than all the rest."""
    history()
    assert scans_of(lambda: list(Action.objects.filter(name="x"))), "what finds nothing must find this"
    assert_no_job_of_the_timetable_does()
    assert_no_call_of_the_api_does()
    assert_no_page_of_a_training_body_does()


def assert_no_job_of_the_timetable_does() -> None:
    for job in (attendance.watch.call, forget.call, work_on_imports.call, make_papers.call, purge_expired, verify_pending.call):  # fmt: skip
        assert scans_of(job) == {}, job


def assert_no_call_of_the_api_does() -> None:
    client = Client(HTTP_AUTHORIZATION=f"Bearer {TOKEN}")

    def send(method: str, path: str, body: Any = None) -> Callable[[], None]:
        def call() -> None:
            sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
            answer = getattr(client, method)(f"/api/v1/{path}", **sent)
            assert answer.status_code in (200, 404), (path, answer.content)

        return call

    action = {"CodSence": "1238000001", "Linea": 3, "Nombre": "Curso", "Horas": 20}
    days = {"Inicio": "2026-11-01", "Termino": "2026-12-31"}
    review = {**ASKED, "CodigoCurso": "6700001", "runs": [CAMILA, "33333333-3"]}
    for method, path, body in (
        ("get", "actions", None),
        ("put", "actions/7000001", {**action, **days}),
        ("post", "actions/7000001/enrolments", {"runs": [CAMILA, "33333333-3"]}),
        ("post", "actions/7000001/enrolments/remove", {"runs": [CAMILA]}),
        ("get", "actions/6700001/attendance", None),
        ("get", "sessions/" + "0" * 32, None),
        ("post", "review", review),
    ):
        assert scans_of(send(method, path, body)) == {}, path


def assert_no_page_of_a_training_body_does() -> None:
    otec = Visitor()
    otec.open("/rts")
    otec.send(rut=OTEC, representative="33333333-3", key="CA739105")
    for path in ("/rts/cursos", "/rts/cursos/6700001", "/rts/declaraciones", "/rts/cargar", "/rts/revisar", "/mi-cuenta/mis-datos"):  # fmt: skip
        assert scans_of(partial(otec.open, path)) == {}, path
