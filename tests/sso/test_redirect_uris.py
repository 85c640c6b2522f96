"""Abuse case 40: where an answer may go. Source: RFC 9700, sections 2.1 and 4.1; RFC 8252, sections 7 and 8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.sso import client_rules
from clave.sso.authorization_request import AuthorizationRequest, without_loopback_port
from clave.sso.issuers import STANDARD
from clave.sso.models import Client
from tests.sso.application import RETURN, Application
from tests.story import Visitor

HOSTS = [
    "evil.example",
    "app.example.cl.evil.example",
    "evilapp.example.cl",
    "app.example.clevil",
    "app.example.cl.",
    "app.example.cl:443",
    "app.example.cl:8443",
    "app.example.cl@evil.example",
    "user@app.example.cl",
    "user:pass@app.example.cl",
    "APP.EXAMPLE.CL",
    "App.example.cl",
    "www.app.example.cl",
    "example.cl",
    "*.example.cl",
    "app%2eexample.cl",
    "app.example.cl%00.evil.example",
    "app.example.cl%0d%0a",
    "app.example.cl%23.evil.example",
    "app.example.cl#.evil.example",
    "app.example.cl?.evil.example",
    "app.example.cl/.evil.example",
    "app.example.cl\\.evil.example",
    "evil.example\\@app.example.cl",
    "evil.example#@app.example.cl",
    "evil.example?@app.example.cl",
    "evil.example;app.example.cl",
    "evil.example,app.example.cl",
    "app.еxample.cl",
    "ａpp.example.cl",
    "app。example。cl",
    "xn--pp-8fa.example.cl",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "0x7f.1",
    "",
]
PATHS = [
    "",
    "/",
    "/callback/",
    "/Callback",
    "/callback?",
    "/callback#",
    "/callback#x",
    "/callback?a=b",
    "/callback&a=b",
    "/callback;a=b",
    "/callback/..",
    "/callback/../evil",
    "/./callback",
    "/x/../callback",
    "/callback%2f..%2fevil",
    "/callback%2e",
    "/%63allback",
    "/callback%00",
    "/callback%20",
    "/callback ",
    "/callback\t",
    "/callback\n",
    "/callback\\",
    "/callback\\..\\evil",
    "//callback",
    "//evil.example/callback",
    "/callback//",
    "/callbackevil",
    "/callbac",
    "/callback.evil",
    "/callback@evil.example",
    "/callback/redirect?to=https://evil.example",
    "/callback?next=//evil.example",
    "/callback%09",
    "/callback\u200b",
    "/callback\ufeff",
    "/cállback",
]
WHOLE = [
    "http://app.example.cl/callback",
    "HTTPS://app.example.cl/callback",
    "https:app.example.cl/callback",
    "https:/app.example.cl/callback",
    "https:///app.example.cl/callback",
    "https:\\\\app.example.cl\\callback",
    "https://app.example.cl/callback https://evil.example",
    "https://evil.example https://app.example.cl/callback",
    " https://app.example.cl/callback",
    "\thttps://app.example.cl/callback",
    "\x00https://app.example.cl/callback",
    "//app.example.cl/callback",
    "/callback",
    "callback",
    "javascript:alert(1)//https://app.example.cl/callback",
    "data:text/html,https://app.example.cl/callback",
    "vbscript:x",
    "file:///callback",
    "ftp://app.example.cl/callback",
    "blob:https://app.example.cl/callback",
    "view-source:https://app.example.cl/callback",
    "intent://app.example.cl/callback#Intent;scheme=https;end",
    "about:blank",
    "urn:ietf:wg:oauth:2.0:oob",
    "null",
    "undefined",
    "*",
    "https://*/callback",
    "https%3A%2F%2Fapp.example.cl%2Fcallback",
    "%68ttps://app.example.cl/callback",
    "ｈttps://app.example.cl/callback",
    "hTTps://app.example.cl/callback",
    RETURN * 2,
    RETURN + "x" * 4000,
    "https://" + "a" * 3000,
]
VARIANTS = [
    *(f"https://{host}/callback" for host in HOSTS),
    *(f"https://app.example.cl{path}" for path in PATHS),
    *WHOLE,
]


def test_there_are_more_than_a_hundred_variants() -> None:
    assert len(set(VARIANTS) - {RETURN}) >= 100


@pytest.mark.abuse(40)
@pytest.mark.parametrize("kind", ["secret", "public"])
def test_an_address_that_is_not_registered_character_by_character_gets_nothing(
    demo: None, camila: Visitor, kind: str
) -> None:
    """RFC 9700, section 2.1: exact comparison; the person is told, and nothing is sent anywhere."""
    app = Application(kind=kind)
    app.code(camila)
    for address in {*VARIANTS, "", None} - {RETURN}:
        response = camila.client.post("/sso/authorize", app.request(redirect_uri=address))
        assert response.status_code == 400 and "Location" not in response.headers, address
        if address is not None and len(address) < 3000:
            response = camila.client.get(app.url(redirect_uri=address))
            assert response.status_code == 400 and "Location" not in response.headers, address
            assert "code=" not in response.content.decode()


LOOPBACK = "http://127.0.0.1/cb"
OTHER_PORTS = ["http://127.0.0.1:1/cb", "http://127.0.0.1:51004/cb", "http://127.0.0.1:65535/cb"]
NOT_THE_PORT = [
    "http://127.0.0.1:/cb",
    "http://127.0.0.1:999999/cb",
    "http://127.0.0.1:80x/cb",
    "http://127.0.0.1:-1/cb",
    "http://127.0.0.1:٣/cb",
    "http://127.0.0.1:80/cb/",
    "http://127.0.0.1:80/",
    "http://127.0.0.1:80/cb#",
    "http://127.0.0.1:80/cb?x",
    "http://127.0.0.1:80\\@evil.example/cb",
    "http://127.0.0.1:80@evil.example/cb",
    "http://127.0.0.1.evil.example:80/cb",
    "http://user@127.0.0.1:80/cb",
    "https://127.0.0.1:80/cb",
    "http://127.0.0.2:80/cb",
    "http://localhost:80/cb",
    "http://[::1]:80/cb",
    "http://127.1:80/cb",
    "http://2130706433:80/cb",
    "HTTP://127.0.0.1:80/cb",
    "http://127.0.0.1:80\t/cb",
    "http://127.0.0.1:8 0/cb",
]


@pytest.mark.abuse(40)
def test_only_the_port_of_ones_own_machine_may_differ(demo: None, camila: Visitor) -> None:
    """RFC 8252, section 7.3: for a native application at the loopback address, and for nobody else."""
    native = Application(kind="public", redirect_uris=[LOOPBACK, "http://[::1]/cb"], sector="app.example.cl")
    for address in [LOOPBACK, *OTHER_PORTS, "http://[::1]:1/cb", "http://[::1]:51004/cb"]:
        response = camila.client.get(native.url(redirect_uri=address))
        assert response.status_code == 302 and response.headers["Location"].endswith("/permiso"), address
    for address in NOT_THE_PORT:
        if address != "http://[::1]:80/cb":
            assert camila.client.get(native.url(redirect_uri=address)).status_code == 400, address
    confidential = Application(redirect_uris=[LOOPBACK])
    for address in OTHER_PORTS:
        assert camila.client.get(confidential.url(redirect_uri=address)).status_code == 400, address


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_follows_a_loopback_address_is_compared(rest: str) -> None:
    """Only digits after a colon, up to five, are set aside."""
    client = Client(client_id="x", kind="public", redirect_uris=[LOOPBACK])
    request = AuthorizationRequest(STANDARD, client, {"redirect_uri": f"http://127.0.0.1{rest}"})
    port = rest.removesuffix("/cb").removeprefix(":")
    is_port = rest == f":{port}/cb" and port.isascii() and port.isdigit() and len(port) <= 5
    assert request.accepts(LOOPBACK) is (rest == "/cb" or is_port)
    assert without_loopback_port(f"https://127.0.0.1{rest}") == ""


@pytest.mark.abuse(40)
@pytest.mark.parametrize(
    "address",
    [
        "http://app.example.cl/cb",
        "https://app.example.cl/cb#x",
        "https://app.example.cl/cb#",
        "https://*.example.cl/cb",
        "https://user@app.example.cl/cb",
        "https://app.example.cl /cb",
        "https://app.example.cl;default-src/cb",
        "https://app.example.cl,evil/cb",
        "https://[::1/cb",
        "https:///cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "app:/cb",
        "cl.app://host/cb",
        "https://app.éxample.cl/cb",
        "https://app.example.cl/" + "x" * 500,
    ],
)
def test_an_unsafe_address_is_not_registered(settings: pytest.FixtureRequest, address: str) -> None:
    """RFC 9700, section 4.1.3; RFC 8252, section 8.4; nor one that a content policy could read otherwise."""
    settings.CLAVE_DEMO = False  # type: ignore[attr-defined]
    client = Client(name="x", kind="public", redirect_uris=[address], scopes=[])
    assert "redirect_uris" in client_rules.problems(client)
