"""The gossip state: what nodes tell on about themselves and others."""

import gzip
import json
import time
from typing import Any

from scripts.standin.members import Members


def own_state(members: Members) -> dict[str, Any]:
    """Returns this node's gossip state. The version is a time in milliseconds."""
    now = time.time()
    return {
        "node_id": members.own.node_id,
        "timestamp": now,
        "version": int(now * 1000),
        "role": "leader" if members.is_leader() else "follower",
        "leader_id": members.leader_id(),
        "voter_quorum_ok": members.quorum()["voter_quorum_ok"],
        "selfplay_jobs": 0,
        "training_jobs": 0,
    }


def merge_states(members: Members, states: dict[str, Any]) -> None:
    """Keeps the newer of two states of each other node."""
    for node_id, state in states.items():
        if node_id == members.own.node_id or not isinstance(state, dict):
            continue
        before = members.states.get(node_id, {})
        if state.get("version", 0) > before.get("version", 0):
            members.states[node_id] = state


def request_body(members: Members) -> dict[str, Any]:
    """Returns the body of POST /gossip."""
    return {
        "sender": members.own.node_id,
        "sender_state": own_state(members),
        "known_states": members.states,
        "peer_endpoints": [
            {"node_id": info.node_id, "host": info.host, "port": info.port}
            for info in members.alive()
        ],
        "cluster_epoch": 0,
    }


def reply_body(members: Members) -> dict[str, Any]:
    """Returns the answer to POST /gossip."""
    return {
        "sender_state": own_state(members),
        "known_states": members.states,
        "peer_manifests": {},
    }


def receive(members: Members, body: dict[str, Any]) -> None:
    """Merges what a gossip request or answer carries."""
    states = dict(body.get("known_states") or body.get("all_known_states") or {})
    sender = body.get("sender_state") or {}
    if sender.get("node_id"):
        states[sender["node_id"]] = sender
    merge_states(members, states)


def pack(body: dict[str, Any]) -> bytes:
    """Returns a body as gzipped JSON."""
    return gzip.compress(json.dumps(body).encode())


def unpack(data: bytes) -> Any:
    """Reads JSON, gzipped or not, whatever its header claims. Raises ValueError."""
    try:
        return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    except (OSError, EOFError) as error:
        raise ValueError(str(error)) from error
