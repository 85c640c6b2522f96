"""Chile's 16 regions and 346 comunas by their official code (CUT). Data: see data/README.md."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "comunas.csv"
# The customary order, north to south, which the codes do not follow.
_NORTH_TO_SOUTH = ("15", "01", "02", "03", "04", "05", "13", "06", "07", "16", "08", "09", "14", "10", "11", "12")


@dataclass(frozen=True)
class Comuna:
    """A comuna: five-digit CUT code, name, and its region's two-digit code and name."""

    code: str
    name: str
    region: str
    region_name: str


@cache
def comunas() -> dict[str, Comuna]:
    """Return all comunas by code."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["comuna_cut"]: Comuna(row["comuna_cut"], row["comuna"], row["region_cut"], row["region_corta"])
            for row in csv.DictReader(file)
        }


@cache
def region_choices() -> list[tuple[str, str]]:
    """Return (code, name) of the regions, north to south."""
    names = {comuna.region: comuna.region_name for comuna in comunas().values()}
    return [(code, names[code]) for code in _NORTH_TO_SOUTH]


@cache
def comuna_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the comunas grouped by region, so that one select works with and without scripts."""
    return [
        (name, sorted(((c.code, c.name) for c in comunas().values() if c.region == code), key=lambda pair: pair[1]))
        for code, name in region_choices()
    ]
