"""Upstream doors under attack: answers mixed up and repeated, RUNs nobody confirmed, accounts that are not one's own."""

from functools import partial
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from clave.audit.models import Entry
from clave.holders.models import Holder, Verification
from clave.lib.clock import Stopped
from clave.sandbox import openid
from clave.sandbox.openid import Account, Provider
from clave.sso.models import UpstreamIdentity
from tests.sso.doors import AUSTRAL, CAMILA, KEY, Install, by_door, code_for, link_camila, linked, refused
from tests.story import REGISTRATION, Visitor
from tests.test_races import done_at_once

pytestmark = [pytest.mark.usefixtures("doors"), pytest.mark.slow]


# The answer in the browser


@pytest.mark.abuse(56)
def test_an_answer_of_another_issuer_is_refused(visitor: Visitor) -> None:
    honest = code_for(visitor)
    another = honest.split("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example"
    assert refused(visitor, another, "no viene de quien debía responder")


@pytest.mark.abuse(56)
def test_an_answer_without_its_issuer_is_refused_where_the_issuer_always_names_itself(visitor: Visitor) -> None:
    assert refused(visitor, code_for(visitor).split("&iss=")[0], "no viene de quien debía responder")


@pytest.mark.abuse(56)
def test_a_code_of_one_door_opens_no_other(visitor: Visitor) -> None:
    honest = code_for(visitor)
    assert refused(visitor, honest.replace("/con/claveunica/", "/con/tributaria/"), "ya no está disponible")


@pytest.mark.abuse(23, 56)
def test_an_answer_serves_once_and_in_the_browser_that_asked(visitor: Visitor) -> None:
    honest = code_for(visitor)
    assert refused(Visitor("198.51.100.9"), honest, "se empezó en otro navegador")
    assert visitor.open(honest).shows("Vincular ClaveÚnica")
    assert refused(visitor, honest, "ya no está disponible")
    assert refused(visitor, honest.replace("&state=", "&state=x"), "ya no está disponible")


@pytest.mark.abuse(56)
def test_an_answer_that_comes_too_late_is_refused(visitor: Visitor, clock: Stopped) -> None:
    honest = code_for(visitor)
    clock.move(minutes=11)
    assert refused(visitor, honest, "pasaron más de 10 minutos")


@pytest.mark.abuse(56)
def test_a_code_that_the_issuer_does_not_know_is_refused_and_recorded(visitor: Visitor) -> None:
    honest = code_for(visitor)
    made_up = honest.split("code=")[0] + "code=made-up&" + honest.split("&", 1)[1]
    assert refused(visitor, made_up, "no respondió como debía")
    entry = Entry.objects.filter(action="signin").latest("pk")
    assert (entry.outcome, entry.detail) == ("door_answer", {"door": "claveunica"})


@pytest.mark.abuse(56)
@pytest.mark.parametrize("answer", ["error=server_error", "code=&x=y", "x=y", "error=server_error&code={code}"])
def test_an_answer_with_an_error_or_without_a_code_is_no_answer(visitor: Visitor, answer: str) -> None:
    address, _, rest = code_for(visitor).partition("?code=")
    code, _, others = rest.partition("&")
    assert refused(visitor, f"{address}?{answer.format(code=code)}&{others}", "no respondió como debía")


# Who it is


def telling(claims: dict[str, Any], slug: str = "claveunica") -> Provider:
    """A provider that says this of Camila, and of a person or an entity nothing else."""
    name = {"claveunica": "CLAVEUNICA", "clave-tributaria": "CLAVE_TRIBUTARIA"}[slug]
    return Provider(name, slug, [Account(CAMILA, "Camila", claims)])


@pytest.mark.abuse(56)
@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"RolUnico": None},
        {"RolUnico": {"numero": 11111111, "DV": "1"}},
        {"RolUnico": {"numero": 11111111, "DV": "1", "tipo": "PASAPORTE"}},
        {"RolUnico": {"numero": 11111111, "DV": "2", "tipo": "RUN"}},
        {"RolUnico": {"numero": "1'1", "DV": "1", "tipo": "RUN"}},
        {"RolUnico": {"numero": [11111111], "DV": {}, "tipo": "RUN"}},
        {"rut": "11111111-1", "email": "camila.rojas@example.cl"},
    ],
    ids=str,
)
def test_who_comes_without_a_confirmed_run_is_nobody(
    visitor: Visitor, install: Install, claims: dict[str, Any]
) -> None:
    install(telling(claims))
    page = by_door(visitor, CAMILA)
    assert page.status == 403 and page.shows("ClaveÚnica no confirmó un RUT") and not linked()


@pytest.mark.abuse(56)
@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256, "a\0b"], ids=repr)
def test_who_has_no_subject_that_can_be_kept_is_nobody(
    visitor: Visitor, install: Install, settings: Settings, subject: object
) -> None:
    settings.CLAVEUNICA_PROTOCOL = "guide"
    claims = {"RolUnico": {"numero": 11111111, "DV": "1", "tipo": "RUN"}, "sub": subject}
    install(telling(claims))
    query = visitor.client.get("/ingresar/con/claveunica").headers["Location"].partition("?")[2]
    visitor.open(f"/sandbox/claveunica/openid/authorize/?{query}")
    page = visitor.send(rut=CAMILA, password="testing")
    assert page.status == 403 and page.shows("no respondió como debía") and not linked()


