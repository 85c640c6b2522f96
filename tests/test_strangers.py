"""What strangers learn and cause without proving anything: registration, quotas, forms of other browsers."""

from dataclasses import replace

import pytest
from django.db import transaction

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.lib.request_context import RequestContext
from clave.web import idempotency, rendering
from clave.web.models import Submission
from tests.story import REGISTRATION, Mailbox, Visitor

pytestmark = pytest.mark.slow

CAMILA, KEY, MAIL = "11111111-1", "KM482915", "camila.rojas@example.cl"
TELLING = {
    CAMILA: "Esta cuenta ya tiene Clave SENCE",
    "77777777-7": "esta persona falleció",
    "12345678-5": "El Registro Civil no conoce este RUT",
}
NOTHING_TOLD = "No pudimos crear la cuenta con estos datos"


@pytest.mark.abuse(71)
@pytest.mark.parametrize("rut", [*TELLING, "44444444-4"])
def test_a_key_that_the_policy_refuses_tells_nothing_about_the_rut(visitor: Visitor, rut: str) -> None:
    page = visitor.register(rut=rut, new_key="AA123456", new_key_again="AA123456")
    assert page.shows("muy fácil de adivinar")
    assert not any(told in page.text for told in TELLING.values())


@pytest.mark.abuse(71)
def test_who_is_registered_dead_or_unknown_is_told_ten_times_an_hour_and_audited(
    visitor: Visitor, clock: Stopped
) -> None:
    seen: list[bool] = []
    for number in range(16):
        rut = list(TELLING)[number % 3]
        page = visitor.register(rut=rut)
        seen.append(TELLING[rut] in page.text)
        assert seen[-1] or page.shows(NOTHING_TOLD)
    assert seen == [True] * 10 + [False] * 6
    told = Entry.objects.filter(action="holder.registered").exclude(outcome="ok")
    assert told.count() == 16 and set(told.values_list("outcome", flat=True)) == {
        "already_registered",
        "deceased",
        "unknown_run",
    }
    assert visitor.register().shows("Su cuenta fue creada"), "who registers is never refused for the others"
    clock.move(hours=1)
    assert visitor.register(rut=CAMILA).shows(TELLING[CAMILA])


@pytest.mark.abuse(71)
def test_changing_the_address_within_a_network_helps_for_a_while_only(demo: None, clock: Stopped) -> None:
    told = [TELLING[CAMILA] in Visitor(f"198.51.100.{n}").register(rut=CAMILA).text for n in range(45)]
    assert told == [True] * 40 + [False] * 5


@pytest.mark.abuse(71)
def test_signing_in_stops_telling_who_is_registered_too(demo: None, clock: Stopped) -> None:
    texts = []
    for number in range(12):
        visitor = Visitor()
        visitor.sign_in(f"{10_000_000 + number}-{_digit(10_000_000 + number)}", "AA000000")
        texts.append(visitor.send(captcha=visitor.letters(visitor.page.fields["captcha_ticket"]), key="AA000000").text
                     if "captcha_ticket" in visitor.page.fields else visitor.page.text)  # fmt: skip
    assert sum("persona no registrada. Regístrese" in text for text in texts) == 10
    assert all("persona no registrada o Clave SENCE incorrecta" in text for text in texts[10:])


def _digit(number: int) -> str:
    from clave.lib.rut import check_digit

    return check_digit(number)


@pytest.mark.abuse(69)
def test_registrations_that_name_somebodys_mail_do_not_stop_that_person(demo: None, mailbox: Mailbox) -> None:
    camila = Holder.objects.get(identifier=CAMILA)
    from clave.selfservice.register.service import _welcome

    for _ in range(25):
        _welcome(camila, camila.mobile)
    assert len(mailbox.to(MAIL)) == 20, "the flood ends at its share"
    visitor = Visitor()
    assert visitor.change_key(CAMILA, KEY, "NW604827").shows("Su clave fue cambiada")
    assert mailbox.last(MAIL)["subject"] == "Su Clave SENCE fue cambiada"
    assert visitor.ask_for_key(CAMILA, "Copito").shows("Su clave va en camino")
    assert mailbox.key(MAIL)


@pytest.mark.abuse(69)
def test_whoever_registers_is_not_refused_because_the_mail_was_named_by_others(demo: None, mailbox: Mailbox) -> None:
    camila = Holder.objects.get(identifier=CAMILA)
    from clave.selfservice.register.service import _welcome

    camila.email = "cuatro@example.cl"
    for _ in range(20):
        _welcome(camila, "")
    assert Visitor().register().shows("Su cuenta fue creada")
    assert len(mailbox.to("cuatro@example.cl")) == 20


