"""Data of the simulated Registro Civil and SII: the demo's identities only."""

from typing import TypedDict

# Shared by all operators of the demo's back office.
OPERATOR_PASSWORD = "una clave de demostracion"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # pragma: allowlist secret


class Person(TypedDict):
    """What Registro Civil knows of a person; `serie` is the number of their identity card."""

    nombres: str
    apellido_paterno: str
    apellido_materno: str
    sexo: str
    fecha_nacimiento: str
    fallecido: bool
    serie: str


class Company(TypedDict):
    """What the SII knows of a company."""

    razon_social: str
    vigente: bool
    representantes: tuple[str, ...]


def _person(
    names: str, paternal: str, maternal: str, sex: str, born: str, serial: str = "", dead: bool = False
) -> Person:
    return {
        "nombres": names,
        "apellido_paterno": paternal,
        "apellido_materno": maternal,
        "sexo": sex,
        "fecha_nacimiento": born,
        "fallecido": dead,
        "serie": serial,
    }


PEOPLE: dict[str, Person] = {
    "11111111-1": _person("Camila", "Rojas", "Soto", "F", "1990-05-14", "111222333"),
    "22222222-2": _person("Diego", "Muñoz", "Pérez", "M", "1985-11-02", "987654321"),
    "33333333-3": _person("Rosa", "Huenchumil", "Cayul", "F", "1978-03-21", "123456789"),
    "44444444-4": _person("Persona", "De Prueba", "Cuatro", "F", "1999-09-09", "444555666"),
    "55555555-5": _person("Iván", "Soto", "Lara", "M", "1982-08-17"),
    "66666666-6": _person("Nora", "Díaz", "Vera", "F", "1971-12-05"),
    "77777777-7": _person("Persona", "De Prueba", "Siete", "M", "1940-01-01", dead=True),
}


def _company(name: str, *representatives: str, active: bool = True) -> Company:
    return {"razon_social": name, "vigente": active, "representantes": representatives}


COMPANIES: dict[str, Company] = {
    "76543210-3": _company("Capacita Austral SpA", "33333333-3"),
    "77222333-1": _company("Maderas del Sur Ltda.", "22222222-2", "33333333-3"),
    "76111222-8": _company("Organismo de prueba", "11111111-1"),
    "78000111-9": _company("Empresa De Prueba Cuatro Ltda.", "44444444-4", "11111111-1"),
    "79000222-9": _company("Empresa De Prueba Cerrada Ltda.", "44444444-4", active=False),
}
