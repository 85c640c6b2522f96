"""What docs/performance.md reports about attendance: pairs of openings and closings, a large store, imports."""

import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests import installation
from tests.scale import load
from tests.scale.table import SECONDS, row, title

if TYPE_CHECKING:
    from tests.scale.bench import Bench

# As the contract's demo data has them; the application itself is not set up in this process.
GOOD = {
    "RutOtec": "76543210-3",
    "Token": "C1A7E000-0000-4000-8000-000000000001",
    "CodSence": "1238000001",
    "CodigoCurso": "6700001",
    "LineaCapacitacion": "3",
    "IdSesionAlumno": "moodle-42",
    "UrlRetoma": "https://aula.example.cl/volver?id=7",
    "UrlError": "https://aula.example.cl/error",
}

ENROL = """
from clave.holders.models import Holder
from clave.training.models import Action, Enrolment
action = Action.objects.get(code="6700001")
runs = Holder.objects.filter(identifier__startswith="200").values_list("identifier", flat=True)
Enrolment.objects.bulk_create([Enrolment(action=action, run=run) for run in runs], ignore_conflicts=True)
"""
CHEAP = """
from clave.credentials.models import Credential
from clave.credentials import hashing
Credential.objects.update(hash=hashing.hash_secret("KM482915"))
"""
FILL = """
from datetime import timedelta
from clave.attendance.models import SessionEnd, SessionStart
from clave.lib import clock
from clave.training.models import Action, Enrolment, Token
from clave.lib.rut import check_digit
action, token = Action.objects.get(code="RLAB-26-02-08-0071-1"), Token.objects.get(otec__rut="76543210-3")
runs = [f"{n}-{check_digit(n)}" for n in range(10_000_000, 10_010_000)]
Enrolment.objects.bulk_create([Enrolment(action=action, run=run) for run in runs], batch_size=5000)
places = list(Enrolment.objects.filter(action=action, run__startswith="100").values_list("pk", flat=True))
now = clock.now() - timedelta(days=30)
for part in range(100):
    began = now + timedelta(hours=part * 4)
    rows = [SessionStart(enrolment_id=place, token=token, client_session="x", opened_at=began, limit_at=began + timedelta(minutes=170), address="") for place in places]
    rows = SessionStart.objects.bulk_create(rows, batch_size=5000)
    SessionEnd.objects.bulk_create([SessionEnd(opening=each, kind="closed", at=began + timedelta(hours=1), seconds=3600) for each in rows], batch_size=5000)
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("ANALYZE")
print(SessionStart.objects.count(), "sessions")
"""
IMPORT = """
import time
from clave.lib import clock
from clave.training import course_import
from clave.training.models import ImportJob, Otec
from tests.scale.attendance import big_table
for kind in ("csv", "xlsx"):
    bring = ImportJob.objects.create(id=kind, otec=Otec.objects.get(rut="76543210-3"), name="x", content=big_table(kind), created_at=clock.now())
    begin = time.perf_counter()
    course_import.check(bring)
    middle = time.perf_counter()
    course_import.load(bring)
    print(f"IMPORT {kind} {middle - begin:.1f} {time.perf_counter() - middle:.1f} {bring.done}")
"""


def big_table(kind: str) -> bytes:
    """Return a table of 100 000 participants in 100 actions."""
    from clave.lib.rut import check_digit
    from clave.training.course_import import COLUMNS
    from tests.files import as_table

    about = ["1238000001", "3", "Curso", "e-learning", "40", "01-11-2026", "31-12-2026"]
    numbers = range(5_000_000, 5_100_000)
    lines = ([f"77{n % 100:05d}", *about, f"{n}-{check_digit(n)}"] for n in numbers)
    return as_table(kind, COLUMNS, lines)


def measure(
    live: installation.LiveInstallation, runs: list[str], workers: list[int], at_once: int
) -> tuple[float, int, float, float]:
    """Return pairs a second, failures, and milliseconds of CPU a pair of the web process and of PostgreSQL."""
    browser = load.known_browser(live.url, runs)
    half = len(runs) // 2
    load.pairs(live.url, runs[:half], browser, GOOD, 2, at_once)
    pids, store = workers, load.postgres_pids()
    before, before_store = load.cpu_seconds(pids), load.cpu_seconds(store)
    rate, bad = load.pairs(live.url, runs[half:], browser, GOOD, SECONDS, at_once)
    done = max(rate * SECONDS, 1)
    used = (load.cpu_seconds(pids) - before) / done * 1000
    return rate, bad, used, (load.cpu_seconds(load.postgres_pids()) - before_store) / done * 1000


