"""What the database holds only encrypted."""

from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from clave.lib.crypto import box, seal, sha256_base64url, unseal


@given(st.text())
def test_what_is_sealed_opens_again_and_never_looks_the_same(text: str) -> None:
    first, second = seal(text), seal(text)
    assert first != second and unseal(first) == unseal(second) == text
    assert len(text) < 4 or text not in first


def test_nobody_changes_what_is_sealed_unseen() -> None:
    sealed = seal("+56987650001")
    for place in (2, 10, len(sealed) - 5):
        other = "A" if sealed[place] != "A" else "B"
        with pytest.raises(InvalidTag):
            unseal(sealed[:place] + other + sealed[place + 1 :])


def test_a_key_that_was_replaced_still_opens_but_no_stranger_does(settings: Any) -> None:
    before, older = seal("+56987650001"), box().encrypt(b"+56987650001").decode()
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(InvalidTag):
        unseal(before)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert unseal(before) == unseal(older) == unseal(seal("+56987650001")) == "+56987650001"


def test_a_hash_is_written_as_oauth_writes_it() -> None:
    """The example of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert sha256_base64url(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
