"""Logging out. Source: OpenID Connect RP-Initiated, Front-Channel and Back-Channel Logout 1.0."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.privacy import service as privacy
from clave.sso import jwts, logout
from clave.sso.models import Client, Grant, LogoutNotice
from tests.sso.application import CAMILA, DIEGO, Application, Fields, issuer, signed_in
from tests.story import Page, Visitor

pytestmark = pytest.mark.slow

BACK = "https://app.example.cl/adios"


def is_signed_in(person: Visitor) -> bool:
    return person.client.get("/mi-cuenta").status_code == 200


def ask(person: Visitor, *, method: str = "get", **fields: str) -> Any:
    return getattr(person.client, method)("/sso/logout", fields)


def test_a_client_ends_the_session_it_has_a_token_of(app: Application, camila: Visitor) -> None:
    """RP-Initiated Logout 1.0, sections 2 and 3; the module rp-initiated-logout."""
    hint = app.tokens(camila)["id_token"]
    response = ask(camila, id_token_hint=hint, post_logout_redirect_uri=BACK, state="a b&c")
    parts = urlsplit(response.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK and dict(parse_qsl(parts.query)) == {"state": "a b&c"}
    assert not is_signed_in(camila)
    answer = app.answer(camila.client.get(app.url(prompt="none")))
    assert answer["error"] == "login_required"


def test_a_posted_request_comes_again_by_get(app: Application, camila: Visitor) -> None:
    """Section 2: GET and POST. Another site's form brings no cookie of ours."""
    hint = app.tokens(camila)["id_token"]
    fields = {"id_token_hint": hint, "post_logout_redirect_uri": BACK, "state": "x", "unknown": "y" * 5000}
    response = ask(camila, method="post", **fields)
    assert response.status_code == 303 and is_signed_in(camila)
    assert camila.client.get(response.headers["Location"]).headers["Location"] == f"{BACK}?state=x"
    long = ask(camila, method="post", id_token_hint=hint, state="y" * 5000)
    assert long.status_code == 400 and "7-7" in long.content.decode()


def test_without_a_state_nothing_is_added(app: Application, camila: Visitor) -> None:
    """The module rp-initiated-logout-no-state."""
    hint = app.tokens(camila)["id_token"]
    assert ask(camila, id_token_hint=hint, post_logout_redirect_uri=BACK).headers["Location"] == BACK


def test_without_an_address_a_page_of_ours_says_it(app: Application, camila: Visitor) -> None:
    """The module rp-initiated-logout-no-post-logout-redirect-uri."""
    hint = app.tokens(camila)["id_token"]
    assert Page(ask(camila, id_token_hint=hint)).shows("Salió de su cuenta")
    assert not is_signed_in(camila)


@pytest.mark.parametrize("fields", [{}, {"state": "x"}], ids=["no-params", "only-state"])
@pytest.mark.abuse(40)
def test_whoever_has_no_token_must_leave_it_to_the_person(app: Application, camila: Visitor, fields: Fields) -> None:
    """Section 2 (CSRF on logout); the modules rp-initiated-logout-no-params and -only-state."""
    app.tokens(camila)
    assert Page(ask(camila, **fields)).shows("¿Quiere salir?") and is_signed_in(camila)
    page = camila.open("/sso/logout?" + urlencode(fields))
    assert camila.post(page.url, page.fields).shows("Salió de su cuenta") and not is_signed_in(camila)


@pytest.mark.abuse(40)
def test_a_client_without_a_token_leads_back_only_after_the_person_said_yes(app: Application, camila: Visitor) -> None:
    """Section 2, `client_id`; the module rp-initiated-logout-no-id-token-hint."""
    app.tokens(camila)
    asked = {"client_id": app.client_id, "post_logout_redirect_uri": BACK, "state": "x"}
    page = camila.open("/sso/logout?" + urlencode(asked))
    assert page.shows("Aula Virtual pide cerrar su sesión") and is_signed_in(camila)
    done = camila.post(page.url, page.fields)
    assert f"{BACK}?state=x" in done.html and not is_signed_in(camila)
    nobody = ask(Visitor(), post_logout_redirect_uri=BACK)
    assert nobody.status_code == 400, "an address alone says nothing of whose it is"


