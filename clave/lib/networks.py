"""Network blocks that count as one client or one organisation."""

from ipaddress import IPv6Address, ip_address, ip_network


def _block(address: str, ipv4_prefix: int, ipv6_prefix: int) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = ipv6_prefix if isinstance(parsed, IPv6Address) else ipv4_prefix
    return str(ip_network((parsed, prefix), strict=False))


def address_block(address: str) -> str:
    """Return the block a single subscriber has: an IPv4 address, or an IPv6 /64 (RFC 6177)."""
    return _block(address, 32, 64)


def wider_network(address: str) -> str:
    """Return the block a single organisation may have: an IPv4 /24 or an IPv6 /48."""
    return _block(address, 24, 48)