@pytest.mark.abuse(56)
def test_an_equal_mail_links_nothing(visitor: Visitor, install: Install) -> None:
    diego = {"numero": 22222222, "DV": "2", "tipo": "RUN"}
    claims = {"RolUnico": diego, "email": "camila.rojas@example.cl", "email_verified": True}
    install(telling(claims))
    page = by_door(visitor, CAMILA)
    assert page.shows("Vincular ClaveÚnica", "22.222.222-2") and not linked()
    assert visitor.send(key=KEY).shows("Hay un problema") and not linked(), "Camila's key is not Diego's"
    assert visitor.send(rut=CAMILA, key=KEY).shows("Este no es el RUT que se confirmó") and not linked()


@pytest.mark.abuse(56)
@pytest.mark.parametrize("rut", [CAMILA, "44444444-4"])
def test_a_person_enters_by_no_door_for_entities(visitor: Visitor, install: Install, rut: str) -> None:
    install(telling({"rut": rut}, "clave-tributaria"))
    page = by_door(visitor, CAMILA, "tributaria")
    assert page.status == 403 and page.shows("sirve solo para empresas y otras entidades") and not linked()


@pytest.mark.abuse(56)
def test_the_simulated_door_for_entities_has_a_person_to_be_refused(visitor: Visitor) -> None:
    assert by_door(visitor, CAMILA, "tributaria").shows("Las personas usan ClaveÚnica")
    assert by_door(visitor, AUSTRAL, "tributaria").shows("Vincular Clave Tributaria")


@pytest.mark.abuse(56)
def test_a_subject_whose_rut_has_become_another_is_refused(visitor: Visitor, install: Install) -> None:
    link_camila(visitor)
    claims = {"RolUnico": {"numero": 22222222, "DV": "2", "tipo": "RUN"}}
    install(telling(claims))
    page = by_door(Visitor("198.51.100.9"), CAMILA)
    assert page.status == 403 and page.shows("no es el de la cuenta vinculada")


@pytest.mark.abuse(56)
def test_another_subject_with_the_same_run_needs_the_key_again_and_replaces_the_first(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_camila(visitor)
    monkeypatch.setattr(openid.Provider, "subject", lambda self, rut: "another")
    other = Visitor("198.51.100.9")
    assert by_door(other, CAMILA).shows("Vincular ClaveÚnica")
    other.send(key=KEY)
    assert UpstreamIdentity.objects.get().subject == "another"


# Whom Clave keeps out


@pytest.mark.abuse(56)
def test_who_is_refused_or_waits_after_wrong_keys_does_not_enter_by_the_door(visitor: Visitor, clock: Stopped) -> None:
    link_camila(visitor)
    thief = Visitor("198.51.100.66")
    thief.open("/ingresar")
    for _ in range(5):
        assert thief.send(rut=CAMILA, key="MALA123456").shows("Hay un problema")
    page = by_door(Visitor("198.51.100.9"), CAMILA)
    assert page.status == 429 and page.shows("Demasiados intentos")
    entry = Entry.objects.filter(action="signin").latest("pk")
    assert (entry.outcome, entry.detail) == ("too_many_attempts", {"door": "claveunica"})
    clock.move(hours=1)
    Holder.objects.filter(identifier=CAMILA).update(verification=Verification.REFUSED)
    page = by_door(Visitor("198.51.100.10"), CAMILA)
    assert page.status == 403 and page.shows("Esta cuenta no puede usarse")


@pytest.mark.abuse(56)
def test_a_step_after_the_door_is_of_its_browser_and_its_door(visitor: Visitor) -> None:
    page = by_door(visitor, CAMILA)
    step = page.url.removeprefix("http://localhost:8000")
    assert Visitor("198.51.100.9").open(step).shows("Este paso ya no está disponible")
    assert visitor.open(step.replace("claveunica", "tributaria")).shows("Este paso ya no está disponible")
    assert visitor.open(step.replace("vincular", "registrarse")).shows("Este paso ya no está disponible")


@pytest.mark.abuse(56)
def test_the_run_of_a_registration_cannot_be_exchanged(visitor: Visitor) -> None:
    by_door(visitor, "44444444-4")
    assert visitor.send(**{**REGISTRATION, "rut": "88888888-8"}).shows("Este no es el RUT que se confirmó")
    assert not linked() and not Holder.objects.filter(identifier__startswith="88888888").exists()


@pytest.mark.abuse(21, 56)
@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_back_stays_on_this_site(visitor: Visitor, back: str) -> None:
    link_camila(visitor)
    other = Visitor("198.51.100.9")
    assert by_door(other, CAMILA, back=back).url.endswith("/mi-cuenta")


@pytest.mark.abuse(56)
def test_of_one_answer_brought_back_many_times_at_once_one_is_taken(committed: None) -> None:
    visitor = Visitor()
    honest = code_for(visitor)
    jobs = []
    for _ in range(6):
        tab = Client(REMOTE_ADDR="203.0.113.7")
        tab.cookies.load({name: morsel.value for name, morsel in visitor.client.cookies.items()})
        jobs.append(partial(tab.get, honest))
    statuses = sorted(response.status_code for response in done_at_once(jobs))
    assert statuses == [302, 403, 403, 403, 403, 403]