@pytest.mark.abuse(40)
@pytest.mark.parametrize(
    "address",
    [
        f"{BACK}?foo=bar",
        f"{BACK}/",
        f"{BACK}#",
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "\x00",
    ],
)
def test_an_address_that_is_not_registered_is_told_to_the_person(
    app: Application, camila: Visitor, address: str
) -> None:
    """Section 3; the modules -bad-post-logout-redirect-uri and -query-added-to-post-logout-redirect-uri."""
    hint = app.tokens(camila)["id_token"]
    response = ask(camila, id_token_hint=hint, post_logout_redirect_uri=address)
    assert response.status_code == 400 and "Location" not in response.headers and is_signed_in(camila)
    confirmed = camila.client.post(
        "/sso/logout/confirmar", {"id_token_hint": hint, "post_logout_redirect_uri": address}
    )
    assert confirmed.status_code == 400 and is_signed_in(camila)


@pytest.mark.abuse(40)
def test_a_hint_that_is_changed_or_none_of_ours_is_told_to_the_person(app: Application, camila: Visitor) -> None:
    """Section 4; the modules -modified-id-token-hint (alg "none") and -bad-id-token-hint."""
    hint = app.tokens(camila)["id_token"]
    head, payload, signature = hint.split(".")
    none = "eyJhbGciOiJub25lIn0"
    changed = [
        f"{none}.{payload}.",
        f"{head}.{payload}.",
        f"{head}.{payload[:-2]}.{signature}",
        hint[:-4],
        "bad",
        "\x00",
    ]
    for bad in changed:
        response = ask(camila, id_token_hint=bad, post_logout_redirect_uri=BACK, client_id=app.client_id)
        assert response.status_code == 400 and "Location" not in response.headers and is_signed_in(camila), bad


@pytest.mark.abuse(40)
def test_a_token_serves_only_its_client_and_its_session(app: Application, camila: Visitor) -> None:
    """Sections 2 and 4: another's client_id is an error; another session is asked about."""
    hint = app.tokens(camila)["id_token"]
    other = Application()
    assert ask(camila, id_token_hint=hint, client_id=other.client_id).status_code == 400
    diego = signed_in(*DIEGO)
    assert Page(ask(diego, id_token_hint=hint)).shows("¿Quiere salir?") and is_signed_in(diego)
    again = signed_in()
    assert Page(ask(again, id_token_hint=hint)).shows("¿Quiere salir?"), "the same person, another browser"


@pytest.mark.abuse(40)
def test_a_logout_token_ends_nothing(app: Application, camila: Visitor) -> None:
    """RFC 8725, section 3.11: signed with the same key, and no ID token."""
    app.tokens(camila)
    grant = Grant.objects.get()
    token = logout.logout_token(LogoutNotice(client=app.client, subject=grant.subject, sid=grant.sid))
    assert ask(camila, id_token_hint=token).status_code == 400 and is_signed_in(camila)


