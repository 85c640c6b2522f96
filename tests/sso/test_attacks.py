"""Abuse case 40: attacks on the authorization code flow. Source: RFC 9700, section 4; RFC 8725; RFC 9207."""

import base64
import hashlib
import hmac
import json

import pytest
from django.test import Client as HttpClient

from clave.holders.models import Holder, Profile
from clave.lib.clock import Stopped
from clave.selfservice.register.tasks import _settle
from clave.sso import grants, signing_keys
from clave.sso.models import Client, Consent, Grant, PendingAuthorization
from clave.web.middleware import HEADERS
from tests.firms import sign_in as company_sign_in
from tests.sso.application import CAMILA, DIEGO, RETURN, Application, signed_in
from tests.story import Visitor


@pytest.mark.abuse(40)
def test_a_code_put_into_another_browser_is_worth_nothing_there(app: Application, camila: Visitor) -> None:
    """RFC 9700, section 4.5: the verifier of the victim's own request does not match an injected code."""
    stolen = app.code(camila)
    app.verifier = "v" * 43
    assert app.exchange(stolen).json()["error"] == "invalid_grant"


@pytest.mark.abuse(40)
def test_a_code_is_worth_nothing_to_another_application(app: Application, camila: Visitor) -> None:
    """RFC 6749, section 10.5; RFC 9700, section 4.8."""
    thief = Application(redirect_uris=[RETURN])
    thief.verifier = app.verifier
    code = app.code(camila)
    assert thief.exchange(code).json()["error"] == "invalid_grant"
    assert app.exchange(code).status_code == 200, "the owner is not harmed by the try"


@pytest.mark.abuse(40)
@pytest.mark.parametrize("seconds", [0, 31, 3600, 86400 * 20])
def test_a_code_replayed_takes_away_what_it_gave(
    app: Application, clock: Stopped, camila: Visitor, seconds: int
) -> None:
    """RFC 6749, section 4.1.2; RFC 9700, section 4.5; the modules codereuse and codereuse-30seconds."""
    code = app.code(camila, scope="openid offline_access")
    tokens = app.exchange(code).json()
    clock.move(seconds=seconds)
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.introspect(tokens["access_token"]) == {"active": False}


@pytest.mark.abuse(40)
@pytest.mark.parametrize(
    "asked",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": ""},
        {"code_challenge": "x" * 42},
        {"code_challenge": "x" * 44},
        {"code_challenge": "=" * 43},
    ],
)
def test_pkce_can_be_neither_left_out_nor_weakened(
    app: Application, camila: Visitor, asked: dict[str, str | None]
) -> None:
    """RFC 7636, sections 4.2 and 4.4.1; RFC 9700, sections 2.1.1 and 4.8.2."""
    app.code(camila)
    assert app.answer(camila.client.get(app.url(**asked)))["error"] == "invalid_request"


@pytest.mark.abuse(40)
@pytest.mark.parametrize("verifier", [None, "", "short", "x" * 129, "é" * 43, "challenge"])
def test_the_verifier_must_be_the_challenges(app: Application, camila: Visitor, verifier: str | None) -> None:
    """RFC 7636, section 4.6."""
    code = app.code(camila)
    wrong = app.challenge if verifier == "challenge" else verifier
    assert app.exchange(code, code_verifier=wrong).json()["error"] == "invalid_grant"
    assert app.exchange(code).status_code == 200


@pytest.mark.abuse(40)
def test_a_verifier_without_a_challenge_is_a_downgrade(demo: None, camila: Visitor) -> None:
    """RFC 9700, section 2.1.1: somebody has taken the challenge out of the request."""
    app = Application(requires_pkce=False)
    code = app.code(camila)
    assert app.exchange(code, code_verifier="v" * 43).json()["error"] == "invalid_grant"
    with_challenge = app.code(camila, code_challenge=app.challenge, code_challenge_method="S256")
    assert app.exchange(with_challenge).json()["error"] == "invalid_grant", "nor is a challenge forgotten"
    assert app.exchange(with_challenge, code_verifier=app.verifier).status_code == 200


