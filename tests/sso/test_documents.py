"""The documents about sign-on name tests that are there, and every section of RFC 9700 that asks something of Clave."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# RFC 9700: sections 2.1 to 2.6 with their parts, and the attacks of section 4.
SECTIONS = {"2.1", "2.1.1", "2.1.2", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6", *(f"4.{n}" for n in range(1, 18))}


def named_in(document: str) -> set[str]:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return set(re.findall(r"`(tests/[^`]+::test_\w+)`", text))


@pytest.mark.parametrize("document", ["oauth-security.md", "openid-conformance.md"])
def test_every_test_that_is_named_is_there(document: str) -> None:
    names = named_in(document)
    assert len(names) > 20
    for name in names:
        file, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_every_section_has_its_row() -> None:
    text = (ROOT / "docs" / "oauth-security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d.]+) \| .+ \| .*`tests/", text, re.MULTILINE)
    assert set(rows) == SECTIONS
