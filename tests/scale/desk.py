"""The back office's pages with a million holders and three million audit entries."""

import re
import sqlite3
import statistics
import time
from uuid import UUID

import httpx
import psycopg
import pyotp

from clave.sandbox.people import OPERATOR_PASSWORD, TOTP_SECRET
from tests.installation import LiveInstallation
from tests.scale.table import row, title

_INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
HOLDERS, ENTRIES, TRIES = 1_000_000, 3_000_000, 15
# One row of each; what differs between the stores is filled in: a series, a random id, a moment, a piece of JSON.
_HOLDERS = """
INSERT INTO holders_holder (id, profile, identifier, kind, names, surnames, sex, country, email, home_phone, work_phone,
    mobile, no_mobile, street, street_number, block, apartment, comuna, language, verification, legacy, review_contact,
    created_at, updated_at)
SELECT {id}, 'PN', n || '-' || (n % 10), '', 'Titular', 'Número ' || n, 'F', '', 'titular' || n ||
    '@example.cl', '', '', '', true, 'Calle', '1', '', '', '13101', 'es', 'verified', false, false, {now}, {now}
FROM ({series}) AS numbers;
"""
# Camila has a long history; one entry in 50 000 is an operator's.
_ENTRIES = """
INSERT INTO audit_entry (at, action, outcome, subject, address, agent, detail)
SELECT {ago},
    CASE WHEN n % 50000 = 0 THEN 'backoffice.seen' WHEN n % 3 = 0 THEN 'key.changed' ELSE 'signin' END, 'ok',
    CASE WHEN n % 1500 = 0 THEN (SELECT {text} FROM holders_holder WHERE identifier = '11111111-1')
         ELSE n || '-nobody' END, '10.0.0.1', 'agent',
    CASE WHEN n % 50000 = 0 THEN {one} ELSE {none} END
FROM ({series}) AS numbers;
"""
_POSTGRESQL = {
    "id": "gen_random_uuid()",
    "now": "now()",
    "ago": f"now() - (({ENTRIES} - n) || ' seconds')::interval",
    "text": "id::text",
    "one": """'{"operator": "1", "reason": "call"}'::jsonb""",
    "none": "'{}'::jsonb",
}
_SQLITE = {
    "id": "lower(hex(randomblob(16)))",
    "now": "datetime('now')",
    "ago": f"datetime('now', (n - {ENTRIES}) || ' seconds')",
    "text": "substr(id, 1, 8) || '-' || substr(id, 9, 4) || '-' || substr(id, 13, 4) || '-' || substr(id, 17, 4) || '-' || substr(id, 21)",
    "one": """'{"operator": "1", "reason": "call"}'""",
    "none": "'{}'",
}


def fill(live: LiveInstallation) -> None:
    """Put the holders and the entries into the store."""
    for sql, first, last in ((_HOLDERS, 30_000_001, 30_000_000 + HOLDERS), (_ENTRIES, 1, ENTRIES)):
        if live.database_url:
            series = f"SELECT n FROM generate_series({first}, {last}) AS n"
            with psycopg.connect(live.database_url, autocommit=True) as connection:
                connection.execute(sql.format(series=series, **_POSTGRESQL))
                connection.execute("ANALYZE")
        else:
            count = f"WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last}) "
            with sqlite3.connect(live.home / "clave.sqlite3", timeout=60) as store:
                store.execute(sql.format(series=count + "SELECT n FROM c", **_SQLITE))


class Desk:
    """A supervisor's browser, with a stopwatch."""

    def __init__(self, live: LiveInstallation) -> None:
        self.client = httpx.Client(base_url=live.url, follow_redirects=True, timeout=60)
        typed = {"email": "supervisor@mesa.example.cl", "password": OPERATOR_PASSWORD}
        self.send("/backoffice/ingresar", **typed, code=pyotp.TOTP(TOTP_SECRET).now())

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def form(self, path: str, **typed: str) -> dict[str, str]:
        return {**dict(_INPUT.findall(self.get(path).text)), **typed}

    def send(self, path: str, **typed: str) -> httpx.Response:
        return self.client.post(path, data=self.form(path, **typed))

    def timed(self, name: str, path: str, **typed: str) -> None:
        """Measure a page, or what a form on it brings, and print the row."""
        form = self.form(path, **typed) if typed else {}
        times = []
        for _ in range(TRIES):
            before = time.perf_counter()
            answer = self.client.post(path, data=form) if typed else self.get(path)
            times.append((time.perf_counter() - before) * 1000)
            assert answer.status_code == 200, (name, answer.status_code)
        row(
            name,
            f"{statistics.median(times):.0f} ms (longest {max(times):.0f})",
            "≤ 300 ms",
            f"{len(answer.content)} B",
        )


def pages(live: LiveInstallation) -> None:
    """Print how long each page takes."""
    store = "PostgreSQL" if live.database_url else "SQLite"
    title(f"Back office, {store}, {HOLDERS:,} holders, {ENTRIES:,} audit entries")
    fill(live)
    desk = Desk(live)
    camila = str(UUID(str(live.query("SELECT id FROM holders_holder WHERE identifier = '11111111-1'")[0][0])))
    desk.send(f"/backoffice/titular/{camila}/motivo", reason="call")
    for name, text in (("RUT", "30.500.000-0"), ("NIE", "900123456"), ("e-mail", "titular30700000@example.cl"),
                       ("folio", "123-2026"), ("nothing", "AB999999")):  # fmt: skip
        desk.timed(f"search: {name}", "/backoffice/", text=text)
    desk.timed("holder's page, 2 000 entries", f"/backoffice/titular/{camila}")
    desk.timed("trail, newest", "/backoffice/auditoria")
    for name, typed in (("a holder", {"who": "11.111.111-1"}), ("an operator", {"operator": "1"}),
                        ("a rare action", {"action": "backoffice."}), ("an action that never was", {"action": "zzz"}),
                        ("one day long ago", {"first": "2026-11-01", "last": "2026-11-01"})):  # fmt: skip
        desk.timed(f"trail of {name}", "/backoffice/auditoria", **typed)
    for name, path in (("workload", "/backoffice/trabajo"), ("requests", "/backoffice/solicitudes"),
                       ("operators", "/backoffice/operadores"), ("personal data", "/backoffice/datos")):  # fmt: skip
        desk.timed(name, path)
