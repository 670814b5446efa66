"""Opens a connection along a path: plain, through SOCKS5, or TLS with the certificate checked."""
import asyncio, ipaddress, socket, ssl, time
from wire import Wire

FRESH = 60.0
REPLIES = {
    1: "general failure", 2: "not allowed", 3: "network unreachable", 4: "host unreachable",
    5: "connection refused", 6: "expired", 7: "command not supported", 8: "address type not supported",
}


class Failed(Exception):
    """The path did not open; the text says why."""


class Dialler:
    """`source` is the local address to come from; `context` checks certificates."""

    def __init__(self):
        self.context = None
        self._names = {}

    def trust(self, ca_file):
        """The system's certificates, and a file's. @raises OSError, ssl.SSLError"""
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        context.set_alpn_protocols(["http/1.1"])
        self.context = context

    async def open(self, way, make, seconds):
        """A connected wire. @raises Failed"""
        try:
            return await asyncio.wait_for(self._open(way, make), seconds)
        except asyncio.TimeoutError:
            raise Failed("no connection within %g s" % seconds)
        except ssl.SSLCertVerificationError as error:
            raise Failed("certificate refused: %s" % error.verify_message)
        # ValueError: no name that could be looked up.
        except (OSError, ssl.SSLError, EOFError, ValueError) as error:
            raise Failed(_words(error))

    async def _open(self, way, make):
        loop = asyncio.get_event_loop()
        if way.socks:
            return await self._through_socks(way, make)
        host = way.host
        if way.tls:
            addresses = await self._resolve(host, way.port)
            last = None
            for address in addresses:
                try:
                    _, wire = await loop.create_connection(make, address, way.port, ssl=self.context, server_hostname=host)
                    return wire
                except ssl.SSLError:
                    raise
                except OSError as error:
                    last = error
            raise last or OSError("no address")
        last = None
        for address in await self._resolve(host, way.port):
            try:
                _, wire = await loop.create_connection(make, address, way.port)
                return wire
            except OSError as error:
                last = error
        raise last or OSError("no address")

    async def _resolve(self, host, port):
        """Addresses of a name; the last known ones where nobody answers."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        known = self._names.get(host)
        if known and time.monotonic() - known[0] < FRESH:
            return known[1]
        try:
            found = await asyncio.wait_for(
                asyncio.get_event_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM), 2 if known else 10
            )
        except (OSError, asyncio.TimeoutError):
            if known:
                return known[1]
            raise
        addresses = list(dict.fromkeys(entry[4][0] for entry in found))[:4]
        self._names[host] = (time.monotonic(), addresses)
        while len(self._names) > 4096:
            del self._names[next(iter(self._names))]
        return addresses

    async def _through_socks(self, way, make):
        loop = asyncio.get_event_loop()
        sock = socket.socket(socket.AF_INET6 if ":" in way.socks[0] else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, way.socks)
            except OSError as error:
                raise Failed("the SOCKS proxy does not answer: %s" % _words(error))
            await loop.sock_sendall(sock, b"\x05\x01\x00")
            if await _exactly(loop, sock, 2) != b"\x05\x00":
                raise Failed("the SOCKS proxy wants a login")
            await loop.sock_sendall(sock, b"\x05\x01\x00" + _socks_address(way.host) + way.port.to_bytes(2, "big"))
            _, reply, _, kind = await _exactly(loop, sock, 4)
            if reply:
                raise Failed("the SOCKS proxy says: %s" % REPLIES.get(reply, "error %d" % reply))
            length = {1: 4, 4: 16}.get(kind) or (await _exactly(loop, sock, 1))[0]
            await _exactly(loop, sock, length + 2)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _, wire = await loop.create_connection(make, sock=sock)
            return wire
        except BaseException:
            sock.close()
            raise


async def from_address(host, port, source, make, seconds):
    """A wire to the daemon that comes from a loopback address. @raises Failed"""
    loop = asyncio.get_event_loop()
    try:
        _, wire = await asyncio.wait_for(loop.create_connection(make, host, port, local_addr=(source, 0)), seconds)
        return wire
    except asyncio.TimeoutError:
        raise Failed("no connection within %g s" % seconds)
    except OSError as error:
        raise Failed(_words(error))


def _socks_address(host):
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")
        return b"\x03" + bytes([len(name)]) + name
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed


async def _exactly(loop, sock, count):
    data = b""
    while len(data) < count:
        part = await loop.sock_recv(sock, count - len(data))
        if not part:
            raise EOFError("the SOCKS proxy hung up")
        data += part
    return data


def _words(error):
    if isinstance(error, socket.gaierror):
        return "the name does not resolve"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
