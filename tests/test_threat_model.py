"""docs/threat-model.md names, for each case that applies, the tests that prove it; they exist and carry the number."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
APPLY = {*range(1, 54), 56, 57, 60, 61, *range(65, 84)}


def marked() -> dict[int, set[str]]:
    """Read the abuse markers of all tests."""
    found: dict[int, set[str]] = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(
            r"@pytest\.mark\.abuse\(([\d, ]+)\)(?:(?!\ndef ).)*?\ndef (test_\w+)", text, re.DOTALL
        ):
            for number in match[1].split(","):
                found.setdefault(int(number), set()).add(f"{file.relative_to(ROOT)}::{match[2]}")
    return found


def test_every_case_that_applies_is_listed_with_the_tests_that_carry_its_number() -> None:
    table = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| .*\| (.*) \|$", table, re.MULTILINE)
    listed = {int(number): set(re.findall(r"`([^`]+)`", tests)) for number, tests in rows}
    assert set(listed) == APPLY
    assert listed == {number: tests for number, tests in marked().items() if number in APPLY}
