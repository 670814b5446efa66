"""Everything a running node was told, in one place."""

import argparse
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scripts.standin import environment
from scripts.standin.hosts_file import (
    FILE,
    HostsFile,
    locate_hosts_file,
    read_hosts_file,
)
from scripts.standin.identity import find_node_id
from scripts.standin.tailnet import is_loopback, local_addresses, tailnet_address

PORT_VARIABLE = "RINGRIFT_P2P_ADVERTISE_PORT"


@dataclass(frozen=True)
class Settings:
    """A node's settings. Times are seconds."""

    node_id: str
    host: str
    port: int
    advertise_host: str
    advertise_port: int
    known_peers: tuple[str, ...]
    relay_peers: frozenset[str]
    is_relayed: bool
    is_coordinator: bool
    voters: tuple[str, ...]
    voter_source: str
    token: str | None
    version: str
    socks_proxy: str | None
    state_dir: Path
    heartbeat_interval: float
    gossip_interval: float
    peer_timeout: float


def _split_peers(text: str) -> list[str]:
    # Empty elements stay in: the heartbeat loop has to stumble over them.
    return text.split(",") if text else []


def _voters(hosts: HostsFile) -> tuple[list[str], str]:
    given = sorted(set(environment.comma_list("RINGRIFT_P2P_VOTERS")))
    if given:
        return given, "env"
    listed = hosts.voters()
    return (listed, "config") if listed else ([], "none")


def _version(ringrift_path: Path) -> str:
    given = os.environ.get("RINGRIFT_BUILD_VERSION")
    if given:
        return given
    command = ["git", "-C", str(ringrift_path), "rev-parse"]
    try:
        branch, commit = (
            subprocess.run(
                [*command, *extra, "HEAD"], capture_output=True, text=True, timeout=5
            ).stdout.strip()
            for extra in (["--abbrev-ref"], ["--short"])
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return f"{branch}@{commit}" if commit else "unknown"


def _advertise_host(argument: str | None, node_id: str, hosts: HostsFile) -> str:
    given = argument or os.environ.get("RINGRIFT_P2P_ADVERTISE_HOST")
    tailnet = tailnet_address() or hosts.hosts.get(node_id, {}).get("tailscale_ip")
    if given and not (is_loopback(given) and tailnet):
        return given
    addresses = local_addresses()
    return str(tailnet or given or (addresses[0] if addresses else "127.0.0.1"))


def _advertise_port(arguments: argparse.Namespace) -> int:
    mapped = os.environ.get(f"VAST_TCP_PORT_{arguments.port}")
    given = arguments.advertise_port or os.environ.get(PORT_VARIABLE) or mapped
    return int(given or arguments.port)


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Puts flags, environment and hosts file together.

    Raises ValueError for --require-auth without a token.
    """
    token = environment.cluster_token(arguments.auth_token)
    if arguments.require_auth and not token:
        raise ValueError("--require-auth is set, and there is no cluster token")
    ringrift_path = Path(arguments.ringrift_path or os.getcwd()).expanduser()
    hosts = read_hosts_file(locate_hosts_file(ringrift_path))
    node_id = find_node_id(arguments.node_id, hosts)
    # Given the repository root, the real daemon finds no relay mode in the file.
    is_relayed = read_hosts_file(ringrift_path / FILE).is_relayed(node_id)
    peers = _split_peers(arguments.peers)
    seeds = environment.comma_list("RINGRIFT_P2P_BOOTSTRAP_SEEDS")
    relays = hosts.relay_addresses(node_id) if is_relayed else []
    voters, voter_source = _voters(hosts)
    return Settings(
        node_id=node_id,
        host=arguments.host,
        port=arguments.port,
        advertise_host=_advertise_host(arguments.advertise_host, node_id, hosts),
        advertise_port=_advertise_port(arguments),
        known_peers=tuple(dict.fromkeys([*peers, *seeds, *relays])),
        relay_peers=frozenset(_split_peers(arguments.relay_peers)) & frozenset(peers),
        is_relayed=is_relayed,
        is_coordinator=environment.is_true("RINGRIFT_IS_COORDINATOR"),
        voters=tuple(voters),
        voter_source=voter_source,
        token=token,
        version=_version(ringrift_path),
        socks_proxy=os.environ.get("RINGRIFT_SOCKS_PROXY") or None,
        state_dir=Path(os.environ.get("RINGRIFT_P2P_STATE_DIR") or "p2p_state"),
        heartbeat_interval=environment.number("RINGRIFT_P2P_HEARTBEAT_INTERVAL", 15),
        gossip_interval=environment.number("RINGRIFT_P2P_GOSSIP_INTERVAL", 10),
        peer_timeout=environment.number("RINGRIFT_P2P_PEER_TIMEOUT", 180),
    )


def state_file(settings: Settings) -> Path:
    """Returns the node's state database."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", settings.node_id)
    return settings.state_dir / f"{safe}_state.db"
