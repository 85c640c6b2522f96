"""The demo's holders, exactly as the contract lists them, and their data."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction

from clave.backoffice.models import Operator, Role
from clave.credentials import hashing
from clave.credentials import service as credentials
from clave.holders.models import Holder, Kind, Profile, Representative, Verification
from clave.lib import clock
from clave.sandbox import claveunica_demo, courses, openid_demo
from clave.sandbox.people import OPERATOR_PASSWORD, PEOPLE, TOTP_SECRET
from clave.training.models import Otec

# Back office operators; the sandbox shows their current TOTP code. Some operations require two supervisors.
OPERATORS = [(f"{role.value}@mesa.example.cl", f"{role.label} de prueba", role) for role in Role]
OPERATORS.append(("supervisor2@mesa.example.cl", "Otro supervisor de prueba", Role.SUPERVISOR))
HOME = {"street": "Pasaje Los Aromos", "street_number": "123", "comuna": "13101"}
# Of those who have no secret question.
NO_ANSWER = ("", "")


@dataclass(frozen=True)
class DemoPerson:
    """A holder with a RUN; the rest is in the registry (`people`). Without a key it is of the old system."""

    rut: str
    email: str
    key: str = ""
    mobile: str = ""
    answer: tuple[str, str] = NO_ANSWER
    lives_at_home: bool = False
    legacy: bool = False


@dataclass(frozen=True)
class DemoCompany:
    rut: str
    name: str
    representative: str
    key: str
    email: str
    kind: Kind
    answer: tuple[str, str] = NO_ANSWER


@dataclass(frozen=True)
class DemoMigrant:
    nie: str
    names: str
    surnames: str
    born: date
    sex: str
    country: str
    email: str
    mobile: str
    key: str
    answer: tuple[str, str]


PERSONS = [
    DemoPerson(
        rut="11111111-1",
        email="camila.rojas@example.cl",
        mobile="+56987650001",
        key="KM482915",
        answer=("mascota", "Copito"),
        lives_at_home=True,
    ),
    DemoPerson(
        rut="22222222-2",
        email="diego.munoz@example.cl",
        mobile="+56987650002",
        key="TR618204",
        answer=("escuela", "Escuela Gabriela Mistral"),
        lives_at_home=True,
    ),
    DemoPerson(
        rut="33333333-3",
        email="rosa.huenchumil@example.cl",
        mobile="+56987650003",
        key="PL905371",
        answer=("calle", "Los Copihues"),
        lives_at_home=True,
    ),
    DemoPerson(rut="55555555-5", email="ivan.soto@example.cl", key="VB730164"),
    DemoPerson(rut="66666666-6", email="nora.diaz@example.cl", legacy=True),
]
COMPANIES = [
    DemoCompany(
        rut="76543210-3",
        name="Capacita Austral SpA",
        representative="33333333-3",
        key="CA739105",
        email="contacto@capacita-austral.example.cl",
        kind=Kind.OTEC,
        answer=("escuela", "Liceo Austral"),
    ),
    DemoCompany(
        rut="77222333-1",
        name="Maderas del Sur Ltda.",
        representative="22222222-2",
        key="MS204986",
        email="contacto@maderas-del-sur.example.cl",
        kind=Kind.EMPRESA,
    ),
]
MIGRANTS = [
    DemoMigrant(
        nie="900123456",
        names="Jean Baptiste",
        surnames="Pierre",
        born=date(1988, 1, 30),
        sex="M",
        country="HT",
        email="jean.pierre@example.cl",
        mobile="+56987650009",
        key="HT254817",
        answer=("calle", "Rue Capois"),
    ),
]


def load() -> int:
    """Load what the database lacks of the demo: people, companies, courses. Return how many holders were created."""
    people = [] if Holder.objects.filter(profile=Profile.PERSONA_NATURAL).exists() else PERSONS
    companies = [] if Holder.objects.filter(profile=Profile.PERSONA_JURIDICA).exists() else COMPANIES
    migrants = [] if Holder.objects.filter(profile=Profile.MIGRANTE).exists() else MIGRANTS
    with transaction.atomic():
        for person in people:
            _create_person(person)
        for company in companies:
            _create_company(company)
        for migrant in migrants:
            _create_migrant(migrant)
        if not Otec.objects.exists():
            courses.load()
        if not Operator.objects.exists():
            _create_operators()
        claveunica_demo.load()
        openid_demo.load()
    (settings.CLAVE_HOME / "demo-data").touch()
    return len(people) + len(companies) + len(migrants)


def lines() -> list[str]:
    """Return what a developer needs to know at start-up, one line per item."""
    persons = [f"RUT {person.rut}  CS {person.key or '(del sistema antiguo)'}  {person.email}" for person in PERSONS]
    companies = [f"RUT {c.rut}  representante {c.representative}  CS {c.key}  {c.name}" for c in COMPANIES]
    migrants = [f"NIE {migrant.nie}  CS {migrant.key}  {migrant.email}" for migrant in MIGRANTS]
    desk = f"Mesa de ayuda (/backoffice/): {', '.join(email for email, _name, _role in OPERATORS)}"
    return [
        *persons,
        *migrants,
        *companies,
        f"{desk}, clave «{OPERATOR_PASSWORD}», código en /sandbox/",
        f"Token de {courses.OTEC}: {courses.TOKEN}",
        f"Aplicación escrita para ClaveÚnica y sus personas: {claveunica_demo.CLIENT_ID}, en /sandbox/claveunica-demo/",
        f"Sistema de prueba (/sandbox/probar-openid): client_id {openid_demo.CLIENT_ID}, secreto {openid_demo.SECRET}",
    ]


def _create_operators() -> None:
    for email, name, role in OPERATORS:
        Operator.objects.create(
            email=email,
            name=name,
            role=role,
            hash=hashing.hash_secret(OPERATOR_PASSWORD),
            totp_secret=TOTP_SECRET,
            created_at=clock.now(),
        )


def _create_person(person: DemoPerson) -> None:
    registered = PEOPLE[person.rut]
    holder = Holder.objects.create(
        profile=Profile.PERSONA_NATURAL,
        identifier=person.rut,
        names=registered["nombres"],
        surnames=f"{registered['apellido_paterno']} {registered['apellido_materno']}",
        sex=registered["sexo"],
        birth_date=date.fromisoformat(registered["fecha_nacimiento"]),
        email=person.email,
        mobile=person.mobile,
        legacy=person.legacy,
        verification=Verification.VERIFIED,
        created_at=clock.now(),
        updated_at=clock.now(),
        **(HOME if person.lives_at_home else {}),
    )
    if person.key:
        credentials.import_key(holder, person.key)
    if person.answer != NO_ANSWER:
        credentials.set_answer(holder, *person.answer)


def _create_company(company: DemoCompany) -> None:
    holder = Holder.objects.create(
        profile=Profile.PERSONA_JURIDICA,
        identifier=company.rut,
        names=company.name,
        kind=company.kind,
        email=company.email,
        work_phone="+56 2 2987 6543",
        **HOME,
        verification=Verification.VERIFIED,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    registered = PEOPLE[company.representative]
    Representative.objects.create(
        company=holder,
        run=company.representative,
        name=f"{registered['nombres']} {registered['apellido_paterno']} {registered['apellido_materno']}",
        mobile=next(person.mobile for person in PERSONS if person.rut == company.representative),
        email=next(person.email for person in PERSONS if person.rut == company.representative),
    )
    credentials.import_key(holder, company.key)
    if company.answer != NO_ANSWER:
        credentials.set_answer(holder, *company.answer)


def _create_migrant(migrant: DemoMigrant) -> None:
    holder = Holder.objects.create(
        profile=Profile.MIGRANTE,
        identifier=migrant.nie,
        birth_date=migrant.born,
        verification=Verification.DECLARED,
        created_at=clock.now(),
        updated_at=clock.now(),
        names=migrant.names,
        surnames=migrant.surnames,
        sex=migrant.sex,
        country=migrant.country,
        email=migrant.email,
        mobile=migrant.mobile,
        **HOME,
    )
    credentials.import_key(holder, migrant.key)
    credentials.set_answer(holder, *migrant.answer)
