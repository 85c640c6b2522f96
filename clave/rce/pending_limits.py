"""Limits on pending requests: anybody with a training body's token can create them.

A class of 300 behind one address starts within a minute, so the limits are generous. The participant's own limit is
checked first: repeating one request uses up only that participant's share. Each worker counts on its own.
"""

from functools import cache

from django.conf import settings

from clave.lib.leaky_buckets import LeakyBuckets
from clave.lib.networks import address_block
from clave.rce.request import RceRequest

# (capacity, refill per second)
PARTICIPANT, NETWORK, TOKEN = (60, 0.2), (3000, 20), (20_000, 200)


@cache
def _buckets(factor: int) -> tuple[LeakyBuckets, LeakyBuckets, LeakyBuckets]:
    participant, network, token = (
        LeakyBuckets(capacity * factor, per_second * factor) for capacity, per_second in (PARTICIPANT, NETWORK, TOKEN)
    )
    return participant, network, token


def try_admit(request: RceRequest, address: str) -> bool:
    """Count a request that is to wait; return False if its participant, network or token has exceeded a limit."""
    network = address_block(address)
    participant, networks, tokens = _buckets(settings.RCE_PENDING_FACTOR)
    token = str(request.token.pk) if request.token else ""
    return participant.add(f"{network} {request['RunAlumno']}") and networks.add(network) and tokens.add(token)
