"""Profiles choose between guide and standard; the address of the store chooses the settings."""

import pytest

from clave.config.settings import choose, profile


def test_the_hardened_profile_flips_every_choice() -> None:
    assert profile.deviations(profile.read({"CLAVE_PROFILE": "hardened"})) == []
    assert len(profile.deviations(profile.read({}))) == len(profile.CHOICES) - 1


def test_one_choice_can_be_made_alone_and_a_wrong_one_is_refused() -> None:
    assert profile.read({"CLAVE_PROFILE": "hardened", "SECRET_QUESTIONS": "on"})["SECRET_QUESTIONS"] == "on"
    with pytest.raises(profile.UnknownChoice, match="KEY_POLICY=weak"):
        profile.read({"KEY_POLICY": "weak"})
    with pytest.raises(profile.UnknownChoice, match="CLAVE_PROFILE"):
        profile.read({"CLAVE_PROFILE": "none"})


def test_a_postgresql_address_means_a_cluster() -> None:
    assert choose({"DATABASE_URL": "postgresql://x"}) == "clave.config.settings.cluster"
    assert choose({}) == "clave.config.settings.embedded"
