"""A production start refuses insecure settings; profiles choose between guide and standard."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clave.settings import choose, profile

GOOD = {
    "CLAVE_SECRET_KEY": "Zq8w" * 5 + "3nF9-xL2_kTb7YpR6sVd4HgJ1mCaQeWu",
    "CLAVE_HOSTS": "clave.example.cl",
    "CLAVE_URL": "https://clave.example.cl",
    "REGISTRO_CIVIL_URL": "https://registro.example.cl",
    "SII_URL": "https://sii.example.cl",
}


def start(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    base = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return subprocess.run(
        [sys.executable, "-c", "import clave.wsgi"],
        env={**base, "CLAVE_HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
    )


def test_a_secure_production_starts(tmp_path: Path) -> None:
    result = start(tmp_path, **GOOD)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CLAVE_SECRET_KEY": "short"}, "CLAVE_SECRET_KEY"),
        ({"CLAVE_DEBUG": "1"}, "CLAVE_DEBUG"),
        ({"CLAVE_CAPTCHA": "off"}, "CLAVE_CAPTCHA"),
        ({"CLAVE_HOSTS": ""}, "CLAVE_HOSTS"),
        ({"CLAVE_HOSTS": "*"}, "CLAVE_HOSTS"),
        ({"CLAVE_URL": "http://clave.example.cl"}, "CLAVE_URL"),
        ({"REGISTRO_CIVIL_URL": ""}, "REGISTRO_CIVIL_URL"),
        ({"SII_URL": ""}, "SII_URL"),
        ({"DATABASE_URL": "postgres://x/y", "CLAVE_WORKERS": "2"}, "CACHE_URL"),
    ],
)
def test_each_insecure_setting_is_refused_by_name(tmp_path: Path, change: dict[str, str], named: str) -> None:
    result = start(tmp_path, **{**GOOD, **change})
    assert result.returncode != 0 and f"- {named}:" in result.stderr
    assert result.stderr.count("  - ") == 1


def test_a_folder_with_demo_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo-data").touch()
    assert "demo data" in start(tmp_path, **GOOD).stderr


def test_the_hardened_profile_flips_every_choice() -> None:
    assert profile.departures(profile.read({"CLAVE_PROFILE": "hardened"})) == []
    assert len(profile.departures(profile.read({}))) == len(profile.CHOICES) - 1


def test_one_choice_can_be_made_alone_and_a_wrong_one_is_refused() -> None:
    assert profile.read({"CLAVE_PROFILE": "hardened", "SECRET_QUESTIONS": "on"})["SECRET_QUESTIONS"] == "on"
    with pytest.raises(profile.UnknownChoice, match="KEY_POLICY=weak"):
        profile.read({"KEY_POLICY": "weak"})
    with pytest.raises(profile.UnknownChoice, match="CLAVE_PROFILE"):
        profile.read({"CLAVE_PROFILE": "none"})


def test_a_postgresql_address_means_a_cluster() -> None:
    assert choose({"DATABASE_URL": "postgresql://x"}) == "clave.settings.cluster"
    assert choose({}) == "clave.settings.embedded"