def typical(
    live: installation.LiveInstallation, workers: list[int], people: list[str]
) -> tuple[float, float, float, float]:
    """Measure three times; return the median of each figure, and all failures.

    Each time with people of its own: who was interrupted at the end of a run still has a session open.
    """
    part = len(people) // 3
    runs = [measure(live, people[turn * part : (turn + 1) * part], workers, 4) for turn in range(3)]
    rate, _bad, web, store = (statistics.median(figures) for figures in zip(*runs, strict=True))
    return rate, sum(each[1] for each in runs), web, store


def run(bench: "Bench") -> None:
    """Measure openings and closings, with and without a large store, and the imports."""
    title(
        f"Attendance: pairs of an opening and a closing, each with its sign-in ({load.CORES} cores, PostgreSQL, {SECONDS} s)"
    )
    with ExitStack() as stack:
        live = bench.running(stack, "PostgreSQL", ARGON2_MEMORY_KIB="8", ARGON2_TIME="1", RCE_PENDING_FACTOR="1000")
        live.installation.manage("shell", "-c", CHEAP)
        live.installation.manage("shell", "-c", ENROL)
        runs = bench_runs()
        half = len(runs) // 2
        rate, bad, web, store = typical(live, bench.web(live), runs[:half])
        row("pairs, hash of 8 KiB", f"{rate:.0f}/s", "", f"{bad} bad")
        row(
            "CPU of the web process a pair",
            f"{web:.2f} ms",
            "≤ 10 ms",
            "4 requests: two posts of the platform, two sign-ins",
        )
        row("CPU of PostgreSQL a pair", f"{store:.2f} ms")
        live.installation.manage("shell", "-c", FILL)
        _rate, bad, more, more_store = typical(live, bench.web(live), runs[half:])
        row("the same with a million sessions in the store", f"{more:.2f} + {more_store:.2f} ms", "", f"{bad} bad")
        row("ratio", f"{(more + more_store) / (web + store):.2f}", "≤ 1.1", "web process and PostgreSQL")
        for worker in bench.workers(live):
            row("memory of a web worker", f"{load.resident_mb(worker):.0f} MB", "≤ 150 MB")
    with ExitStack() as stack:
        live = bench.running(stack, "PostgreSQL")
        live.installation.manage("shell", "-c", ENROL)
        runs, ratios = bench_runs(), []
        browser = load.known_browser(live.url, runs)
        for turn in range(3):
            before = load.raw_bound(SECONDS / 2)
            part = runs[turn * len(runs) // 3 : (turn + 1) * len(runs) // 3]
            rate, bad = load.pairs(live.url, part, browser, GOOD, SECONDS, 8)
            load.settle(bench.web(live))
            bound = (before + load.raw_bound(SECONDS / 2)) / 2
            ratios.append(2 * rate / bound)
        row(
            "sign-ins in pairs at full hash, ratio to the bound",
            f"{statistics.median(ratios):.1%}",
            "",
            f"{rate:.1f} pairs/s, bound {bound:.1f}/s, {bad} bad",
        )
    title("Loading 100 000 participants (worker, PostgreSQL)")
    with ExitStack() as stack:
        live = bench.running(stack, "PostgreSQL")
        begin = time.perf_counter()
        text = bench.shell(live, IMPORT)
        for kind, checked, loaded, done in [
            line.split()[1:] for line in text.splitlines() if line.startswith("IMPORT")
        ]:
            row(f"{kind}: check + load", f"{checked} + {loaded} s", "< 60 s", f"{done} rows")
        row("both, with making the files", f"{time.perf_counter() - begin:.0f} s")


def bench_runs() -> list[str]:
    """Return the RUNs of the holders that a measured installation has."""
    from clave.lib.rut import check_digit

    return [f"{number}-{check_digit(number)}" for number in range(20_000_000, 20_000_240)]
