"""A lookup compiled once gives what the ORM gives."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clave.audit.models import Entry
from clave.credentials.models import Credential
from clave.db import hot_queries
from clave.db.hot_queries import Lookup, insert, inserting, together
from clave.holders.models import Holder
from clave.lib import clock
from clave.sandbox import demo

PERSON = Lookup(
    lambda rut: Holder.objects.filter(profile="PN", identifier=rut).select_related("credential", "secret_answer"), "rut"
)
SOME = Lookup(lambda *ruts: Holder.objects.filter(identifier__in=ruts), "one", "two")


@pytest.mark.django_db
def test_it_finds_the_same_instances_with_the_same_relations() -> None:
    demo.load()
    for rut in ("11111111-1", "33333333-3", "55555555-5", "66666666-6"):
        usual = Holder.objects.select_related("credential", "secret_answer").get(identifier=rut)
        with CaptureQueriesContext(connection) as queries:
            found = PERSON.one(rut)
            assert found is not None
            assert getattr(found, "credential", None) == getattr(usual, "credential", None)
            assert hasattr(found, "secret_answer") == hasattr(usual, "secret_answer")
        assert len(queries) == 1
        for field in Holder._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(usual, field.attname), field.name
        assert found == usual and not found._state.adding
    camila = PERSON.one("11111111-1")
    assert camila and isinstance(camila.credential, Credential) and camila.mobile == "+56987650001"


@pytest.mark.django_db
def test_it_finds_nobody_several_and_never_what_a_text_pretends_to_be() -> None:
    demo.load()
    assert PERSON.one("12345678-5") is None and PERSON.one("' OR 1=1 --") is None and PERSON.one("rut") is None
    assert {holder.identifier for holder in SOME.all("11111111-1", "22222222-2")} == {"11111111-1", "22222222-2"}
    assert SOME.all("x", "y") == []
    with pytest.raises(ValueError):
        SOME.all("only one")


@pytest.mark.django_db
def test_what_it_found_can_be_changed_and_saved() -> None:
    demo.load()
    found = PERSON.one("11111111-1")
    assert found
    found.names = "Camila Andrea"
    found.save(update_fields=["names"])
    assert Holder.objects.get(identifier="11111111-1").names == "Camila Andrea"


@pytest.mark.django_db
def test_it_inserts_what_saving_would() -> None:
    now = clock.now()
    insert(
        Entry(
            at=now, action="x.y", outcome="ok", subject="s", address="203.0.113.1", agent="ñ", detail={"n": [1, None]}
        )
    )
    row = Entry.objects.get()
    assert (row.at, row.action, row.agent, row.detail, row.address) == (
        now,
        "x.y",
        "ñ",
        {"n": [1, None]},
        "203.0.113.1",
    )
    holder = Holder(profile="PN", identifier="12345678-5", mobile="+56987650001", created_at=now, updated_at=now)
    insert(holder)
    found = Holder.objects.get(identifier="12345678-5")
    assert found.pk == holder.pk and found.mobile == "+56987650001" and found.birth_date is None
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Holder(profile="PN", identifier="12345678-5", created_at=now, updated_at=now))


@pytest.mark.django_db
def test_what_it_only_pretends_to_find_is_read_as_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    demo.load()
    read: list[Any] = []
    instance = hot_queries._Compiled.instance
    monkeypatch.setattr(
        "clave.db.hot_queries._Compiled.instance", lambda made, *row: read.append(instance(made, *row)) or read[-1]
    )
    camila = PERSON.one("11111111-1")
    assert camila
    PERSON.pretending(camila, camila.credential)()
    found, pretended = read
    for field in Holder._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(pretended, field.attname), field.name
    assert pretended.credential.hash == found.credential.hash and not hasattr(pretended, "secret_answer")


@pytest.mark.django_db
def test_several_lookups_put_at_once_are_answered_each() -> None:
    demo.load()
    one, both, nobody = together(PERSON.ask("11111111-1"), SOME.ask("11111111-1", "22222222-2"), PERSON.ask("1-9"))
    assert [holder.identifier for holder in one] == ["11111111-1"] and one[0].credential.version >= 1
    assert {holder.identifier for holder in both} == {"11111111-1", "22222222-2"} and nobody == []


def test_rows_inserted_together_are_all_there_or_none(committed: None) -> None:
    """Outside any transaction, as at a sign-in."""
    now = clock.now()
    told = Entry(at=now, action="x.y", outcome="ok", subject="s", detail={})
    entry = Entry(at=now, action="x.y", outcome="ok", subject="s", detail={})
    new = Holder(profile="PN", identifier="12345678-5", created_at=now, updated_at=now)
    with pytest.raises(IntegrityError):
        together(*map(inserting, (told, Holder(profile="PN", identifier="11111111-1", created_at=now, updated_at=now))))
    assert not Entry.objects.filter(action="x.y").exists()
    together(inserting(entry), inserting(new))
    assert Entry.objects.get(action="x.y").pk == entry.pk and Holder.objects.get(identifier="12345678-5").pk == new.pk
