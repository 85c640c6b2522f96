"""The pages of sign-on that people see: where they come from, what they are told, where they can go."""

from tests.desk import Desk
from tests.sso.application import Application, signed_in
from tests.story import Visitor


def test_another_system_cannot_sign_an_operator_out(demo: None) -> None:
    desk = Desk("agente")
    desk.open("/sso/logout")
    assert desk.open("/backoffice/").url == "/backoffice/"
