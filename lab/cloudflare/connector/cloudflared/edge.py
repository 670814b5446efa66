"""Finding and dialing the edge."""

import asyncio
import socket
import ssl

from .http1 import LONGEST_HEAD

REGIONS = ("region1.v2.argotunnel.com", "region2.v2.argotunnel.com")
PORT = 7844
SERVER_NAME = "h2.cftunnel.com"
DIAL_TIMEOUT = 60
QUIC_TIMEOUT = 5

FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6, "auto": socket.AF_UNSPEC}


class DialError(Exception):
    """Nobody answered; worth another try."""


class QuicBroken(DialError):
    """No datagram came back."""


def _split(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


async def discover(static, ip_version):
    """Addresses of the edge, (ip, port). Raises OSError where the names cannot be looked up."""
    loop = asyncio.get_running_loop()
    names = [_split(address) for address in static] or [(region, PORT) for region in REGIONS]
    found = []
    for host, port in names:
        infos = await loop.getaddrinfo(host, port, family=FAMILIES[ip_version], type=socket.SOCK_STREAM)
        found += [info[4][:2] for info in infos]
    return found


class _Echo(asyncio.DatagramProtocol):
    def __init__(self, answered):
        self.answered = answered

    def datagram_received(self, data, address):
        if not self.answered.done():
            self.answered.set_result(True)

    def error_received(self, problem):
        if not self.answered.done():
            self.answered.set_exception(problem)


async def assert_udp(address):
    """Raises QuicBroken unless a datagram to the edge is answered, as QUIC's would have to be."""
    loop = asyncio.get_running_loop()
    answered = loop.create_future()
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: _Echo(answered), remote_addr=address)
    except OSError as problem:
        raise QuicBroken("failed to dial to edge with quic: %s" % problem)
    try:
        for _ in range(QUIC_TIMEOUT):
            transport.sendto(b"fleet-lab")
            try:
                await asyncio.wait_for(asyncio.shield(answered), 1)
                return
            except asyncio.TimeoutError:
                continue
            except OSError as problem:
                raise QuicBroken("failed to dial to edge with quic: %s" % problem)
        raise QuicBroken("failed to dial to edge with quic: timeout: no recent network activity")
    finally:
        transport.close()


_context = None


def _tls():
    global _context
    if _context is None:
        _context = ssl.create_default_context()
    return _context


async def dial(address):
    """A TLS connection to the edge: reader and writer."""
    try:
        opening = asyncio.open_connection(*address, ssl=_tls(), server_hostname=SERVER_NAME, limit=LONGEST_HEAD)
        return await asyncio.wait_for(opening, DIAL_TIMEOUT)
    except asyncio.TimeoutError:
        raise DialError("DialContext error: dial tcp %s:%d: i/o timeout" % address)
    except ssl.SSLError as problem:
        raise DialError("TLS handshake with edge error: %s" % problem)
    except OSError as problem:
        raise DialError("DialContext error: dial tcp %s:%d: %s" % (address + (problem.strerror or problem,)))
