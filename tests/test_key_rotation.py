"""CLAVE_SECRET_KEY is replaced, the former one stays among the fallbacks: nobody notices (abuse case 82)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection

from clave.audit import chain, seals
from clave.audit import service as audit
from clave.audit.models import Entry, Seal, SealKind
from clave.audit.verification import verify
from clave.backoffice import operator_accounts
from clave.db.rekeying import encrypted_fields
from clave.documents import service as documents
from clave.holders.models import Holder
from clave.lib import clock as clave_clock
from clave.lib.crypto import is_keyed_hash, is_sealed_under, keyed_hash
from clave.lib.request_context import SYSTEM, RequestContext
from clave.rce import trial_ids
from clave.sandbox.courses import CAMILA, TOKEN
from clave.statements import paper
from clave.training import tokens
from clave.training.models import Token
from tests import files
from tests.story import Visitor
from tests.wire.platform import Answer, Platform
from tests.wire.test_api import Server
from tests.wire.test_block import ASKED

NEW, NEWER = "the second secret key, long enough to be one " * 2, "the third secret key, long enough to be one " * 2
CONTEXT = RequestContext("203.0.113.5", "browser", "agent")
Rotate = Callable[[str], None]


@pytest.fixture
def rotate(settings: Any) -> Rotate:
    """Replace the secret key; the one before stays as the only fallback."""

    def to(secret: str) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = secret

    return to


@pytest.fixture
def forget(settings: Any) -> Callable[[], None]:
    """Take the former key away."""

    def away() -> None:
        settings.SECRET_KEY_FALLBACKS = []

    return away


def seal_one() -> None:
    audit.record("test.one", CONTEXT)
    seals.seal_new()


@pytest.mark.abuse(82)
def test_a_keyed_hash_is_recognised_under_the_present_and_the_former_key(rotate: Rotate, forget: Any) -> None:
    before = keyed_hash("x", "1")
    rotate(NEW)
    assert keyed_hash("x", "1") != before
    assert is_keyed_hash(before, "x", "1") and is_keyed_hash(before[:32], "x", "1", length=32)
    assert not is_keyed_hash(before[:32], "x", "1") and not is_keyed_hash("", "x", "1", length=32)
    assert not is_keyed_hash(before, "x", "2") and not is_keyed_hash("ñ", "x", "1")
    forget()
    assert not is_keyed_hash(before, "x", "1")


@pytest.mark.abuse(82)
def test_a_token_goes_on_and_moves_to_the_present_key_when_used(demo: None, rotate: Rotate, forget: Any) -> None:
    rotate(NEW)
    assert Platform().open().verdict == "opened"
    forget()
    assert tokens.find(TOKEN.lower()), "using it moved it"


@pytest.mark.abuse(82)
def test_a_token_made_before_its_fingerprint_was_kept_goes_on_too(demo: None, rotate: Rotate, forget: Any) -> None:
    Token.objects.filter(hint=TOKEN[-4:]).update(digest=keyed_hash("token", TOKEN), fingerprint="")
    rotate(NEW)
    assert tokens.rekey()[1] >= 1
    status, _answer = Server().call("post", "blocks", ASKED)
    assert status == 200
    forget()
    assert tokens.find(TOKEN)


@pytest.mark.abuse(82)
def test_the_block_does_not_take_the_tokens_hint_for_the_token(demo: None, rotate: Rotate) -> None:
    _status, answer = Server().call("post", "blocks", ASKED)
    address = str(answer["url"]).split("8000")[-1]
    rotate(NEW)
    platform = Platform()
    platform.visitor.post(f"{address}/marca", {})
    assert Answer(platform.sign()).verdict == "opened"
    assert tokens.find(TOKEN) and tokens.find(TOKEN[-4:]) is None


@pytest.mark.abuse(82)
def test_what_was_begun_before_is_finished_after(demo: None, rotate: Rotate) -> None:
    platform = Platform()
    platform.post("IniciarSesion")
    code = operator_accounts.invite("nueva@mesa.example.cl", "Nueva", "agente", None, SYSTEM)
    trial = trial_ids.make(CAMILA, "6700001", clave_clock.now())
    rotate(NEW)
    assert Answer(platform.sign()).verdict == "opened", "the sign-in page of a mark"
    assert operator_accounts.accept_invitation("nueva@mesa.example.cl", code, "arboles sobre la colina", SYSTEM)
    assert trial_ids.opened_at(trial, CAMILA, "6700001")
    assert trial_ids.opened_at(trial, CAMILA, "6700002") is None


@pytest.mark.abuse(82)
def test_a_session_goes_on_and_a_browser_stays_the_same_under_a_new_seal(
    visitor: Visitor, rotate: Rotate, forget: Any
) -> None:
    visitor.sign_in(CAMILA, "KM482915")
    cookie = visitor.client.cookies["navegador"].value
    rotate(NEW)
    assert visitor.open("/mi-cuenta").url == "/mi-cuenta"
    visitor.ask_for_key(CAMILA, "no")
    again = visitor.client.cookies["navegador"].value
    assert again != cookie and again.split(".")[0] == cookie.split(".")[0]
    call_command("rekey")
    forget()
    visitor.ask_for_key(CAMILA, "no")
    assert visitor.client.cookies["navegador"].value == again, "which the present key knows"
    late = Visitor()
    late.client.cookies["navegador"] = cookie
    late.ask_for_key(CAMILA, "no")
    assert late.client.cookies["navegador"].value.split(".")[0] != cookie.split(".")[0]


@pytest.mark.abuse(82)
def test_the_institutions_key_stays_the_same_and_its_file_opens_with_the_present_key(
    demo: None, rotate: Rotate, forget: Any
) -> None:
    file, password = paper._institution()
    try:
        before = paper._opened(file.read_bytes(), password)
        rotate(NEW)
        file, password = paper._institution()
        after = paper._opened(file.read_bytes(), password)
        assert before and after and before.cert == after.cert
        assert file.stat().st_mode & 0o077 == 0
        forget()
        assert paper._institution() == (file, password)
        rotate(NEWER)
        forget()
        with pytest.raises(RuntimeError, match="neither the present one nor among the fallbacks"):
            paper._institution()
    finally:
        file.unlink()


@pytest.mark.abuse(82)
def test_the_institutions_file_from_before_its_password_was_derived_still_opens(demo: None, rotate: Rotate) -> None:
    file = django_settings.CLAVE_HOME / "institution.p12"
    paper._replace(file, paper._self_signed(django_settings.SECRET_KEY.encode()[:64]))
    rotate(NEW)
    try:
        assert paper.rekey() is True and paper.rekey() is False
    finally:
        file.unlink()


@pytest.mark.abuse(68, 82)
def test_the_change_of_key_is_a_link_of_the_chain_and_hands_the_former_key_on(
    db: None, rotate: Rotate, forget: Any
) -> None:
    seal_one()
    rotate(NEW)
    assert verify().is_intact
    seal_one()
    rotate(NEWER)
    seal_one()
    forget()
    verdict = verify()
    assert verdict.is_intact and verdict.entries == Entry.objects.count()
    assert [event.split(" at ")[0] for event in verdict.events] == [
        "seal 2: the key changed",
        "seal 4: the key changed",
    ]
    assert NEW not in str(list(Seal.objects.values()))
    rows = str(list(Seal.objects.values()))
    assert not any(chain.configured_keys()[name].hex() in rows for name in chain.configured_keys())


@pytest.mark.abuse(68, 82)
def test_a_lost_key_is_no_silent_change(db: None, settings: Any, rotate: Rotate, forget: Any, capsys: Any) -> None:
    seal_one()
    rotate(NEW)
    forget()
    with pytest.raises(seals.UnknownKey):
        seal_one()
    from clave.audit.tasks import seal

    assert seal.call() == 0 and verify().unsealed == 1
    call_command("declare_lost_key", reason="Servidor perdido", operator="Ana")
    verdict = verify()
    assert [fault.seal for fault in verdict.faults] == [1] and "declared lost" in verdict.events[0]
    assert "not at hand" in verdict.fault and verdict.unsealed == 0
    with pytest.raises(CommandError, match="nothing is lost"):
        call_command("declare_lost_key", reason="otra vez", operator="Ana")
    settings.SECRET_KEY_FALLBACKS = ["only-for-tests-" + "k" * 60]
    assert verify().is_intact, "if the key is found again, all can be verified"


def test_a_seal_from_before_seals_named_their_key_is_verified_after_a_change(
    db: None, rotate: Rotate, forget: Any
) -> None:
    audit.record("test.one", CONTEXT)
    entry = Entry.objects.latest("pk")
    first = Seal(pk=1, version=1, at=clave_clock.now(), entries=[entry.pk], previous="")
    first.mac = chain.mac_of(first, [entry], next(iter(chain.configured_keys().values())))
    first.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_unsealed")
    rotate(NEW)
    seal_one()
    forget()
    assert verify().is_intact and Seal.objects.get(pk=2).kind == SealKind.KEY_CHANGED


@pytest.mark.abuse(82)
def test_one_command_finishes_the_move(demo: None, rotate: Rotate, forget: Any, capsys: Any) -> None:
    seal_one()
    document = documents.accept_upload(SimpleUploadedFile("a.png", files.image()), "file")
    content, name = documents.contents(document), document.name
    phone = Holder.objects.get(identifier=CAMILA).mobile
    rotate(NEW)
    call_command("rekey")
    said = capsys.readouterr().out
    assert "1 documents" in said and "CLAVE_SECRET_KEY_FALLBACKS may go after" in said
    call_command("rekey")
    assert "moved: 0 texts, 0 documents, 0 tokens" in capsys.readouterr().out
    forget()
    document.refresh_from_db()
    assert documents.contents(document) == content and document.name != name
    assert Holder.objects.get(identifier=CAMILA).mobile == phone != ""
    assert tokens.find(TOKEN) and verify().is_intact
    for model, field in encrypted_fields():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT "{field.column}" FROM {model._meta.db_table}')
            assert all(not text or is_sealed_under(NEW, text) for (text,) in cursor.fetchall()), field
    call_command("rekey")
    assert "nothing more to do" in capsys.readouterr().out


@pytest.mark.abuse(82)
def test_what_no_key_opens_is_named_and_the_rest_moves_all_the_same(
    demo: None, rotate: Rotate, settings: Any, capsys: Any
) -> None:
    from clave.lib.crypto import seal

    lost = Holder.objects.get(identifier=CAMILA)
    former = settings.SECRET_KEY
    settings.SECRET_KEY = NEWER
    foreign = seal("+56911112222")
    settings.SECRET_KEY = former
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE holders_holder SET mobile=%s WHERE id=%s",
            [foreign, lost.pk.hex if connection.vendor == "sqlite" and hasattr(lost.pk, "hex") else lost.pk],
        )
    rotate(NEW)
    with pytest.raises(CommandError, match="1 could not be opened"):
        call_command("rekey")
    assert "mobile" in (said := capsys.readouterr().err) and "+569" not in said
    assert tokens.rekey()[0] == 0, "the tokens have moved"
