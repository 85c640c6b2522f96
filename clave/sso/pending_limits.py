"""Limits on stored authorization requests: anybody can create them, by an address anyone can write.

A class of 300 behind one address signs in within minutes, so the limits are generous. What is stored lives for half an
hour. Each worker counts on its own.
"""

from functools import cache

from clave.lib.leaky_buckets import LeakyBuckets
from clave.lib.networks import address_block
from clave.sso.models import Client

# (capacity, refill per second)
NETWORK, CLIENT = (3000, 5), (20_000, 100)


@cache
def _buckets() -> tuple[LeakyBuckets, LeakyBuckets]:
    return LeakyBuckets(*NETWORK), LeakyBuckets(*CLIENT)


def try_admit(client: Client, address: str) -> bool:
    """Count a request that is to be stored; return False if its network or client has exceeded a limit."""
    networks, clients = _buckets()
    return networks.add(address_block(address)) and clients.add(client.client_id)
