"""The pages of sign-on that people see: where they come from, what they are told, where they can go."""

import pytest

from clave.lib.clock import Stopped
from clave.sso import authorization_checks, logout_checks
from clave.sso.views.problems import NUMBERS
from tests.desk import Desk
from tests.sso.application import CAMILA, Application, signed_in
from tests.story import REGISTRATION, Mailbox, Visitor, found


def test_another_system_cannot_sign_an_operator_out(demo: None) -> None:
    desk = Desk("agente")
    desk.open("/sso/logout")
    assert desk.open("/backoffice/").url == "/backoffice/"


def arrived(app: Application, **changes: str | None) -> Visitor:
    """Return somebody whom an application has sent here to sign in."""
    visitor = Visitor()
    assert visitor.open(app.url(**changes)).shows("Ingrese para entrar a Aula Virtual", "Ingresar con mi Clave SENCE")
    return visitor


def test_the_sign_in_page_says_for_which_system_and_only_to_who_comes_from_there(demo: None) -> None:
    app = Application()
    visitor = arrived(app)
    assert visitor.open("/ingresar/empresa").shows("Ingrese para entrar a Aula Virtual")
    for page in ("/ingresar", "/ingresar/empresa", "/ingresar?volver=/sso/solicitud/x"):
        assert "Aula Virtual" not in Visitor().open(page).text
    assert "Aula Virtual" not in visitor.open("/ingresar?volver=/mi-cuenta/sesiones").text


def test_another_language_keeps_the_way(demo: None) -> None:
    app = Application()
    visitor = arrived(app)
    assert 'lang="en"' in visitor.open(f"/idioma/en?volver={visitor.page.url}").html
    assert "Aula Virtual" in visitor.page.text
    visitor.send(rut=CAMILA[0], key=CAMILA[1])
    assert visitor.page.url.endswith("/permiso")


def test_who_is_expected_need_not_type_the_rut_and_it_is_not_in_the_address(demo: None) -> None:
    visitor = arrived(Application(), login_hint="11111111-1")
    assert visitor.page.fields["rut"] == "11.111.111-1" and "111" not in visitor.page.url
    assert arrived(Application(), login_hint="<script>").page.fields["rut"] == ""
    assert visitor.open("/ingresar/empresa").fields["rut"] == "", "another profile's number is another one"


def test_an_account_that_may_not_enter_is_told_which_may(demo: None) -> None:
    app, camila = Application(profiles=["PJ", "MI"]), signed_in()
    page = camila.open(app.url())
    assert page.shows("Necesita otra cuenta", "no se puede entrar a Aula Virtual", "Persona Jurídica", "Migrante")
    cancel = found(r'href="(/sso/solicitud/\w+/cancelar)"', page.html)[1]
    assert app.answer(camila.client.get(cancel))["error"] == "access_denied"


def test_only_the_profiles_that_may_enter_are_offered(demo: None) -> None:
    visitor = Visitor()
    page = visitor.open(Application(profiles=["PJ", "PN"]).url())
    assert page.url.startswith("/ingresar/empresa") and page.shows("Ingresar como Persona Jurídica", "Persona Natural")
    assert "Migrante" not in page.text


def test_who_has_no_clave_registers_and_gets_there(demo: None) -> None:
    visitor = arrived(Application())
    visitor.register()
    assert visitor.page.shows("Su cuenta fue creada", "ingrese y seguirá a Aula Virtual")
    assert visitor.open("/ingresar").shows("Ingrese para entrar a Aula Virtual")
    assert visitor.send(rut=REGISTRATION["rut"], key=REGISTRATION["new_key"]).shows("Entrar a Aula Virtual")


def test_who_has_forgotten_the_key_recovers_it_and_gets_there(demo: None, mailbox: Mailbox) -> None:
    visitor = arrived(Application())
    visitor.ask_for_key(CAMILA[0], "Copito")
    key = mailbox.key("camila.rojas@example.cl")
    visitor.open("/ingresar")
    assert visitor.send(rut=CAMILA[0], key=key).shows("Elija su clave nueva")
    assert visitor.send(new_key="NW604827", new_key_again="NW604827").shows("Su clave fue cambiada", "Aula Virtual")
    visitor.open("/ingresar")
    assert visitor.send(rut=CAMILA[0], key="NW604827").shows("Entrar a Aula Virtual")


def test_the_way_is_forgotten_after_half_an_hour(demo: None, clock: Stopped) -> None:
    visitor = arrived(Application())
    clock.move(minutes=31)
    assert "Aula Virtual" not in visitor.open("/ingresar").text
    assert visitor.send(rut=CAMILA[0], key=CAMILA[1]).url == "/mi-cuenta"


