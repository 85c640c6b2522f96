"""Measurements taken inside one process: queries of the flows, time of a wrong key."""

import random
import sys
import time
from collections.abc import Callable
from functools import partial
from threading import Thread

import django
from django.conf import settings

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext, setup_databases, setup_test_environment  # noqa: E402

from clave.lib.rut import check_digit  # noqa: E402
from clave.operations.launcher import free_port  # noqa: E402
from clave.sandbox import demo, services  # noqa: E402
from tests.story import REGISTRATION, Page, Visitor  # noqa: E402

SAMPLES = 5000


def counted(name: str, step: Callable[[], Page]) -> Page:
    with CaptureQueriesContext(connection) as queries:
        page = step()
    marks = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")
    print(f"| {name} | {sum(not query['sql'].startswith(marks) for query in queries)} | | status {page.status} |")
    return page


def sending(visitor: Visitor, **typed: str) -> Callable[[], Page]:
    """Prepare a form, captcha read, so that only the sending is counted."""
    path, data = visitor.page.url, visitor.fill(**typed)
    return lambda: Page(visitor.client.post(path, data))


def queries() -> None:
    port, smtp = free_port(), free_port()
    server = services.serve(port, smtp)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.REGISTRO_CIVIL_URL = f"http://127.0.0.1:{port}/registro-civil"
    visitor = Visitor()
    for path in ("/persona/registrarse", "/persona/recuperar", "/ingresar", "/"):
        visitor.open(path)
        counted(f"show `{path}`", partial(visitor.open, path))
    visitor.open("/persona/registrarse")
    counted("register", sending(visitor, **REGISTRATION))
    visitor.open("/ingresar")
    counted("sign in", sending(visitor, rut="11111111-1", key="KM482915"))
    visitor.open("/mi-cuenta")
    counted("my account", lambda: visitor.open("/mi-cuenta"))
    visitor.open("/persona/recuperar")
    counted("recover: RUT", sending(visitor, rut="11111111-1"))
    visitor.open("/persona/recuperar")
    visitor.send(rut="11111111-1")
    counted("recover: answer", sending(visitor, answer="Copito"))
    visitor.open("/persona/cambiar")
    counted("change: present key", sending(visitor, rut="11111111-1", key="KM482915"))
    visitor.open("/persona/cambiar")
    visitor.send(rut="11111111-1", key="KM482915")
    counted("change: new key", sending(visitor, new_key="NW604827", new_key_again="NW604827"))
    visitor.open("/persona/actualizar")
    visitor.send(rut="11111111-1", key="NW604827")
    visitor.send(question="mascota", answer="Copito")
    counted("update: data", sending(visitor, street="Otra"))


def timing() -> None:
    """Try one wrong key for each of as many registered and unknown RUTs, in random order, with real hashes."""
    from clave.credentials import hashing, throttling
    from clave.credentials.models import Credential
    from clave.credentials.service import WrongKey
    from clave.holders.models import Holder
    from clave.lib.request_context import RequestContext
    from clave.signin import service

    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME = 19456, 2
    throttling.SITE = throttling.SharedLimit(threshold=10**9, per_hour=1)
    camila = Holder.objects.get(identifier="11111111-1")
    stored, made = hashing.hash_secret("KM482915"), []
    for number in range(30_000_000, 30_000_000 + SAMPLES):
        holder = Holder(
            profile="PN",
            identifier=f"{number}-{check_digit(number)}",
            names="x",
            created_at=camila.created_at,
            updated_at=camila.updated_at,
        )
        made.append(holder)
    Holder.objects.bulk_create(made)
    Credential.objects.bulk_create([Credential(holder=h, hash=stored, changed_at=camila.created_at) for h in made])
    from clave.holders.service import ClaimedIdentity
    from clave.lib.rut import Rut

    tries = [(True, 30_000_000 + n) for n in range(SAMPLES)] + [(False, 40_000_000 + n) for n in range(SAMPLES)]
    random.Random(1).shuffle(tries)
    times: dict[bool, list[float]] = {True: [], False: []}
    for place, (known, number) in enumerate(tries):
        context = RequestContext(f"10.{place >> 16}.{place >> 8 & 255}.{place & 255}", "b", "a")
        rut = Rut(number, check_digit(number))
        before = time.perf_counter()
        try:
            service.prove(ClaimedIdentity("PN", str(rut)), "AA000000", context, human=True, explain=False)
        except WrongKey:
            times[known].append(time.perf_counter() - before)
    area = auc(times[True], times[False])
    medians = " and ".join(f"{sorted(values)[len(values) // 2] * 1000:.2f} ms" for values in times.values())
    print(f"| area under the ROC curve | {max(area, 1 - area):.3f} | ≤ 0.55 | 2 × {SAMPLES} tries, medians {medians} |")


def auc(left: list[float], right: list[float]) -> float:
    """Return the chance that a value of `left` is larger than one of `right` (Mann-Whitney)."""
    ranked = sorted([(value, True) for value in left] + [(value, False) for value in right])
    ranks = sum(rank for rank, (_, is_left) in enumerate(ranked, 1) if is_left)
    return (ranks - len(left) * (len(left) + 1) / 2) / (len(left) * len(right))


if __name__ == "__main__":
    setup_test_environment()
    setup_databases(verbosity=0, interactive=False)
    demo.load()
    {"queries": queries, "timing": timing}[sys.argv[1]]()
