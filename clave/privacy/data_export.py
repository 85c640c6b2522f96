"""Export of all data held about a holder and of who accessed it (Ley 21.719, right of access)."""

from datetime import datetime

from django.utils.translation import gettext as _

from clave.attendance import record
from clave.audit.labels import action_label
from clave.audit.models import Entry
from clave.backoffice.models import OperatorAction
from clave.credentials.models import Credential
from clave.credentials.secret_questions import QUESTIONS
from clave.holders.countries import country_name
from clave.holders.models import Holder, Profile
from clave.lib import clock
from clave.notifications.models import Message
from clave.privacy.models import Petition
from clave.selfservice.confirmations import contact_change
from clave.selfservice.fields import SEXES
from clave.selfservice.models import FacilitatorRequest
from clave.signin.models import Session
from clave.statements.models import Statement
from clave.training.models import Otec, Token

# Lists that grow without bound are limited to the newest entries.
MOST = 500


def _at(moment: datetime | None) -> str:
    return moment.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y %H:%M:%S") if moment else ""


def everything(holder: Holder) -> dict[str, object]:
    """Return all data held about a holder by heading, in Spanish; keys and secret answers are never included."""
    return {
        "cuenta": _account(holder),
        "contacto": _contact(holder),
        "clave": _key(holder),
        "representantes": [
            {"rut": person.pretty_run, "nombre": person.name, "celular": person.mobile, "correo": person.email}
            for person in holder.representatives.order_by("pk")
        ],
        "quién vio o cambió sus datos": looked_at(holder),
        "hechos": _facts(holder),
        "mensajes enviados": _messages(holder),
        "sesiones abiertas": [
            {"desde": _at(session.created_at), "dirección": session.address, "navegador": session.agent}
            for session in Session.objects.filter(holder=holder).order_by("-created_at")
        ],
        **_courses(holder),
        **_company(holder),
        "solicitudes sobre sus datos": [
            {"fecha": _at(petition.created_at), "derecho": petition.get_right_display(), "texto": petition.words,
             "estado": petition.get_state_display(), "respuesta": petition.answer}
            for petition in Petition.objects.filter(holder=holder).order_by("-pk")
        ],
    }  # fmt: skip


def _account(holder: Holder) -> dict[str, object]:
    return {
        "perfil": holder.get_profile_display(),
        holder.identifier_label.lower(): holder.pretty_identifier,
        "nombre": holder.full_name,
        "tipo": holder.get_kind_display() if holder.kind else "",
        "sexo": str(dict(SEXES).get(holder.sex, "")),
        "fecha de nacimiento": holder.birth_date.strftime("%d-%m-%Y") if holder.birth_date else "",
        "país de origen": country_name(holder.country) if holder.country else "",
        "cantidad de hijos": holder.children if holder.children is not None else "",
        "identidad": holder.get_verification_display(),
        "idioma": holder.language,
        "creada": _at(holder.created_at),
        "actualizada": _at(holder.updated_at),
    }


def _contact(holder: Holder) -> dict[str, object]:
    change = contact_change.waiting_for(holder)
    return {
        "correo propuesto": change.email if change else "",
        "teléfono propuesto": change.work_phone if change else "",
        "correo": holder.email,
        "celular": holder.mobile,
        "teléfono particular": holder.home_phone,
        "teléfono trabajo": holder.work_phone,
        "dirección": holder.address_line,
    }


def _key(holder: Holder) -> dict[str, object]:
    changed = Credential.objects.filter(holder=holder).values_list("changed_at", flat=True).first()
    answer = getattr(holder, "secret_answer", None)
    return {
        "cambiada por última vez": _at(changed),
        "pregunta secreta": str(QUESTIONS[answer.question]) if answer else "",
        "guardada como": _("Resumen Argon2id, que no permite leerla"),
        "navegadores reconocidos": holder.known_browsers.count(),
    }


def looked_at(holder: Holder) -> list[dict[str, str]]:
    """Return who accessed or changed the holder's data, when and why: operators by role, training bodies by name.

    An OTEC that checks several times a day whether its participant has a key is listed once for that day.
    """
    actions = OperatorAction.objects.filter(holder=holder).select_related("operator").order_by("-at")[:MOST]
    by_operators = [
        (action.at.astimezone(clock.SANTIAGO).date(),
         {"fecha": _at(action.at), "quién": action.operator.get_role_display(), "qué": action.get_kind_display(),
          "por qué": action.get_reason_display(), "detalle": action.note})
        for action in actions
    ]  # fmt: skip
    what = _("Preguntó si usted tiene Clave SENCE")
    why = _("Usted está inscrito en un curso de este organismo")
    by_otecs = [
        (lookup.day,
         {"fecha": lookup.day.strftime("%d-%m-%Y"), "quién": lookup.otec.name, "qué": what, "por qué": why,
          "detalle": ""})
        for lookup in holder.lookups.select_related("otec").order_by("-day")[:MOST]
    ]  # fmt: skip
    return [row for _day, row in sorted(by_operators + by_otecs, key=lambda dated: dated[0], reverse=True)[:MOST]]


def _facts(holder: Holder) -> list[dict[str, object]]:
    entries = Entry.objects.filter(subject=str(holder.pk)).order_by("-pk")[:MOST]
    return [
        {"fecha": _at(entry.at), "acción": action_label(entry.action), "resultado": entry.outcome,
         "dirección": entry.address, "navegador": entry.agent}
        for entry in entries
    ]  # fmt: skip


def _messages(holder: Holder) -> list[dict[str, object]]:
    messages = Message.objects.filter(holder=str(holder.pk)).order_by("-created_at")[:MOST]
    return [
        {"fecha": _at(message.created_at), "canal": message.channel, "mensaje": message.template}
        for message in messages
    ]


def _courses(holder: Holder) -> dict[str, object]:
    """Return attendance and statements of a person with a RUN."""
    if holder.profile != Profile.PERSONA_NATURAL:
        return {}
    rows = record.courses_of(holder.identifier)
    statements = Statement.objects.filter(run=holder.identifier).defer("pdf").order_by("-pk")
    return {
        "cursos y asistencia": [
            {"curso": row.action.name, "código": row.action.code, "segundos acreditados": row.seconds,
             "sesiones": [{"abierta": _at(session.opened_at), "estado": session.state,
                           "terminada": _at(session.ended_at), "segundos": session.seconds}
                          for session in row.sessions]}
            for row in rows
        ],
        "declaraciones juradas": [
            {"folio": statement.folio, "fecha": _at(statement.issued_at), "estado": statement.get_state_display()}
            for statement in statements
        ],
    }  # fmt: skip


def _company(holder: Holder) -> dict[str, object]:
    if holder.profile != Profile.PERSONA_JURIDICA:
        return {}
    requests = FacilitatorRequest.objects.filter(company=holder).order_by("-pk")[:MOST]
    otec = Otec.objects.filter(rut=holder.identifier).first()
    tokens = Token.objects.filter(otec=otec).order_by("pk") if otec else []
    return {
        "solicitudes de facilitadores": [
            {"folio": request.folio, "fecha": _at(request.created_at), "facilitador": request.holder.full_name,
             "estado": request.get_state_display()} for request in requests
        ],
        "tokens": [{"nombre": token.label, "creado": _at(token.created_at)} for token in tokens],
    }  # fmt: skip
