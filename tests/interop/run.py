"""Takes all clients through the story at once, because keys are rotated for all of them."""

import sys
import time
from contextlib import ExitStack

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.interop import samples
from tests.interop.clients import Client
from tests.interop.provider import Provider
from tests.interop.story import STEPS, Journey

# Libraries do not fetch the provider's keys again before their copy has this age (oauth4webapi; others 30 s or less).
KEYS_AGE = 61
Results = dict[Client, dict[str, str]]


def run(provider: Provider, clients: list[Client]) -> Results:
    """Return for each client what became of each step."""
    journeys: dict[Client, Journey] = {}
    results: Results = {}
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        for client in clients:
            print(f"{client.name} {client.version()} …", file=sys.stderr, flush=True)
            try:
                url = stack.enter_context(samples.running(client, provider))
            except samples.InteropError as error:
                results[client] = {STEPS[0]: str(error)}
                continue
            journeys[client] = Journey(client, url, provider, browser)
            journeys[client].before_the_rotation()
        time.sleep(KEYS_AGE)
        provider.rotate_keys()
        for client, journey in journeys.items():
            journey.after_the_rotation()
            results[client] = journey.results
        browser.close()
    return {client: results[client] for client in clients}
