"""Where a peer is dialled."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from scripts.standin.arguments import DEFAULT_PORT


@dataclass(frozen=True)
class Address:
    """A peer's scheme, host and port."""

    scheme: str
    host: str
    port: int

    def url(self, path: str) -> str:
        """Returns the URL of a path on this peer."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{path}"


def parse_address(text: str) -> Address:
    """Reads `host[:port]`, `http(s)://host[:port]` or `[v6]:port`.

    The default port is 8770, for https 443. Raises ValueError for an empty element
    or a bad port: the heartbeat loop does not catch it, as in the real daemon.
    """
    text = text.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if not parts.hostname:
        raise ValueError(f"no host in peer address {text!r}")
    default = 443 if parts.scheme == "https" else DEFAULT_PORT
    return Address(parts.scheme, parts.hostname, parts.port or default)
