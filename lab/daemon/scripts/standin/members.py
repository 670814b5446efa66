"""Who is in the mesh, who of them is alive, and what follows for voters and leader."""

import hashlib
import time
from dataclasses import replace
from typing import Any

from scripts.standin import knobs
from scripts.standin.address import Address
from scripts.standin.node_info import NodeInfo, effective_timeout
from scripts.standin.settings import Settings
from scripts.standin.tailnet import local_addresses, tailnet_address

ACTIVE_SECONDS = 120.0


class Members:
    """This node and its peers. All times are seconds since the epoch."""

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.peer_timeout
        self._voters = list(settings.voters)
        self.voter_source = settings.voter_source
        self.started_at = time.time()
        self.peers: dict[str, NodeInfo] = {}
        self.refused_by: set[str] = set()
        self.states: dict[str, dict[str, Any]] = {}
        self.own = NodeInfo(
            node_id=settings.node_id,
            host=settings.advertise_host,
            port=settings.advertise_port,
            version=settings.version,
            code_version=settings.version,
            reported_host=settings.advertise_host,
            reported_port=settings.advertise_port,
            alternate_ips=local_addresses(),
            tailscale_ip=tailnet_address() or "",
            nat_blocked=settings.is_relayed,
            leader_eligible=settings.is_coordinator and not settings.is_relayed,
        )

    def uptime(self) -> float:
        """Returns the seconds since start."""
        return time.time() - self.started_at

    # --- recording -----------------------------------------------------------------

    def record_inbound(self, body: dict[str, Any], source: str) -> NodeInfo:
        """Records a node under the address it came from, and the port it names."""
        info = NodeInfo.from_json(body)
        info.reported_host, info.reported_port = info.host, info.port
        info.host, info.scheme = source, "http"
        return self._store(info, body)

    def record_reply(self, body: dict[str, Any], dialled: Address) -> NodeInfo:
        """Records who answered under the address that was dialled.

        There is no check for one's own id: a node that dials itself lists itself.
        """
        info = NodeInfo.from_json(body)
        info.reported_host, info.reported_port = info.host, info.port
        info.scheme, info.host, info.port = dialled.scheme, dialled.host, dialled.port
        stored = self._store(info, body)
        stored.consecutive_failures = 0
        self.refused_by.discard(stored.node_id)
        return stored

    def _store(self, info: NodeInfo, body: dict[str, Any]) -> NodeInfo:
        before = self.peers.get(info.node_id)
        if before:
            info.consecutive_failures = before.consecutive_failures
            # Sticky: only /admin/clear_nat_blocked takes it back.
            info.nat_blocked = info.nat_blocked or before.nat_blocked
            info.relay_via = info.relay_via or before.relay_via
        info.last_heartbeat = time.time()
        self.peers[info.node_id] = info
        self._adopt_voters(body.get("voter_node_ids"))
        return info

    def touch(self, info: NodeInfo) -> None:
        """Notes that a peer answered just now."""
        self.refused_by.discard(info.node_id)
        info.last_heartbeat = time.time()

    def learn(self, peers: dict[str, Any], is_fresh: bool) -> None:
        """Takes over nodes that another node lists.

        `is_fresh`: also take over when they were last heard of, as a relayed node
        does, which has no other way to know. The same goes for nodes behind NAT.
        """
        for node_id, body in peers.items():
            if node_id == self.own.node_id:
                continue
            listed = NodeInfo.from_json({**body, "consecutive_failures": 0})
            listed.last_heartbeat = 0.0
            info = self.peers.get(node_id)
            if info is None or not self.is_alive(info):
                if info:
                    listed.last_heartbeat = info.last_heartbeat
                    listed.consecutive_failures = info.consecutive_failures
                info = self.peers[node_id] = listed
            age = body.get("seconds_since_heartbeat")
            if (is_fresh or listed.nat_blocked) and age is not None:
                info.last_heartbeat = max(info.last_heartbeat, time.time() - age)

    def _adopt_voters(self, voters: Any) -> None:
        if self.voter_source in ("env", "config") or not isinstance(voters, list):
            return
        if voters:
            self._voters = sorted(set(self._voters) | {str(name) for name in voters})
            self.voter_source = "gossip"

    # --- who is alive --------------------------------------------------------------

    def age(self, info: NodeInfo) -> float:
        """Returns the seconds since a peer was last heard of."""
        return time.time() - info.last_heartbeat

    def is_alive(self, info: NodeInfo) -> bool:
        """Returns whether a peer was heard of within its effective timeout.

        One that refuses this node's token is not, although its own heartbeats arrive.
        """
        return self._is_alive_at(info, self.age(info))

    def _is_alive_at(self, info: NodeInfo, age: float) -> bool:
        if info.node_id in self.refused_by:
            return False
        return age < effective_timeout(info.node_id, self._timeout)

    def alive(self) -> list[NodeInfo]:
        """Returns the alive peers, without this node (unless it has dialled itself)."""
        # A copy: port+2 asks from a thread of its own.
        return [info for info in list(self.peers.values()) if self.is_alive(info)]

    def active(self) -> list[NodeInfo]:
        """Returns the peers heard of within the last two minutes."""
        peers = self.peers.values()
        return [info for info in peers if self.age(info) < ACTIVE_SECONDS]

    def describe(self, info: NodeInfo) -> dict[str, Any]:
        """Returns a peer as /status and /relay/peers show it."""
        # One moment for both, or a peer could be shown as alive after its time.
        age = self.age(info)
        return {
            **info.to_json(),
            "is_alive": self._is_alive_at(info, age),
            "seconds_since_heartbeat": round(age, 3),
            "effective_timeout": effective_timeout(info.node_id, self._timeout),
        }

    # --- leader --------------------------------------------------------------------

    def leader_id(self) -> str | None:
        """Returns the lowest alive id among the coordinators, or None without one.

        A simplification: the real daemon elects, with leases.
        """
        found = {
            p.node_id for p in self.alive() if p.leader_eligible and not p.nat_blocked
        }
        if self.own.leader_eligible:
            found.add(self.own.node_id)
        now = time.time()
        for node_id, state in list(self.states.items()):
            age = now - float(state.get("timestamp") or 0)
            if state.get("role") == "leader" and age < effective_timeout(
                node_id, self._timeout
            ):
                found.add(node_id)
        return min(found, default=None)

    def leader_age(self) -> float | None:
        """Returns the seconds since the leader was last heard of; None without one."""
        leader = self.leader_id()
        if leader is None:
            return None
        if leader == self.own.node_id:
            return 0.0
        info = self.peers.get(leader)
        return round(self.age(info), 3) if info else None

    def is_leader(self) -> bool:
        """Returns whether this node is the leader."""
        return self.leader_id() == self.own.node_id

    def describe_self(self) -> dict[str, Any]:
        """Returns this node as its heartbeats carry it."""
        info = replace(self.own)
        info.role = "leader" if self.is_leader() else "follower"
        info.leader_id = self.leader_id()
        info.last_heartbeat = time.time()
        return {**info.to_json(), "voter_node_ids": self.voters()}

    # --- voters --------------------------------------------------------------------

    def voters(self) -> list[str]:
        """Returns the voters, sorted."""
        return list(self._voters)

    def voters_alive(self) -> int:
        """Returns how many voters are alive, this node counted when it is one."""
        alive = {info.node_id for info in self.alive()} | {self.own.node_id}
        return len(alive.intersection(self._voters))

    def quorum(self) -> dict[str, Any]:
        """Returns the voter part of /status.

        `voter_quorum_ok` follows the real formula, whose requirement never exceeds the
        number alive: it is always true. The knob TRUE_QUORUM gives a majority instead.
        """
        total, alive = len(self._voters), self.voters_alive()
        size = min(2, total)
        required = min(alive, size)
        if knobs.is_on("TRUE_QUORUM"):
            size = required = total // 2 + 1 if total else 0
        digest = hashlib.sha256("\n".join(self._voters).encode()).hexdigest()
        return {
            "voter_node_ids": self.voters(),
            "voters_alive": alive,
            "voter_quorum_size": size,
            "voter_quorum_ok": alive >= required,
            "voter_config_source": self.voter_source,
            "voter_config_version": 1,
            "voter_config_hash": digest[:16],
        }