def test_who_does_not_want_to_sign_in_goes_back(demo: None) -> None:
    app = Application()
    visitor = arrived(app)
    assert visitor.page.shows("Volver a Aula Virtual sin ingresar")
    cancel = found(r'href="(/sso/solicitud/\w+/cancelar)"', visitor.page.html)[1]
    answer = app.answer(visitor.client.get(cancel))
    assert answer["error"] == "access_denied" and answer["state"] == app.state
    assert "Aula Virtual" not in visitor.open("/ingresar").text
    assert Visitor().open(cancel).status == 400, "it is another browser's"


def test_somebody_else_signs_in_with_another_account(demo: None) -> None:
    app, visitor = Application(), signed_in()
    page = visitor.open(app.url())
    other = found(r'href="(/sso/solicitud/\w+/otra-cuenta)"', page.html)[1]
    assert visitor.open(other).shows("Ingrese para entrar a Aula Virtual")
    assert visitor.send(rut="22.222.222-2", key="TR618204").shows("Entrar a Aula Virtual", "22.222.222-2")


def test_what_a_system_may_see_and_who_answers_for_it_is_said(demo: None) -> None:
    app = Application(contact="soporte@app.example.cl", home_url="https://app.example.cl/inicio")
    page = signed_in().open(app.url(scope="openid email offline_access"))
    assert page.shows(
        "Aula Virtual podrá ver:", "Que usted ingresó con su Clave SENCE", "Su correo", "No verá su Clave"
    )
    assert page.shows("también cuando usted no está usando el sistema", "Después irá a app.example.cl")
    assert page.shows("https://app.example.cl/inicio", "soporte@app.example.cl")


def test_every_problem_has_a_number_that_can_be_read_out(demo: None) -> None:
    checks = {code for code, _check in (*authorization_checks.SHOWN_CHECKS, *logout_checks.CHECKS)}
    assert checks | {"unknown_client", "logout_too_long"} == set(NUMBERS) and len(set(NUMBERS.values())) == len(NUMBERS)


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/sso/authorize", "7-1", "mal configurado"),
        ("/sso/solicitud/" + "0" * 32, "7-4", "venció o se empezó en otro navegador"),
        ("/sso/logout?id_token_hint=x", "7-6", "No podemos volver a ese sistema"),
        ("/sso/logout?post_logout_redirect_uri=https://otro.example.cl/", "7-1", "ciérrela en Mi cuenta"),
    ],
)
def test_a_problem_is_not_the_persons_fault_and_there_is_a_way_on(
    demo: None, visitor: Visitor, path: str, code: str, words: str
) -> None:
    page = visitor.open(path)
    assert page.status == 400 and page.shows(words, f"Código para la mesa de ayuda: {code}")


def test_a_suspended_system_is_named_with_who_answers_for_it(demo: None, visitor: Visitor) -> None:
    app = Application(active=False, contact="soporte@app.example.cl")
    page = visitor.open(app.url())
    assert page.shows("Aula Virtual no puede usar la Clave SENCE por ahora", "soporte@app.example.cl", "7-2")
    app.client.active = True
    app.client.save()
    assert visitor.open(app.url(redirect_uri="https://otro.example.cl/")).shows("mal configurado", "7-5")
    assert visitor.open(app.url().replace("/sso/", "/openid/")).shows("mal configurado", "7-3")


def test_the_page_after_signing_out_says_so_and_leads_back(demo: None) -> None:
    app, camila = Application(frontchannel_logout_uri="https://app.example.cl/aviso"), signed_in()
    hint = app.tokens(camila)["id_token"]
    back = "https://app.example.cl/adios"
    page = camila.open(f"/sso/logout?id_token_hint={hint}&post_logout_redirect_uri={back}&state=x")
    assert page.shows("Salió de su cuenta", "Volver a Aula Virtual")
    assert f'href="{back}?state=x"' in page.html and "http-equiv" not in page.html, "the frames are loaded first"
    assert "frame-src https://app.example.cl" in page.response.headers["Content-Security-Policy"]


def test_who_has_entered_many_systems_leafs_through_what_they_received(demo: None, clock: Stopped) -> None:
    app, camila = Application(), signed_in()
    for _ in range(11):
        app.tokens(camila, scope="openid email")
        clock.move(seconds=60)
    page = camila.open("/mi-cuenta/sistemas")
    assert page.shows("Qué recibieron y cuándo", "Página 1 de 2", "Anteriores")
    assert camila.open("/mi-cuenta/sistemas?pagina=2").shows("Página 2 de 2", "Más recientes", "Su correo")
