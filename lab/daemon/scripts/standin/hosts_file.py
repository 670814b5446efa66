"""The daemon's copy of the hosts file (`config/distributed_hosts.yaml`)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FILE = Path("config") / "distributed_hosts.yaml"


@dataclass(frozen=True)
class HostsFile:
    """What the daemon reads of the hosts file. Empty when there is none."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    declared_voters: tuple[str, ...] = ()

    def voters(self) -> list[str]:
        """Returns the declared voters, sorted, each once, without offline ones.

        Retired, destroyed and unknown hosts stay in, as in the real daemon.
        """
        declared = set(self.declared_voters)
        return sorted(
            name
            for name in declared
            if self.hosts.get(name, {}).get("status") != "offline"
        )

    def is_relayed(self, node_id: str) -> bool:
        """Returns whether a node sends all its heartbeats to relays."""
        host = self.hosts.get(node_id, {})
        return bool(host.get("nat_blocked")) or bool(host.get("force_relay_mode"))

    def relay_addresses(self, node_id: str) -> list[str]:
        """Returns the addresses of the relay-capable hosts other than this node."""
        return [
            f"{host.get('tailscale_ip') or host.get('ssh_host')}:{host.get('p2p_port') or 8770}"
            for name, host in self.hosts.items()
            if name != node_id
            and host.get("relay_capable") is True
            and host.get("p2p_enabled") is not False
            and (host.get("tailscale_ip") or host.get("ssh_host"))
        ]


def read_hosts_file(path: Path) -> HostsFile:
    """Reads a hosts file. A missing or unreadable one is an empty one."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return HostsFile()
    if not isinstance(data, dict):
        return HostsFile()
    hosts = data.get("hosts") or {}
    voters = data.get("p2p_voters") or []
    return HostsFile(
        {str(name): host for name, host in hosts.items() if isinstance(host, dict)},
        tuple(str(voter) for voter in voters if voter),
    )


def locate_hosts_file(ringrift_path: Path) -> Path:
    """Returns the hosts file of an ai-service folder or of a repository root."""
    nested = ringrift_path / "ai-service" / FILE
    return nested if nested.is_file() else ringrift_path / FILE