def test_a_token_that_has_expired_still_serves(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Section 2: the OP should accept an ID token that has expired."""
    hint = app.tokens(camila)["id_token"]
    clock.move(hours=1)
    assert ask(camila, id_token_hint=hint, post_logout_redirect_uri=BACK).headers["Location"] == BACK


def test_the_browser_tells_the_clients_that_ask_for_it(app: Application, camila: Visitor) -> None:
    """Front-Channel Logout 1.0, sections 2 and 3; the module frontchannel-rp-initiated-logout."""
    Client.objects.update(frontchannel_logout_uri="https://app.example.cl/front?x=1")
    tokens = app.tokens(camila)
    sid = app.read(tokens["id_token"])["sid"]
    page = Page(ask(camila, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK, state="s"))
    told = urlencode({"iss": issuer(), "sid": sid}).replace("&", "&amp;")
    assert f'src="https://app.example.cl/front?x=1&amp;{told}"' in page.html and f"{BACK}?state=s" in page.html
    policy = page.response.headers["Content-Security-Policy"]
    assert "frame-src https://app.example.cl" in policy and "frame-ancestors 'none'" in policy
    assert Entry.objects.filter(action="signout").count() == 1


def test_the_browser_names_each_client_the_issuer_that_it_knows(demo: None, camila: Visitor) -> None:
    """Front-Channel Logout 1.0, section 3 (`iss`)."""
    dialect = Application(dialect="claveunica", frontchannel_logout_uri="https://app.example.cl/front")
    dialect.tokens(camila, scope="openid run")
    camila.open("/mi-cuenta")
    page = camila.post("/salir", {})
    assert urlencode({"iss": issuer("/openid")}) in page.html


class Listener(HTTPServer):
    """A client's server: keeps what comes, answers with `status`."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/back"


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.append(parse_qs(body)["logout_token"][0])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_clients_server_is_told(app: Application, clock: Stopped, listener: Listener) -> None:
    """Back-Channel Logout 1.0, sections 2.4 and 2.5; the module backchannel-rp-initiated-logout. authentik 16490 forgot
    `exp`.
    """
    Client.objects.update(backchannel_logout_uri=listener.url)
    camila = signed_in()
    tokens = app.tokens(camila)
    ask(camila, id_token_hint=tokens["id_token"])
    assert logout.end_grants() == 1 and logout.send_notices() == 1
    (token,) = listener.got
    header, told, said = jwts.header_of(token), app.read(token), app.read(tokens["id_token"])
    assert header and header["typ"] == "logout+jwt" and header["alg"] == "RS256"
    assert told["iss"] == issuer() and told["aud"] == app.client_id and told["jti"]
    assert told["sub"] == said["sub"] and told["sid"] == said["sid"]
    assert told["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert told["iat"] < told["exp"] <= told["iat"] + 120 and "nonce" not in told
    assert logout.end_grants() == 0 and logout.send_notices() == 0 and len(listener.got) == 1


@pytest.mark.parametrize("way", ["salir", "nueva clave", "vencida", "cuenta eliminada"])
def test_however_the_session_ends(app: Application, clock: Stopped, listener: Listener, way: str) -> None:
    """Back-Channel Logout 1.0, section 2.5: sign-out, a new key, expiry, the deletion of the account."""
    Client.objects.update(backchannel_logout_uri=listener.url)
    camila = signed_in()
    app.tokens(camila)
    if way == "salir":
        camila.post("/salir", {})
    elif way == "nueva clave":
        camila.change_key(CAMILA[0], CAMILA[1], "NW604821")
    elif way == "cuenta eliminada":
        privacy.erase(Holder.objects.get(identifier="11111111-1"), SYSTEM)
    else:
        clock.move(days=60)
    logout.end_grants()
    assert logout.send_notices() == 1


def test_a_client_that_does_not_take_it_is_told_again_and_holds_up_no_other(
    app: Application, clock: Stopped, listener: Listener
) -> None:
    """Back-Channel Logout 1.0, section 2.8: other answers than 200 and 204 are failures."""
    listener.status = 500
    Client.objects.update(backchannel_logout_uri=listener.url)
    people = [signed_in(), signed_in(), signed_in(*DIEGO)]
    for person in people:
        app.tokens(person)
        person.post("/salir", {})
    assert logout.end_grants() == 3 and logout.send_notices() == 0
    assert len(listener.got) == 1, "asked once a round, not once a session"
    listener.status = 204
    clock.move(seconds=4)
    assert logout.send_notices() == 0
    clock.move(seconds=1)
    assert logout.send_notices() == 3


def test_who_may_act_offline_keeps_its_tokens(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Back-Channel Logout 1.0, section 2.7."""
    online = app.tokens(camila)["access_token"]
    offline = app.tokens(camila, scope="openid offline_access")
    camila.post("/salir", {})
    assert logout.end_grants() == 2
    assert app.userinfo(online).status_code == 401
    assert app.refresh(offline["refresh_token"]).status_code == 200
