"""What gives an operator power takes two supervisors: one proposes, another confirms (decision 0026, abuse case 65)."""

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
# So long whoever gave an operator power does not confirm what that operator proposes, nor the other way round.
LINKED = timedelta(hours=24)


class OnlySupervisor(Refused):
    """There is no other supervisor who could confirm: the command line is the second person."""

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
    """Something about this operator waits already."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_proposed", _("Ya hay una propuesta en espera para ese correo."))


class ProposalOver(Refused):
    """Somebody has decided it, it has expired, or who proposed it is no supervisor any more."""

    status = 409

    def __init__(self) -> None:
        super().__init__("proposal_over", _("Esta propuesta ya no espera una decisión."))


class AnotherSupervisor(Refused):
    """Not who proposed it, whom it concerns, nor somebody whom one of them has just brought in."""

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
    """Return the proposals that wait for a second supervisor."""
    return Proposal.objects.filter(
        decided_at=None, expires_at__gt=clock.now(), proposed_by__active=True, proposed_by__role=Role.SUPERVISOR
    )


def has_second(supervisor: Operator) -> bool:
    """Say whether another supervisor could confirm what this one proposes."""
    others = Operator.objects.filter(role=Role.SUPERVISOR, active=True, invitation="").exclude(pk=supervisor.pk)
    return others.exclude(hash="").exclude(totp_secret="").exists()


def propose_invitation(email: str, name: str, role: str, by: Operator, context: RequestContext) -> Proposal:
    """Propose a new operator, or new credentials for one. Raises `OwnAccount`, `OnlySupervisor`, `AlreadyProposed`."""
    known = Operator.objects.filter(email__iexact=email).first()
    kind = Power.REINVITE if known else Power.INVITE
    return _propose(kind, known, known.email if known else email, name, role, by, context)


def propose_role(operator: Operator, role: str, by: Operator, context: RequestContext) -> Proposal:
    """Propose another role. Raises as `propose_invitation` does."""
    return _propose(Power.ROLE, operator, operator.email, operator.name, role, by, context)


def propose_reactivation(operator: Operator, by: Operator, context: RequestContext) -> Proposal:
    """Propose that a suspended operator works again. Raises as `propose_invitation` does."""
    return _propose(Power.REACTIVATE, operator, operator.email, operator.name, operator.role, by, context)


def lowers(operator: Operator, role: str) -> bool:
    """Say whether a role only takes something away; the others each allow what the rest do not."""
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
            _close_dead(email)
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


def _close_dead(email: str) -> None:
    """Make room for a proposal where an earlier one can no longer be confirmed."""
    dead = Proposal.objects.filter(email__iexact=email, decided_at=None).exclude(pk__in=waiting().values("pk"))
    dead.update(decided_at=clock.now(), confirmed=False)


def confirm(proposal: Proposal, by: Operator, context: RequestContext) -> None:
    """Do what another supervisor proposed. Raises `AnotherSupervisor`, `ProposalOver`."""
    with transaction.atomic():
        found = _decide(proposal, by, confirmed=True)
        proposer = found.proposed_by
        if by.pk in (proposer.pk, found.subject_id) or by.role != Role.SUPERVISOR or are_linked(by, proposer):
            raise AnotherSupervisor
        if found.kind in (Power.INVITE, Power.REINVITE):
            operator_accounts.invite(found.email, found.name, found.role, by, context)
            found.subject = Operator.objects.get(email__iexact=found.email)
            found.save(update_fields=["subject"])
        elif found.subject is not None and found.kind == Power.ROLE:
            operator_accounts.change_role(found.subject, found.role, by, context)
        elif found.subject is not None:
            operator_accounts.set_active(found.subject, True, by, context)
        audit.record("operator.confirmed", context, operator=str(by.pk), proposal=found.pk, kind=found.kind)


def decline(proposal: Proposal, by: Operator, context: RequestContext) -> None:
    """Throw a proposal away, one's own too. Raises `ProposalOver`."""
    with transaction.atomic():
        found = _decide(proposal, by, confirmed=False)
        audit.record("operator.declined", context, operator=str(by.pk), proposal=found.pk, kind=found.kind)


def _decide(proposal: Proposal, by: Operator, *, confirmed: bool) -> Proposal:
    undecided = Proposal.objects.filter(pk=proposal.pk, decided_at=None)
    decided = {"decided_at": clock.now(), "decided_by": by, "confirmed": confirmed}
    if not waiting().filter(pk=proposal.pk).exists() or not undecided.update(**decided):
        raise ProposalOver
    return Proposal.objects.select_related("proposed_by").get(pk=proposal.pk)


def are_linked(one: Operator, other: Operator) -> bool:
    """Say whether one of them had a part, in the last 24 hours, in giving the other an account or power."""
    lately = Proposal.objects.filter(confirmed=True, decided_at__gt=clock.now() - LINKED)
    gave = Q(subject=one) & (Q(proposed_by=other) | Q(decided_by=other))
    got = Q(subject=other) & (Q(proposed_by=one) | Q(decided_by=one))
    return lately.filter(gave | got).exists()
