"""How many requests may wait for their participant to sign in: whoever has a training body's token can make them.

A class of 300 behind one address opens within a minute, so the bounds are wide. The participant's own comes first: who
repeats one request uses up nobody's share but its own. Each worker counts for itself.
"""

from functools import cache

from django.conf import settings

from clave.lib.leaky_buckets import LeakyBuckets
from clave.lib.networks import address_block
from clave.rce.request import RceRequest

# (how many at once, how many more a second)
PARTICIPANT, NETWORK, TOKEN = (60, 0.2), (3000, 20), (20_000, 200)


@cache
def _buckets(factor: int) -> tuple[LeakyBuckets, LeakyBuckets, LeakyBuckets]:
    participant, network, token = (
        LeakyBuckets(capacity * factor, per_second * factor) for capacity, per_second in (PARTICIPANT, NETWORK, TOKEN)
    )
    return participant, network, token


def may_wait(asked: RceRequest, address: str) -> bool:
    """Count a request that is to wait. False: too many like it have come from this network or with this token."""
    network = address_block(address)
    participant, networks, tokens = _buckets(settings.RCE_PENDING_FACTOR)
    token = str(asked.token.pk) if asked.token else ""
    return participant.add(f"{network} {asked['RunAlumno']}") and networks.add(network) and tokens.add(token)
