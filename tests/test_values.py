"""RUT, NIE, masking, folding and the characters of a text."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.lib.masking import masked_email, masked_name, masked_phone
from clave.lib.rut import InvalidNie, InvalidRut, Nie, Rut, check_digit
from clave.lib.text import folded, unexpected_characters

numbers = st.integers(1, 99_999_999)


@pytest.mark.parametrize(
    "rut", ["11111111-1", "76543210-3", "77222333-1", "76111222-8", "12345678-5", "1-9", "20347878-K"]
)
def test_known_ruts_have_their_check_digit(rut: str) -> None:
    number, digit = rut.split("-")
    assert check_digit(int(number)) == digit


@given(
    numbers, st.sampled_from(["{n}-{d}", "{n}{d}", "{dots}-{d}", " {dots}{d} ", "{n} - {d}", "{n}–{d}"]), st.booleans()
)
def test_a_rut_is_read_however_it_is_typed(number: int, form: str, lower: bool) -> None:
    digit = check_digit(number)
    text = form.format(n=number, d=digit.lower() if lower else digit, dots=f"{number:,}".replace(",", "."))
    rut = Rut.parse(text)
    assert str(rut) == f"{number}-{digit}"
    assert Rut.parse(rut.pretty) == Rut.parse(str(rut)) == rut


@given(numbers, st.sampled_from("0123456789K"))
def test_any_other_check_digit_is_refused(number: int, digit: str) -> None:
    if digit != check_digit(number):
        with pytest.raises(InvalidRut, match="rut_digit"):
            Rut.parse(f"{number}-{digit}")


@given(numbers, st.data())
def test_one_wrong_digit_or_two_swapped_are_noticed(number: int, data: st.DataObject) -> None:
    rut, text = str(Rut(number, check_digit(number))), str(number)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([digit for digit in string.digits if digit != text[place]]))
    wrong = text[:place] + other + text[place + 1 :]
    if int(wrong) and len(str(int(wrong))) == len(text):
        with pytest.raises(InvalidRut):
            Rut.parse(f"{wrong}-{rut[-1]}")


@given(st.text())
def test_any_text_is_a_rut_or_refused(text: str) -> None:
    try:
        assert str(Rut.parse(text))
    except InvalidRut as error:
        assert error.code in ("rut_shape", "rut_digit")


@pytest.mark.parametrize("text", ["", "0-0", "123456789-2", "1-9-1", "１１１１１１１１-1", "11111111-1\0", "-1", "k"])
def test_what_is_no_rut_is_refused(text: str) -> None:
    with pytest.raises(InvalidRut):
        Rut.parse(text)


@given(st.from_regex(r"[0-9]{6,12}", fullmatch=True))
def test_a_nie_is_six_to_twelve_digits(digits: str) -> None:
    assert str(Nie.parse(f" {digits} ")) == digits


@pytest.mark.parametrize("text", ["12345", "1" * 13, "12a456", "", "１２３４５６"])
def test_what_is_no_nie_is_refused(text: str) -> None:
    with pytest.raises(InvalidNie):
        Nie.parse(text)


@given(st.emails())
def test_a_masked_mail_hides_length_and_most_letters(email: str) -> None:
    masked = masked_email(email)
    mailbox, domain = masked.split("@")
    assert email not in masked
    assert mailbox.endswith("xxxx") and domain.endswith("xxxx") and len(mailbox) <= 8 and len(domain) <= 7


def test_masks_look_like_the_guides() -> None:
    assert masked_email("polmos@sence.cl") == "polmxxxx@senxxxx"
    assert masked_email("a@b.cl") == "xxxx@b.cxxxx"
    assert masked_name("Ana María Rojas") == "Axxxx Mxxxx Rxxxx"
    assert masked_phone("+56987654321") == "+56 9 xxxx xx21"


@given(st.text(alphabet=string.ascii_letters + "áéíóúüñÁÉÍÓÚÑ  ", max_size=40))
def test_folding_ignores_case_accents_and_repeated_spaces(text: str) -> None:
    assert folded(text) == folded(text.upper()) == folded(f"  {text.replace(' ', '   ')} ") == folded(folded(text))


def test_folding_keeps_what_makes_answers_differ() -> None:
    assert folded("CÓPITO  de Nieve") == "copito de nieve" != folded("copito denieve")


@pytest.mark.parametrize("text", ["O'Higgins 1.234, depto #5", "Ñuñoa Nº 3ª", "Pérez-Cotapos & Cía.", "Kreyòl"])
def test_ordinary_texts_are_taken(text: str) -> None:
    assert unexpected_characters(text) == set()


@pytest.mark.parametrize("text", ["😀", "\u202e", "\x07", "Иван", "陳", "<b>", "\u200b", "{{"])
def test_strange_characters_are_named(text: str) -> None:
    assert unexpected_characters(text)
