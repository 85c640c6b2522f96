"""script/bench: what docs/performance.md reports."""

import gzip
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests import installation, postgres
from tests.scale import attendance, browsers, desk, load, overload, registries, sso
from tests.scale.table import SECONDS, row, title

MANY = 240
RUNS = int(os.environ.get("BENCH_RUNS", "7"))  # a virtual machine's neighbours make single runs differ by some per cent
PAGES = ["/", "/ingresar", "/persona/registrarse", "/persona/recuperar", "/persona/cambiar", "/persona/actualizar",
         "/persona/actualizar/fecha-y-correo", "/ayuda", "/rts/ingresar", "/empresa/registrarse",
         "/empresa/recuperar", "/empresa/facilitador", "/empresa/facilitador/recuperar", "/migrante/registrarse", "/ingresar/migrante", "/verificar", "/Account/Registrar", "/Account/RecuperarClave"]  # fmt: skip
MEASURES = [
    "signins",
    "browsers",
    "pages",
    "bytes",
    "queries",
    "timing",
    "attendance",
    "desk",
    "registries",
    "overload",
    "sso",
]
HOLDERS = f"""
from clave.holders.models import Holder
from clave.credentials.models import Credential, SecretAnswer
from clave.lib.rut import check_digit
from clave.lib import clock
camila = Holder.objects.select_related("credential", "secret_answer").get(identifier="11111111-1")
made = []
for number in range(20_000_000, 20_000_000 + {MANY}):
    camila.pk = None
    camila.id = __import__("uuid").uuid4()
    camila.identifier = f"{{number}}-{{check_digit(number)}}"
    made.append(Holder(**{{f.attname: getattr(camila, f.attname) for f in Holder._meta.concrete_fields}}))
Holder.objects.bulk_create(made)
key, answer = camila.credential.hash, camila.secret_answer
Credential.objects.bulk_create([Credential(holder=h, hash=key, changed_at=clock.now()) for h in made])
SecretAnswer.objects.bulk_create([SecretAnswer(holder=h, question="mascota", hash=answer.hash) for h in made])
"""


def ruts() -> list[str]:
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from clave.lib.rut import check_digit

    return [f"{number}-{check_digit(number)}" for number in range(20_000_000, 20_000_000 + MANY)]


