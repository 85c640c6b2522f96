"""A company at the counter: what it types to register, sign in, recover and change."""

from tests.story import Page, Visitor

AUSTRAL, AUSTRAL_MAIL = "76543210-3", "contacto@capacita-austral.example.cl"
ROSA, ROSA_PHONE = "33333333-3", "+56987650003"
MADERAS, MADERAS_MAIL, DIEGO = "77222333-1", "contacto@maderas-del-sur.example.cl", "22222222-2"
NEW = {
    "rut": "78.000.111-9",
    "company_name": "Empresa De Prueba Cuatro",
    "kind": "OI",
    "question": "calle",
    "answer": "Los Boldos",
    "region": "13",
    "comuna": "13101",
    "street": "Huérfanos",
    "street_number": "1273",
    "email": "empresa@example.cl",
    "work_phone": "+56 2 2870 6100",
    "representative": "44.444.444-4",
    "representative_name": "Persona De Prueba Cuatro",
    "representative_mobile": "8765 4321",
    "representative_email": "cuatro@example.cl",
    "new_key": "QZ571938",
    "new_key_again": "QZ571938",
}


def register(visitor: Visitor, **changes: str) -> Page:
    visitor.open("/empresa/registrarse")
    return visitor.send(**{**NEW, **changes})


def sign_in(visitor: Visitor, company: str, person: str, key: str) -> Page:
    visitor.open("/ingresar/empresa")
    return visitor.send(rut=company, representative=person, key=key)


def begin(visitor: Visitor, company: str) -> Page:
    visitor.open("/empresa/recuperar")
    return visitor.send(rut=company)


def new_key(visitor: Visitor, company: str, person: str, old: str, new: str) -> Page:
    visitor.open("/empresa/cambiar")
    visitor.send(rut=company, representative=person, key=old)
    return visitor.send(new_key=new, new_key_again=new)