@pytest.mark.abuse(69)
def test_an_update_that_names_somebodys_mail_again_and_again_floods_nobody(demo: None, mailbox: Mailbox) -> None:
    from clave.selfservice.update import service as update

    for number in range(50):
        camila = Holder.objects.get(identifier=CAMILA)
        for mail in ("victima@example.cl", MAIL):
            update.update(camila, {"email": mail, "new_key": ""}, None, RequestContext(f"198.51.100.{number}"))
            camila = Holder.objects.get(identifier=CAMILA)
    flood = [
        mail for mail in mailbox.to("victima@example.cl") if mail["subject"] != "Cambió el correo de su Clave SENCE"
    ]
    assert len(flood) == 20


# One form, one browser


@pytest.mark.abuse(47)
def test_the_same_form_posted_from_another_browser_is_refused(visitor: Visitor) -> None:
    visitor.open("/persona/registrarse")
    form = visitor.fill(**REGISTRATION)
    assert visitor.post("/persona/registrarse", form).shows("Su cuenta fue creada")
    other = Visitor("198.51.100.8")
    other.open("/persona/registrarse")
    again = other.fill(**{**REGISTRATION, "rut": "88888888-8"})
    page = other.post("/persona/registrarse", {**again, "envio": form["envio"]})
    assert page.status == 403 and page.shows("Este formulario se abrió en otro navegador")
    assert Submission.objects.count() == 1


@pytest.mark.abuse(78)
def test_a_form_whose_worker_died_is_done_when_it_is_sent_again(visitor: Visitor, clock: Stopped) -> None:
    visitor.open("/persona/registrarse")
    form = visitor.fill(**REGISTRATION)
    from clave.web.middleware import context_of

    dead = replace(context_of(visitor.page.response.wsgi_request), submission=form["envio"])
    idempotency.claim(dead)
    clock.move(seconds=11)
    assert visitor.post("/persona/registrarse", form).shows("Su cuenta fue creada")


@pytest.mark.abuse(78)
def test_what_comes_to_an_end_after_its_claim_was_taken_over_is_undone(visitor: Visitor, clock: Stopped) -> None:
    from clave.selfservice.models import Waiting
    from clave.selfservice.recover.service import WillTell, tell_when_back
    from clave.web.middleware import context_of

    def told_when_back(email: str, context: RequestContext) -> WillTell:
        with transaction.atomic():
            outcome = tell_when_back("sii", email, context)
            idempotency.finish(context, outcome)
        return outcome

    visitor.open("/persona/registrarse")
    context = replace(context_of(visitor.page.response.wsgi_request), submission="x" * 24)
    late = idempotency.claim(context).context
    clock.move(seconds=11)
    quick = idempotency.claim(context).context
    assert isinstance(told_when_back(MAIL, quick), WillTell)
    with pytest.raises(idempotency.StillWorking):
        told_when_back("otra@example.cl", late)
    assert [each.email for each in Waiting.objects.all()] == [MAIL]


@pytest.mark.abuse(78)
def test_a_form_that_is_still_worked_on_says_so(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from clave.web.middleware import context_of

    monkeypatch.setattr(idempotency, "_WAIT_SECONDS", 0.1)
    visitor.open("/persona/registrarse")
    form = visitor.fill(**REGISTRATION)
    idempotency.claim(replace(context_of(visitor.page.response.wsgi_request), submission=form["envio"]))
    page = visitor.post("/persona/registrarse", form)
    assert page.status == 503 and page.shows("Seguimos trabajando en su solicitud", "No se hace dos veces")


# What is kept for everybody


@pytest.mark.abuse(53)
def test_no_page_kept_for_everybody_holds_anything_of_one_person(visitor: Visitor) -> None:
    """Every address that needs nothing in it is shown to somebody signed in first, then searched for canaries."""
    from django.urls import URLResolver, get_resolver

    rendering._rendered.clear()
    Holder.objects.filter(identifier=CAMILA).update(names="Canaria", surnames="Secreta", street="Calle Canaria")
    visitor.sign_in(CAMILA, KEY)
    secrets = [morsel.value for morsel in visitor.client.cookies.values()]
    included = [each for each in get_resolver().url_patterns if isinstance(each, URLResolver) and not str(each.pattern)]
    for pattern in (pattern for each in included for pattern in each.url_patterns):
        if "<" not in str(pattern.pattern):
            visitor.client.get(f"/{pattern.pattern}", {"volver": "/canaria"})
            visitor.client.get(f"/{pattern.pattern}")
    assert len(rendering._rendered) > 10
    kept = "\n".join(rendering._rendered.values())
    for canary in ("Canaria", "Secreta", "canaria", CAMILA, "11.111.111-1", MAIL, *secrets):
        assert canary not in kept, canary


@pytest.mark.abuse(53)
def test_a_page_is_kept_only_where_its_class_asks_for_it() -> None:
    from clave.otec_portal.access import OtecPage
    from clave.signin.login_required import HolderPage
    from clave.signin.sign_in import SignIn
    from clave.web.form_pages import FormPage

    assert not any(base.cached_blank for base in (FormPage, HolderPage, OtecPage, SignIn))
