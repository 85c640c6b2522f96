"""How the answer goes back to the application. Source: RFC 6749, section 4.1.2; RFC 9207; Form Post Response Mode."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from clave.sso.models import Client
from clave.sso.views.problems import NUMBERS
from tests.sso.application import Application, Fields, issuer
from tests.story import Visitor


def posted(response: object) -> Fields:
    """Return the form of a page that the browser posts to the application, with its address as `action`."""
    html = response.content.decode()  # type: ignore[attr-defined]
    action = re.search(r'<form method="post" action="([^"]*)"', html)
    assert action, html[:1500]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in hidden} | {"action": unescape(action[1])}


def test_every_answer_says_whose_it_is(app: Application, camila: Visitor) -> None:
    """RFC 9207, section 2: `iss` in codes and in errors."""
    app.code(camila)
    assert app.answer(camila.client.get(app.url()))["iss"] == issuer()
    assert app.answer(camila.client.get(app.url(prompt="none login")))["iss"] == issuer()


def test_the_answer_is_a_redirect_that_the_browser_follows_by_get(app: Application, camila: Visitor) -> None:
    """RFC 9700, section 4.12: never 307, which would post on what was posted here."""
    app.code(camila)
    response = camila.client.get(app.url())
    assert response.status_code == 303 and response.headers["Cache-Control"] == "no-store"


def test_no_address_with_a_code_is_told_to_others(app: Application, camila: Visitor) -> None:
    """RFC 9700, section 4.2.4: neither the redirect nor a page of ours gives a referrer to another site."""
    page = camila.open(app.url())
    between = camila.client.post(page.url, {"permitir": "1"})
    straight = camila.client.get(app.url())
    form = camila.client.get(app.url(response_mode="form_post"))
    assert [each.headers["Referrer-Policy"] for each in (between, straight)] == ["same-origin"] * 2
    assert form.headers["Referrer-Policy"] == "strict-origin", "the origin alone: a form needs one to be posted"
    assert "code=" not in page.response.request["QUERY_STRING"]


def test_the_answer_may_be_a_fragment(app: Application, camila: Visitor) -> None:
    """OAuth 2.0 Multiple Response Type Encoding Practices, section 2.1."""
    app.code(camila)
    parts = urlsplit(camila.client.get(app.url(response_mode="fragment")).headers["Location"])
    assert not parts.query and dict(parse_qsl(parts.fragment))["state"] == app.state


def test_the_answer_may_be_a_form_that_the_browser_posts(app: Application, camila: Visitor) -> None:
    """OAuth 2.0 Form Post Response Mode, section 2; the plan form-post basic."""
    app.code(camila)
    response = camila.client.get(app.url(response_mode="form_post"))
    form = posted(response)
    assert form["action"] == app.client.redirect_uris[0]
    assert form["state"] == app.state and form["iss"] == issuer()
    assert app.exchange(form["code"]).status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


def test_an_error_comes_by_form_too(app: Application, visitor: Visitor) -> None:
    form = posted(visitor.client.get(app.url(response_mode="form_post", prompt="none")))
    assert form["error"] == "login_required" and form["state"] == app.state


def test_a_form_carries_whatever_the_state_is_without_becoming_html(app: Application, camila: Visitor) -> None:
    """The state is the application's, and so anybody's who writes its request."""
    app.code(camila)
    state = '"><script>alert(1)</script>'
    response = camila.client.get(app.url(response_mode="form_post", state=state))
    assert posted(response)["state"] == state and "<script>alert" not in response.content.decode()


def test_the_form_may_lead_on_to_any_site_and_nothing_else_may_run(app: Application, camila: Visitor) -> None:
    """CSP 3, section 6.4.2: `form-action` holds for the redirects that follow."""
    app.code(camila)
    policy = camila.client.get(app.url(response_mode="form_post")).headers["Content-Security-Policy"]
    assert "form-action https: http:;" in policy and "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy


def test_an_applications_own_scheme_gets_its_error_by_address(demo: None, camila: Visitor) -> None:
    own = Application(kind="public", redirect_uris=["cl.example.app:/volver"])
    answer = own.answer(camila.client.get(own.url(response_mode="form_post")))
    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize("state", ["x" * 2048, "a b&c=d#e?f", "%00", "+"])
def test_the_state_comes_back_as_it_was(app: Application, camila: Visitor, state: str) -> None:
    """RFC 6749, section 4.1.2: the exact value."""
    app.code(camila)
    assert app.answer(camila.client.get(app.url(state=state)))["state"] == state


@pytest.mark.parametrize("state", ["x" * 2049, "a\nb", "\x00", "é", "a\rSet-Cookie: x"])
def test_a_state_that_is_no_state_is_refused(app: Application, camila: Visitor, state: str) -> None:
    """RFC 6749, appendix A.5: VSCHAR."""
    answer = app.answer(camila.client.get(app.url(state=state)))
    assert answer["error"] == "invalid_request"


def test_a_query_of_the_address_stays(demo: None, camila: Visitor) -> None:
    """RFC 6749, section 3.1.2: `redirect_uri` with a query; the module redirect-uri-query-OK."""
    app = Application(redirect_uris=["https://app.example.cl/cb?foo=bar"])
    page = camila.open(app.url())
    response = camila.client.post(page.url, {"permitir": "1"})
    address = response.content.decode().split("0;url=")[1].split('"')[0].replace("&amp;", "&")
    assert address.startswith("https://app.example.cl/cb?foo=bar&code=")


def test_after_consent_a_page_of_ours_goes_between(app: Application, camila: Visitor) -> None:
    """A redirect would be held to the consent page's `form-action`, and so would every redirect of the application."""
    page = camila.open(app.url())
    assert page.response.headers["Content-Security-Policy"].count("form-action 'self';") == 1
    response = camila.client.post(page.url, {"permitir": "1"})
    assert response.status_code == 200 and "code" in app.answer(response)


def test_a_pushed_request_without_pages_is_answered_by_redirect(app: Application, visitor: Visitor) -> None:
    """`prompt=none` in a frame shows nothing, so a page between would never lead on."""
    pushed = app.post("par", app.request(prompt="none")).json()["request_uri"]
    response = visitor.client.get("/sso/authorize", {"client_id": app.client_id, "request_uri": pushed})
    assert response.status_code == 303 and app.answer(response)["error"] == "login_required"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri"),
        ({"redirect_uri": None}, "redirect_uri"),
        ({"client_id": "nobody"}, "unknown_client"),
        ({"client_id": None}, "unknown_client"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:" + "0" * 32}, "unknown_request"),
    ],
)
def test_a_person_is_told_what_cannot_be_sent_to_anybody(
    app: Application, camila: Visitor, change: dict[str, str | None], code: str
) -> None:
    """RFC 6749, section 4.1.2.1; the modules ensure-registered-redirect-uri and
    ensure-redirect-uri-in-authorization-request.
    """
    for method in (camila.client.get, camila.client.post):
        response = method("/sso/authorize", app.request(**change))
        assert response.status_code == 400 and "No podemos seguir" in response.content.decode()
        assert NUMBERS[code] in response.content.decode()


def test_a_suspended_application_is_told_to_nobody(app: Application, camila: Visitor) -> None:
    Client.objects.update(active=False)
    response = camila.client.get(app.url())
    assert response.status_code == 400 and "no puede usar la Clave SENCE por ahora" in response.content.decode()
