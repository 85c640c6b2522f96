"""The pages of sign-on that people see: where they come from, what they are told, where they can go."""

from clave.lib.clock import Stopped
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
    assert "Aula Virtual" not in Visitor().open("/ingresar").text
    assert "Aula Virtual" not in visitor.open("/ingresar?volver=/mi-cuenta/sesiones").text
    assert "Aula Virtual" not in Visitor().open("/ingresar?volver=/sso/solicitud/x").text


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


def test_only_the_profiles_that_may_enter_are_offered(demo: None) -> None:
    visitor = Visitor()
    page = visitor.open(Application(profiles=["PJ", "PN"]).url())
    assert page.url.startswith("/ingresar/empresa") and page.shows("Ingresar como Persona Jurídica", "Persona Natural")
    assert "Migrante" not in page.text


def test_who_has_no_clave_registers_and_gets_there(demo: None) -> None:
    visitor = arrived(Application())
    visitor.register()
    assert visitor.page.shows("Su cuenta fue creada")
    assert visitor.open("/ingresar").shows("Ingrese para entrar a Aula Virtual")
    assert visitor.send(rut=REGISTRATION["rut"], key=REGISTRATION["new_key"]).shows("Entrar a Aula Virtual")


def test_who_has_forgotten_the_key_recovers_it_and_gets_there(demo: None, mailbox: Mailbox) -> None:
    visitor = arrived(Application())
    visitor.ask_for_key(CAMILA[0], "Copito")
    key = mailbox.key("camila.rojas@example.cl")
    visitor.open("/ingresar")
    assert visitor.send(rut=CAMILA[0], key=key).shows("Elija su clave nueva")
    assert visitor.send(new_key="NW604827", new_key_again="NW604827").shows("Su clave fue cambiada")
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
