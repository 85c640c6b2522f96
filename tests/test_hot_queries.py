"""A lookup compiled once gives what the ORM gives."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clave.credentials.models import Credential
from clave.db.hot_queries import Lookup
from clave.holders.models import Holder
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
def test_what_is_read_for_nobody_is_read_as_what_is_found() -> None:
    demo.load()
    camila = PERSON.one("11111111-1")
    assert camila
    read = PERSON.hydrate(PERSON.stored(camila, camila.credential))
    for field in Holder._meta.concrete_fields:
        assert getattr(read, field.attname) == getattr(camila, field.attname), field.name
    assert read.credential.hash == camila.credential.hash and not hasattr(read, "secret_answer")
