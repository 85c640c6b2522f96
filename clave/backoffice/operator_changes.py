"""Changes that extend an operator's power: one supervisor proposes, another confirms.

Decision 0026, abuse case 65.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.backoffice import operator_accounts
from clave.backoffice.models import Operator, Power, Proposal, Role
from clave.backoffice.operator_accounts import OwnAccount
from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext

LIFE = timedelta(days=7)
# For this long, an operator and those who gave them their power cannot confirm each other's proposals.
LINKED = timedelta(hours=24)


class OnlySupervisor(Refused):
    """There is no other supervisor to confirm; the server's administrator can act on the command line instead."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "only_supervisor",
            _(
                "No hay otra persona con rol Supervisor que pueda confirmarlo. Pida a quien administra el servidor que "
                "ejecute: manage.py add_operator CORREO NOMBRE --role ROL"
            ),
        )


class AlreadyProposed(Refused):
    """A proposal about this operator is already pending."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_proposed", _("Ya hay una propuesta en espera para ese correo."))


class ProposalOver(Refused):
    """The proposal was decided, has expired, or its proposer is no longer a supervisor."""

    status = 409

    def __init__(self) -> None:
        super().__init__("proposal_over", _("Esta propuesta ya no espera una decisión."))


class AnotherSupervisor(Refused):
    """A confirmation by the proposer, the subject, or someone linked to the proposer (`are_linked`)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "another_supervisor",
            _(
                "Debe confirmarlo otra persona con rol Supervisor: no quien lo propuso, ni a quien se refiere, ni "
                "alguien que esa persona invitó en las últimas 24 horas."
            ),
        )


def waiting() -> QuerySet[Proposal]:
    """Return the proposals awaiting a second supervisor."""
    return Proposal.objects.filter(
        decided_at=None, expires_at__gt=clock.now(), proposed_by__active=True, proposed_by__role=Role.SUPERVISOR
    )


def has_second(supervisor: Operator) -> bool:
    """Return whether another supervisor could confirm this one's proposals."""
    others = Operator.objects.filter(role=Role.SUPERVISOR, active=True, invitation="").exclude(pk=supervisor.pk)
    return others.exclude(hash="").exclude(totp_secret="").exists()


def propose_invitation(email: str, name: str, role: str, by: Operator, context: RequestContext) -> Proposal:
    """Propose a new operator, or new credentials for one. Raises `OwnAccount`, `OnlySupervisor`, `AlreadyProposed`."""
    known = Operator.objects.filter(email__iexact=email).first()
    kind = Power.REINVITE if known else Power.INVITE
    return _propose(kind, known, known.email if known else email, name, role, by, context)


def propose_role(operator: Operator, role: str, by: Operator, context: RequestContext) -> Proposal:
    """Propose a change of role. Raises as `propose_invitation` does."""
    return _propose(Power.ROLE, operator, operator.email, operator.name, role, by, context)


def propose_reactivation(operator: Operator, by: Operator, context: RequestContext) -> Proposal:
    """Propose the reactivation of a suspended operator. Raises as `propose_invitation` does."""
    return _propose(Power.REACTIVATE, operator, operator.email, operator.name, operator.role, by, context)


def lowers(operator: Operator, role: str) -> bool:
    """Return whether a new role adds no permissions. Each role but supervisor permits something the others do not."""
    return operator.role == Role.SUPERVISOR or operator.role == role


def _propose(
    kind: Power, subject: Operator | None, email: str, name: str, role: str, by: Operator, context: RequestContext
) -> Proposal:
    if subject is not None and subject.pk == by.pk:
        raise OwnAccount
    if not has_second(by):
        raise OnlySupervisor
    now = clock.now()
    try:
        with transaction.atomic():
            _close_invalid(email)
            proposal = Proposal.objects.create(
                kind=kind,
                subject=subject,
                email=email,
                name=name,
                role=Role(role),
                proposed_by=by,
                created_at=now,
                expires_at=now + LIFE,
            )
            audit.record(
                "operator.proposed", context, operator=str(by.pk), proposal=proposal.pk, kind=kind.value, role=role
            )
    except IntegrityError:
        raise AlreadyProposed from None
    return proposal


def _close_invalid(email: str) -> None:
    """Close earlier proposals that can no longer be confirmed, so that a new one can be made."""
    invalid = Proposal.objects.filter(email__iexact=email, decided_at=None).exclude(pk__in=waiting().values("pk"))
    invalid.update(decided_at=clock.now(), confirmed=False)


def confirm(proposal: Proposal, by: Operator, context: RequestContext) -> None:
    """Carry out what another supervisor proposed. Raises `AnotherSupervisor`, `ProposalOver`."""
    with transaction.atomic():
        proposal = _decide(proposal, by, confirmed=True)
        proposer = proposal.proposed_by
        if by.pk in (proposer.pk, proposal.subject_id) or by.role != Role.SUPERVISOR or are_linked(by, proposer):
            raise AnotherSupervisor
        if proposal.kind in (Power.INVITE, Power.REINVITE):
            operator_accounts.invite(proposal.email, proposal.name, proposal.role, by, context)
            proposal.subject = Operator.objects.get(email__iexact=proposal.email)
            proposal.save(update_fields=["subject"])
        elif proposal.subject is not None and proposal.kind == Power.ROLE:
            operator_accounts.change_role(proposal.subject, proposal.role, by, context)
        elif proposal.subject is not None:
            operator_accounts.set_active(proposal.subject, True, by, context)
        audit.record("operator.confirmed", context, operator=str(by.pk), proposal=proposal.pk, kind=proposal.kind)


def decline(proposal: Proposal, by: Operator, context: RequestContext) -> None:
    """Reject a proposal; proposers may withdraw their own. Raises `ProposalOver`."""
    with transaction.atomic():
        proposal = _decide(proposal, by, confirmed=False)
        audit.record("operator.declined", context, operator=str(by.pk), proposal=proposal.pk, kind=proposal.kind)


def _decide(proposal: Proposal, by: Operator, *, confirmed: bool) -> Proposal:
    undecided = Proposal.objects.filter(pk=proposal.pk, decided_at=None)
    decided = {"decided_at": clock.now(), "decided_by": by, "confirmed": confirmed}
    if not waiting().filter(pk=proposal.pk).exists() or not undecided.update(**decided):
        raise ProposalOver
    return Proposal.objects.select_related("proposed_by").get(pk=proposal.pk)


def are_linked(one: Operator, other: Operator) -> bool:
    """Return whether either took part, in the last 24 hours, in giving the other an account or more power."""
    recent = Proposal.objects.filter(confirmed=True, decided_at__gt=clock.now() - LINKED)
    by_other = Q(subject=one) & (Q(proposed_by=other) | Q(decided_by=other))
    by_one = Q(subject=other) & (Q(proposed_by=one) | Q(decided_by=one))
    return recent.filter(by_other | by_one).exists()
