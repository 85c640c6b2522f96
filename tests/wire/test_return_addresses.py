"""Where a participant may be sent: the addresses that are tricks are refused in every spelling (abuse cases 21, 28)."""

import itertools

import pytest

from clave.rce.request import split_url
from tests.wire.platform import Platform

HOST = "aula.example.cl"
SCHEMES = [
    "javascript:",
    "data:",
    "vbscript:",
    "file://",
    "ftp://",
    "ws://",
    "about:",
    "blob:https://",
    "//",
    "/",
    "\\\\",
    "",
    "http:/",
    "https:",
    "http:\\\\",
]
TAILS = [HOST, f"{HOST}/volver", "alert(1)", f"{HOST}?id=1", f"@{HOST}"]
SPOILT = [
    f"https://{HOST}@evil.cl/", f"https://user:pass@{HOST}/", f"https://@{HOST}/", f"https://{HOST}:pass@evil.cl/",
    f"https://{HOST}\\@evil.cl/", f"https://evil.cl\\{HOST}/", f"https:\\\\{HOST}/", f"https://{HOST}/\\evil.cl",
    f"https://{HOST}/\r\nLocation: https://evil.cl", f"https://{HOST}/%0d\n", f"https://{HOST}/\t", f" https://{HOST}/",
    f"https://{HOST}/ x", f"https://{HOST}\x00/", f"https://{HOST}\x7f/", f"https://{HOST}/\u2028", "https://aulá.example.cl/",
    "https://аula.example.cl/", "https://aula。example.cl/", "https://aula．example.cl/", f"https://{HOST}/ñ", "https:///x",
    "https://", "https://:443/", "https://.cl/", "https://-.cl/", f"https://{HOST}:99999/", f"https://{HOST}:0/", f"https://{HOST}:a/",
    f"https://{HOST}:-1/", "https://[::1", "https://[zz]/", "https://exa mple.cl/", "https://exa_mple/..@x", f"https://{HOST}/<script>",
    f"https://{HOST}/\"onload=", f"https://{HOST}/'x", f"https://{HOST}/`x", f"https://{HOST}/" + "x" * 200, "HTTPS//" + HOST,
    f"https://{HOST}%40evil.cl/", f"https://{HOST}%2eevil.cl/", "https://%61ula.example.cl/", "https://*.example.cl/", "https://$host/",
]  # fmt: skip
WRONG = sorted(
    {scheme + tail for scheme, tail in itertools.product(SCHEMES, TAILS)}
    | set(SPOILT)
    | {f"{each}#x" for each in SPOILT}
    | {each.replace("https", "http") for each in SPOILT}
)
GOOD = [
    f"https://{HOST}/", f"http://{HOST}", f"HTTPS://{HOST}/", f"https://{HOST}:8443/mod/view.php?id=7&s=%C3%B1#top", "http://localhost:3000/x",
    "http://10.0.0.7/", "https://[::1]:8000/x", "https://xn--aul-hma.example.cl/", f"https://{HOST}/a;b=c,d(e)!$*+[x]", f"https://{HOST}./",
]  # fmt: skip


@pytest.mark.abuse(21, 28)
def test_two_hundred_tricks_are_no_address() -> None:
    assert len(WRONG) >= 180, len(WRONG)
    assert [url for url in WRONG if split_url(url) is not None] == []


@pytest.mark.parametrize("url", GOOD)
def test_honest_addresses_are_taken_as_they_are(demo: None, url: str) -> None:
    answer = Platform().ask("IniciarSesion", UrlRetoma=url, UrlError=url, RutOtec="1")
    assert answer.url == url and answer.verdict == "error 209"


@pytest.mark.abuse(28)
@pytest.mark.parametrize("url", [each for each in SPOILT if "\x00" not in each])
def test_no_trick_gets_a_form_that_leads_there(demo: None, url: str) -> None:
    page = Platform().post("IniciarSesion", UrlError=url)
    assert page.status == 400 and "<form" not in page.html and "evil.cl" not in page.html