@pytest.mark.abuse(40)
def test_a_code_of_one_issuer_is_none_at_the_other(demo: None, camila: Visitor) -> None:
    """RFC 9700, section 4.4 (mix-up): the dialect and the standard share nothing."""
    standard, dialect = Application(), Application(dialect="claveunica", requires_pkce=False)
    code, other = standard.code(camila), dialect.code(camila, scope="openid run name")
    standard.path, dialect.path = "/openid", "/sso"
    assert standard.exchange(code).json()["error"] == "invalid_client"
    assert dialect.exchange(other).json()["error"] == "invalid_client"
    standard.path, dialect.path = "/sso", "/openid"
    tokens, others = standard.exchange(code).json(), dialect.exchange(other).json()
    standard.path, dialect.path = "/openid", "/sso"
    assert standard.userinfo(tokens["access_token"]).status_code == 401
    assert dialect.userinfo(others["access_token"]).status_code == 401
    page = camila.client.get(standard.url())
    assert page.status_code == 400 and "7-3" in page.content.decode()


@pytest.mark.abuse(40)
@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_is_not_signed_with_our_key_is_none(app: Application, camila: Visitor, algorithm: str) -> None:
    """RFC 8725, sections 2.1 and 3.1: "none", and the public key as the secret of a MAC."""
    claims = json.dumps(app.read(app.tokens(camila)["id_token"])).encode()
    public = json.dumps(app.http.get("/sso/jwks").json()["keys"][1], separators=(",", ":"))
    header = {"alg": algorithm, "typ": "JWT", "kid": app.http.get("/sso/jwks").json()["keys"][1]["kid"]}
    token = forged(header, claims, public)
    assert signing_keys.read(token) is None
    assert app.answer(camila.client.get(app.url(id_token_hint=token)))["error"] == "invalid_request"


