"""What other systems know of a holder is the holder's to see, and goes when the account goes (Ley 21.719)."""

import json

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.lib.request_context import SYSTEM
from clave.privacy import service as privacy
from clave.privacy.labels import WORDS
from clave.sso.models import Consent, Grant, LogoutNotice, Subject
from tests.sso.application import Application, signed_in


def test_a_holder_can_take_away_which_systems_know_what(demo: None) -> None:
    app, camila = Application(), signed_in()
    told = app.tokens(camila, scope="openid email", claims='{"userinfo": {"phone_number": null}}')
    held = json.loads(camila.client.get("/mi-cuenta/mis-datos.json").content)
    [connected] = held["sistemas conectados"]
    assert connected["sistema"] == "Aula Virtual"
    assert connected["puede ver"] == "Que usted ingresó con su Clave SENCE; Su correo; Su teléfono"
    [received] = held["ingresos a otros sistemas"]
    assert received["sistema"] == "Aula Virtual" and received["pudo ver"] == connected["puede ver"]
    [known_as] = held["cómo lo conocen otros sistemas"]
    assert known_as == {"sistema": "app.example.cl", "identificador": app.read(told["id_token"])["sub"]}
    assert set(connected) | set(received) | set(known_as) <= set(WORDS)
    assert camila.open("/mi-cuenta/mis-datos").shows("Sistemas conectados", "Ingresos a otros sistemas")


def test_a_deleted_account_leaves_nothing_at_sign_on_and_the_systems_are_told(demo: None) -> None:
    app = Application(backchannel_logout_uri="https://app.example.cl/backchannel")
    told = app.tokens(signed_in())
    privacy.erase(Holder.objects.get(identifier="11111111-1"), SYSTEM)
    assert not Consent.objects.exists() and not Grant.objects.exists() and not Subject.objects.exists()
    assert LogoutNotice.objects.get().subject == app.read(told["id_token"])["sub"]
    assert app.userinfo(told["access_token"]).status_code == 401
    assert Entry.objects.filter(action="privacy.erased").exists()
