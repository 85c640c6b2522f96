"""What a key may be, and how answers compare."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.credentials import policy, secret_questions
from clave.credentials.policy import About, PolicyViolation

CAMILA = About("11222333-4", date(1990, 5, 14), ("56987651234",), "camila@example.cl", "Camila")


def reasons(key: str, about: About = CAMILA) -> list[str]:
    try:
        policy.check(key, about)
    except PolicyViolation as violation:
        return violation.reasons
    return []


@pytest.mark.parametrize("key", ["KM482915", "km482915ABx"[:10].upper(), "ABcd482916", "482915KM"])
def test_keys_of_the_guides_shape_are_taken(key: str) -> None:
    assert reasons(key) == []


@given(st.text(max_size=20))
def test_every_key_that_passes_has_the_guides_shape(key: str) -> None:
    if not reasons(key):
        assert 8 <= len(key) <= 10
        assert sum(char.isupper() for char in key) >= 2 and sum(char in "0123456789" for char in key) >= 6


@given(st.integers(0, 2**32))
def test_generated_keys_obey_the_policy(seed: int) -> None:
    assert reasons(policy.generate(), About()) == []


@given(st.integers(0, 2), st.sampled_from(["AB{}", "{}AB", "A{}B"]))
def test_any_six_digits_of_the_own_rut_are_refused(start: int, form: str) -> None:
    assert "own_rut" in reasons(form.format("11222333"[start : start + 6]))


@pytest.mark.parametrize("key", ["AB140590", "AB14051990", "AB900514", "051490AB"])
def test_the_birth_date_in_any_order_is_refused(key: str) -> None:
    assert "own_birth_date" in reasons(key)


@pytest.mark.parametrize("key", ["AA123456", "BB111111", "CC654321", "DD000000", "aA123456"])
def test_one_letter_twice_with_a_run_is_refused(key: str) -> None:
    assert "too_simple" in reasons(key) or "upper" in reasons(key)


def test_letters_of_other_scripts_are_refused_not_guessed() -> None:
    assert "characters" in reasons("КМ482915")
    assert "characters" in reasons("KM４８２９１５")


@given(st.text(min_size=1, max_size=30))
def test_an_answer_is_compared_without_case_and_spaces(answer: str) -> None:
    assert secret_questions.normalised(answer) == secret_questions.normalised(
        f"  {secret_questions.normalised(answer)}  "
    )


@pytest.mark.parametrize("answer", ["", "ab", "aaa", "Chile", "PERÚ", "  no  sé ", "123456"])
def test_answers_a_stranger_tries_first_are_refused(answer: str) -> None:
    with pytest.raises(secret_questions.CommonAnswer):
        secret_questions.check_answer(answer)


def test_every_reason_has_its_words() -> None:
    named = {reason for reason, _ in policy.SENCE_RULES + policy.NIST_RULES} | {"previous"}
    assert named == set(policy.REASONS)