def forged(header: dict[str, str], claims: bytes, secret: str) -> str:
    """Make a JWT with a header that lies; its signature is a MAC with this secret, or none."""

    def encoded(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    text = f"{encoded(json.dumps(header).encode())}.{encoded(claims)}"
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest() if header["alg"] == "HS256" else b""
    return f"{text}.{encoded(mac)}"


@pytest.mark.abuse(40)
def test_a_client_learns_nothing_of_who_has_allowed_it_nothing(app: Application, visitor: Visitor) -> None:
    """`prompt=none` answers the same whoever is signed in: nobody, the one guessed at, somebody else."""
    company = Visitor()
    company_sign_in(company, "76543210-3", "33333333-3", "CA739105")
    Holder.objects.filter(identifier="22222222-2").update(verification="unverified")
    Client.objects.filter(pk=app.client.pk).update(profiles=[Profile.PERSONA_NATURAL.value])
    essential = '{"id_token":{"acr":{"essential":true,"values":["urn:clave:registry"]}}}'
    asked: list[dict[str, str]] = [{}, {"login_hint": CAMILA[0]}, {"login_hint": "camila.rojas@example.cl"}]
    for more in [*asked, {"prompt": "none", "claims": essential}, {"max_age": "1"}]:
        answers = {
            json.dumps(app.answer(person.client.get(app.url(**{"prompt": "none", **more}))), sort_keys=True)
            for person in (visitor, signed_in(), signed_in(*DIEGO), company)
        }
        assert len(answers) == 1 and "login_required" in answers.pop(), more


@pytest.mark.abuse(40, 57)
def test_no_page_of_sign_on_can_be_framed(app: Application, camila: Visitor) -> None:
    """RFC 9700, section 4.16 (clickjacking)."""
    page = camila.open(app.url())
    answered = camila.client.post(page.url, {"permitir": "1"})
    form = camila.client.get(app.url(response_mode="form_post"))
    wrong = camila.client.get(app.url(redirect_uri="https://evil.example"))
    asked = camila.client.get("/sso/logout")
    for response in (page.response, answered, form, wrong, asked):
        assert response.headers["X-Frame-Options"] == "DENY", response
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Cross-Origin-Opener-Policy"] == HEADERS["Cross-Origin-Opener-Policy"]


@pytest.mark.abuse(40, 57)
def test_no_other_site_can_consent_choose_or_log_out_for_somebody(app: Application, camila: Visitor) -> None:
    """RFC 9700, section 4.7 (CSRF): what changes something needs the page's own token."""
    strict = HttpClient(enforce_csrf_checks=True)
    strict.cookies = camila.client.cookies
    consent = camila.open(app.url()).url
    account = camila.open(app.url(prompt="select_account")).url
    assert consent.endswith("/permiso") and account.endswith("/cuenta")
    for path in (consent, account, "/sso/logout/confirmar", "/salir"):
        assert strict.post(path, {"permitir": "1"}).status_code == 403, path
    assert not Consent.objects.exists() and not Grant.objects.exists()
    assert camila.open("/mi-cuenta").shows("Mi cuenta")


@pytest.mark.abuse(57)
def test_no_address_consents(app: Application, camila: Visitor) -> None:
    """What the form would send gives nothing when it stands in the page's address."""
    page = camila.open(app.url() + "&permitir=1")
    assert camila.open(f"{page.url}?permitir=1").shows("Permitir y entrar")
    assert not Consent.objects.exists() and not Grant.objects.exists()


@pytest.mark.abuse(40, 57)
def test_a_request_belongs_to_the_browser_that_brought_it(app: Application, camila: Visitor, visitor: Visitor) -> None:
    """Session fixation: a page about somebody's request, opened elsewhere, asks nothing and gives nothing."""
    consent = camila.open(app.url()).url
    begun = consent.removesuffix("/permiso")
    pushed = "urn:ietf:params:oauth:request_uri:" + begun.rpartition("/")[2]
    other = signed_in(*DIEGO)
    addresses = (consent, begun, f"{begun}/cuenta", f"/sso/authorize?client_id={app.client_id}&request_uri={pushed}")
    for person in (visitor, other):
        for address in addresses:
            response = person.client.get(address)
            assert response.status_code == 400 and "otro navegador" in response.content.decode(), address
        assert person.client.post(consent, {"permitir": "1"}).status_code == 400
    assert not Grant.objects.exists()


@pytest.mark.abuse(40)
def test_the_consent_page_does_not_let_in_a_profile_that_is_not_taken(demo: None, camila: Visitor) -> None:
    """Whoever writes the address of the page of consent by hand is led back to the one about accounts."""
    app = Application(profiles=[Profile.PERSONA_JURIDICA.value])
    account = camila.open(app.url()).url
    assert account.endswith("/cuenta") and camila.page.shows("Con esa cuenta no se puede entrar a Aula Virtual")
    consent = account.replace("/cuenta", "/permiso")
    for response in (camila.client.get(consent), camila.client.post(consent, {"permitir": "1"})):
        assert response.status_code == 302 and response.headers["Location"] == account
    assert camila.client.post(account, {}).status_code == 302
    assert not Grant.objects.exists() and not Consent.objects.exists()


@pytest.mark.abuse(40)
def test_what_is_no_longer_in_order_is_not_consented_to(app: Application, camila: Visitor) -> None:
    """The application is suspended, or gives up an address, while somebody reads the page of consent."""
    consent = camila.open(app.url()).url
    Client.objects.update(redirect_uris=["https://moved.example.cl/"])
    assert camila.client.post(consent, {"permitir": "1"}).status_code == 400
    Client.objects.update(redirect_uris=[RETURN], active=False)
    assert camila.client.post(consent, {"permitir": "1"}).status_code == 400
    assert not Grant.objects.exists()


@pytest.mark.abuse(40)
def test_a_suspended_applications_tokens_rest(app: Application, camila: Visitor) -> None:
    tokens = app.tokens(camila, scope="openid offline_access")
    Client.objects.update(active=False)
    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    assert grants.of_refresh_token(tokens["refresh_token"]) is None


@pytest.mark.abuse(40)
def test_an_identity_that_a_registry_refuses_ends_codes_and_tokens(app: Application, camila: Visitor) -> None:
    """The registry answers late that nobody of this RUN exists: what was granted before ends with the account."""
    code, tokens = app.code(camila), app.tokens(camila)
    holder = Holder.objects.get(identifier="11111111-1")
    _settle(holder, None)
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert camila.client.get(app.url()).headers["Location"].startswith("/ingresar")


@pytest.mark.abuse(40)
def test_signing_in_leads_to_nobody_elses_page(app: Application, visitor: Visitor) -> None:
    """Open redirect by `volver` (RFC 9700, section 4.11.2)."""
    for back in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
    ):
        visitor.client.get("/ingresar", {"volver": back})
        page = visitor.open(f"/ingresar?volver={back}")
        assert "evil.example" not in page.fields.get("volver", ""), back
    assert not PendingAuthorization.objects.exists()


@pytest.mark.abuse(40)
def test_a_native_application_is_consented_to_each_time(demo: None, camila: Visitor) -> None:
    """RFC 8252, section 8.6: any program on the phone can claim to be it."""
    native = Application(kind="public", redirect_uris=["cl.example.app:/volver"])
    for _ in range(2):
        page = camila.open(native.url())
        assert page.shows("Entrar a Aula Virtual")
        assert "code" in native.answer(camila.client.post(page.url, {"permitir": "1"}))
    assert native.answer(camila.client.get(native.url(prompt="none")))["error"] == "consent_required"