class Bench:
    """One installation per store and hash strength."""

    def running(self, stack: ExitStack, store: str, **environ: str) -> installation.LiveInstallation:
        url = stack.enter_context(postgres.running("-c shared_buffers=256MB")) if store == "PostgreSQL" else ""
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clave-bench-")))
        live = stack.enter_context(installation.running(home, url, workers=load.CORES, CLAVE_INSPECTOR="0", **environ))
        live.installation.manage("shell", "-c", HOLDERS)
        return live

    def web(self, live: installation.LiveInstallation) -> list[int]:
        return live.web_pids()

    def signins(self) -> None:
        """Sign-ins a second against the raw bound, and CPU besides the hash."""
        title(f"Sign-ins ({load.CORES} cores, web, store and load generator together; {SECONDS} s each)")
        for store in ("PostgreSQL", "SQLite"):
            self._signins_at_full_hash(store)
            self._cpu_besides_the_hash(store)

    def _signins_at_full_hash(self, store: str) -> None:
        with ExitStack() as stack:
            live = self.running(stack, store)
            script = load.sign_in_script(live.url, ruts())
            load.wrk(live.url, 3, 8, script)
            ratios, rates, bounds = [], [], []
            for _ in range(RUNS):
                before = load.raw_bound(SECONDS / 2)
                rate = load.wrk(live.url, SECONDS, 8, script)
                load.settle(self.web(live))
                bounds.append((before + load.raw_bound(SECONDS / 2)) / 2)
                if rate.bad:
                    raise RuntimeError(f"{rate.bad} sign-ins failed")
                rates.append(rate.per_second)
                ratios.append(rate.per_second / bounds[-1])
            row(
                f"raw Argon2id bound beside {store}",
                f"{statistics.median(bounds):.1f}/s",
                "",
                "one process a core, nothing else",
            )
            spread = f"{min(ratios):.0%} to {max(ratios):.0%} in {RUNS} runs"
            row(
                f"sign-ins, {store}",
                f"{statistics.median(rates):.1f}/s",
                "",
                f"{rate.median_ms:.0f} ms median at 8 connections",
            )
            row(f"ratio to the bound, {store}", f"{statistics.median(ratios):.1%}", "", spread)
            before = load.raw_bound(SECONDS, "argon2-cffi")
            rate_to_before = f"{statistics.median(rates) / before:.1%}"
            row(f"ratio to argon2-cffi's bound, {store}", rate_to_before, "≥ 80 %", f"of {before:.1f}/s")
            for number, pid in enumerate(self.workers(live)):
                row(
                    f"memory of worker {number + 1}, {store}",
                    f"{load.resident_mb(pid):.0f} MB",
                    "≤ 150 MB",
                    f"{load.resident_mb(pid, 'Pss'):.0f} MB proportional",
                )

    def browsers(self) -> None:
        """Sign-ins as browsers make them, with the page before and the page after."""
        for store in ("PostgreSQL", "SQLite"):
            browsers.measure(self, store, ruts(), RUNS)

    def overload(self) -> None:
        """Ten times more sign-ins than the machine can do."""
        for store in ("PostgreSQL", "SQLite"):
            overload.measure(self, store, ruts())

    def sso(self) -> None:
        """Sign-on: round trips, refreshes, introspections."""
        sso.measure(self, "PostgreSQL", ruts(), RUNS)

    def workers(self, live: installation.LiveInstallation) -> list[int]:
        return [pid for pid in self.web(live) if load.resident_mb(pid) > 30]

    def _cpu_besides_the_hash(self, store: str) -> None:
        with ExitStack() as stack:
            live = self.running(stack, store, ARGON2_MEMORY_KIB="8", ARGON2_TIME="1")
            live.installation.manage(
                "shell",
                "-c",
                "from clave.credentials.models import Credential; from clave.credentials import hashing; Credential.objects.update(hash=hashing.hash_secret('KM482915'))",
            )
            script = load.sign_in_script(live.url, ruts())
            load.wrk(live.url, 3, 8, script)
            pids = self.web(live)
            before, before_store = load.cpu_seconds(pids), load.cpu_seconds(load.postgres_pids())
            rate = load.wrk(live.url, SECONDS, 8, script)
            done = rate.per_second * SECONDS
            used = (load.cpu_seconds(pids) - before) / done * 1000
            in_store = (load.cpu_seconds(load.postgres_pids()) - before_store) / done * 1000
            row(
                f"CPU of the web process a sign-in, {store}",
                f"{used:.2f} ms",
                "≤ 2.25 ms",
                f"hash of 8 KiB; {rate.per_second:.0f}/s, {rate.bad} bad",
            )
            if store == "PostgreSQL":
                row("CPU of PostgreSQL a sign-in", f"{in_store:.2f} ms")

    def shell(self, live: installation.LiveInstallation, code: str) -> str:
        """Run code inside the installation; return what it printed."""
        words = [sys.executable, "manage.py", "shell", "-c", code]
        return subprocess.run(words, env=live.installation.environ, capture_output=True, text=True, check=True).stdout

    def attendance(self) -> None:
        """Openings and closings, with a large store too, and imports."""
        attendance.run(self)

    def pages(self) -> None:
        """Form pages a second."""
        title(f"Pages a second ({load.CORES} cores with the load generator, SQLite)")
        with ExitStack() as stack:
            live = self.running(stack, "SQLite")
            for path in ("/persona/recuperar", "/persona/registrarse", "/ingresar", "/"):
                cookie, _ = load.cookies_and_token(live.url, "/ingresar")
                load.wrk(live.url + path, 2, 16, headers=(f"Cookie: {cookie}",))
                rate = load.wrk(live.url + path, SECONDS, 16, headers=(f"Cookie: {cookie}",))
                row(
                    f"`{path}`",
                    f"{rate.per_second:.0f}/s",
                    "≥ 2 000/s",
                    f"{rate.median_ms:.1f} ms median, {rate.bad} bad",
                )

    def desk(self) -> None:
        """The back office with a million holders."""
        for store in ("PostgreSQL", "SQLite"):
            with ExitStack() as stack:
                desk.pages(self.running(stack, store))

    def registries(self) -> None:
        """Pages while the registries are slow, down or wrong."""
        with ExitStack() as stack:
            registries.pages(self.running(stack, "SQLite", CLAVE_CAPTCHA="off"))

    def bytes(self) -> None:
        """Bytes of each public page, all in, over the wire."""
        title("Bytes over the wire at a first visit, headers left out")
        with ExitStack() as stack:
            live = self.running(stack, "SQLite")
            client = stack.enter_context(httpx.Client(base_url=live.url, headers={"Accept-Encoding": "gzip"}))
            for path in PAGES:
                html, size = self._fetched(client, path)
                parts = sorted(set(re.findall(r'(?:src|href)="(/(?:static|captcha)/[^"]+\.(?:css|js|svg|png))"', html)))
                total = size + sum(self._fetched(client, part)[1] for part in parts)
                row(f"`{path}`", f"{total / 1000:.1f} kB", "≤ 60 kB", f"{size / 1000:.1f} kB page, {len(parts)} parts")
            css = (Path(__file__).parents[2] / "clave/web/static/clave.css").read_bytes()
            row("own CSS, compressed", f"{len(gzip.compress(css)) / 1000:.1f} kB", "≤ 25 kB")

    def _fetched(self, client: httpx.Client, path: str) -> tuple[str, int]:
        with client.stream("GET", path) as answer:
            answer.raise_for_status()
            raw = b"".join(answer.iter_raw())
            body = gzip.decompress(raw) if answer.headers.get("Content-Encoding") == "gzip" else raw
            return body.decode("utf-8", "replace"), len(raw)

    def queries(self) -> None:
        """Queries of each flow's steps; in a process of its own, because Django is set up in it."""
        title("Queries, savepoints and transaction marks left out")
        self._in_django("queries")

    def timing(self) -> None:
        """Can time tell a registered RUT from another?"""
        title("Time of a wrong key, registered RUT against unknown RUT")
        self._in_django("timing")

    def _in_django(self, name: str) -> None:
        sys.stdout.flush()
        with tempfile.TemporaryDirectory(prefix="clave-bench-") as home:
            environ = {
                **os.environ,
                "CLAVE_HOME": home,
                "DATABASE_URL": "",
                "DJANGO_SETTINGS_MODULE": "clave.config.settings.test",
            }
            subprocess.run([sys.executable, "-m", "tests.scale.inside", name], env=environ, check=True)


def machine() -> str:
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return f"{load.CORES} cores of {model[1] if model else platform.machine()}, Python {platform.python_version()}, {platform.system()} {platform.release()}"


def main() -> None:
    bench = Bench()
    measures: dict[str, Callable[[], None]] = {name: getattr(bench, name) for name in MEASURES}
    print(f"Machine: {machine()}")
    for name in sys.argv[1:] or measures:
        measures[name]()


if __name__ == "__main__":
    main()
