"""What one node says of itself, and how others have it on record."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

# Other nodes wait longer for a provider whose network is known to be poor.
TIMEOUT_FACTORS = {
    "vast": 2.5,
    "lambda": 2.0,
    "runpod": 2.0,
    "nebius": 1.5,
    "vultr": 1.5,
    "hetzner": 1.0,
    "local": 1.0,
    "mac": 1.0,
}
UNKNOWN_PROVIDER_FACTOR = 1.2


def effective_timeout(node_id: str, peer_timeout: float) -> float:
    """Returns the seconds after which a silent node is down: by its provider's name."""
    factors = (f for name, f in TIMEOUT_FACTORS.items() if node_id.startswith(name))
    return peer_timeout * next(factors, UNKNOWN_PROVIDER_FACTOR)


@dataclass
class NodeInfo:
    """A node. `host` and `port` are where it was seen, `reported_*` what it says."""

    node_id: str
    host: str
    port: int
    scheme: str = "http"
    role: str = "follower"
    version: str = "unknown"
    code_version: str = "unknown"
    reported_host: str = ""
    reported_port: int = 0
    alternate_ips: list[str] = field(default_factory=list)
    tailscale_ip: str = ""
    nat_blocked: bool = False
    relay_via: str = ""
    capabilities: list[str] = field(default_factory=list)
    leader_id: str | None = None
    leader_eligible: bool = False
    last_heartbeat: float = 0.0
    consecutive_failures: int = 0

    @staticmethod
    def from_json(body: dict[str, Any]) -> "NodeInfo":
        """Reads a node from JSON; unknown keys are dropped.

        Raises KeyError where node_id, host or port is missing.
        """
        for name in ("node_id", "host", "port"):
            body[name]
        known = {entry.name for entry in fields(NodeInfo)}
        info = NodeInfo(**{key: value for key, value in body.items() if key in known})
        info.port = int(info.port)
        return info

    def to_json(self) -> dict[str, Any]:
        """Returns the node as JSON."""
        return asdict(self)
