"""The life of a key as a state machine: whatever order things happen in, these stay true."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clave.credentials import service as credentials
from clave.credentials.models import Attempts, Credential, TemporaryKey
from clave.credentials.policy import PolicyViolation
from clave.credentials.throttling import TooManyAttempts
from clave.holders.models import Holder
from clave.holders.service import claim_of
from clave.lib import clock
from clave.lib.request_context import RequestContext
from tests import factories

START = datetime(2026, 4, 5, 1, 0, tzinfo=UTC)
RUT = "11111111-1"
NEW = st.sampled_from(["KM482915", "NW604827", "PT739164", "RS851402"])


class LifeOfAKey(RuleBasedStateMachine):
    """Model: the current and previous CS, the live temporary key with its end, failures in a row."""

    @initialize(key=NEW)
    def register(self, key: str) -> None:
        self._clock = clock.stopped(START)
        self.clock = self._clock.__enter__()
        for table in (Attempts, Credential, TemporaryKey):
            table.objects.all().delete()
        Holder.objects.all().delete()
        self.holder = factories.holder(RUT)
        credentials.set_first(self.holder, key)
        self.key, self.previous = key, ""
        self.temporary, self.until = "", START
        self.failures, self.last_failure = 0, START
        self.waits_until = START

    def teardown(self) -> None:
        if hasattr(self, "_clock"):
            self._clock.__exit__(None, None, None)

    def attempt(self, key: str) -> credentials.Proof | None:
        waiting = self.waits_until > clock.now()
        try:
            proof = credentials.verify(credentials.look_up(claim_of(self.holder), RequestContext("203.0.113.1")), key)
        except TooManyAttempts:
            assert waiting
            return None
        except credentials.WrongKey:
            assert not waiting
            self.failures += 1
            if self.failures >= 5:
                pause = min(900, 30 * 2 ** (self.failures - 5))
                self.waits_until = clock.now() + timedelta(seconds=pause)
            return None
        assert not waiting
        if not proof.temporary:
            self.failures = 0
        return proof

    def temporary_lives(self) -> bool:
        return bool(self.temporary) and clock.now() < self.until

    @rule()
    def right_key(self) -> None:
        proof = self.attempt(self.key)
        assert proof is None or not proof.temporary

    @rule(key=NEW)
    def some_key(self, key: str) -> None:
        proof = self.attempt(key)
        assert proof is None or key == self.key

    @rule()
    def recover(self) -> None:
        self.temporary, self.until = credentials.issue_temporary(self.holder)

    @precondition(lambda self: self.temporary)
    @rule()
    def try_temporary(self) -> None:
        proof = self.attempt(self.temporary)
        assert proof is None or (proof.temporary and self.temporary_lives())

    @precondition(lambda self: self.temporary)
    @rule(new=NEW)
    def change_with_temporary(self, new: str) -> None:
        proof = self.attempt(self.temporary)
        if proof:
            self.replace(proof, new)

    @rule(new=NEW)
    def change(self, new: str) -> None:
        proof = self.attempt(self.key)
        if proof and self.replace(proof, new):
            with pytest.raises(credentials.KeyAlreadyChanged):
                credentials.replace(proof, "XT940271")

    def replace(self, proof: credentials.Proof, new: str) -> bool:
        try:
            credentials.replace(proof, new)
        except PolicyViolation as violation:
            assert violation.reasons == ["previous"] and new in (self.key, self.previous)
            return False
        assert new not in (self.key, self.previous)
        self.key, self.previous, self.temporary = new, self.key, ""
        return True

    @rule(minutes=st.integers(1, 90))
    def wait(self, minutes: int) -> None:
        self.clock.move(minutes=minutes)

    @invariant()
    def nothing_is_kept_in_clear(self) -> None:
        if hasattr(self, "holder"):
            stored = str(list(Credential.objects.values())) + str(list(TemporaryKey.objects.values()))
            assert self.key not in stored and (not self.temporary or self.temporary not in stored)


LifeOfAKey.TestCase.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


class TestLifeOfAKey(LifeOfAKey.TestCase, TestCase):  # type: ignore[valid-type,misc]
    """Runs the machine inside Django's test transaction."""
