"""The sample applications of `script/interop` say exactly what they are tried with."""

import re
import subprocess

import pytest

from tests.interop.clients import CLIENTS, SAMPLES, Client
from tests.interop.story import STEPS

FETCHED = [client for client in CLIENTS if client.manifest]


@pytest.mark.parametrize("client", FETCHED, ids=lambda client: client.name)
def test_a_sample_pins_the_version_of_its_library(client: Client) -> None:
    assert re.fullmatch(r"\d+(\.\d+)+", client.version())


def test_every_sample_has_a_folder_and_every_folder_is_a_sample() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "."], cwd=SAMPLES, capture_output=True, text=True, check=True
    )
    folders = {name.split("/")[0] for name in tracked.stdout.splitlines() if "/" in name}
    assert folders - {"oracle"} == {client.name for client in CLIENTS}, (
        "the oracle is a provider: script/interop-oracle"
    )
    locks = [name for name in tracked.stdout.splitlines() if name.endswith(("go.sum", "package-lock.json"))]
    assert locks == [], "they name the registry that they were made with"


def test_what_is_not_asked_of_a_client_is_a_step_of_the_story() -> None:
    assert {step for client in CLIENTS for step in client.without} <= set(STEPS)
