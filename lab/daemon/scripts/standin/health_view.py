"""The JSON of /health and /status."""

import os
import time
from typing import Any

import psutil

from scripts.standin import knobs
from scripts.standin.members import Members
from scripts.standin.settings import Settings


def health(members: Members) -> dict[str, Any]:
    """Returns the body of GET /health. Percentages are of this machine.

    `healthy` is a knob here; in the real daemon it follows disk, memory and load.
    """
    is_leader = members.is_leader()
    cpu = psutil.cpu_percent(interval=None)
    return {
        "healthy": knobs.is_on("HEALTHY"),
        "node_id": members.own.node_id,
        "role": "leader" if is_leader else "follower",
        "disk_percent": psutil.disk_usage(".").percent,
        "memory_percent": psutil.virtual_memory().percent,
        "cpu_percent": cpu,
        "gpu_percent": 0.0,
        "gpu_memory_percent": 0.0,
        "selfplay_jobs": 0,
        "training_jobs": 0,
        "leader_id": members.leader_id(),
        "leader_last_seen_seconds": members.leader_age(),
        "active_peers": len(members.active()),
        "total_peers": len(members.peers),
        "uptime_seconds": round(members.uptime(), 3),
        "timestamp": time.time(),
        "cluster_utilization": {"cpu_percent": cpu},
    }


def status(
    members: Members, settings: Settings, is_proxied: bool, alive_only: bool
) -> dict[str, Any]:
    """Returns the body of GET /status: the documented part of the real one's 58 keys."""
    leader = members.leader_id()
    everyone = {key: members.describe(info) for key, info in members.peers.items()}
    peers = {
        key: entry
        for key, entry in everyone.items()
        if entry["is_alive"] or not alive_only
    }
    return {
        "stand_in": True,
        "stand_in_details": {
            "pid": os.getpid(),
            "started_at": members.started_at,
            "known_peers": list(settings.known_peers),
            "is_relayed": settings.is_relayed,
            "is_proxied": is_proxied,
        },
        "node_id": members.own.node_id,
        "role": "leader" if members.is_leader() else "follower",
        "leader_id": leader,
        "effective_leader_id": leader,
        "is_leader": members.is_leader(),
        "alive_peers": len(members.alive()),
        **members.quorum(),
        "self": members.describe_self(),
        "peers": peers,
        "all_peers": everyone,
        "network": {
            "advertise_host": members.own.host,
            "advertise_port": members.own.port,
        },
    }


def relay_peers(members: Members) -> dict[str, Any]:
    """Returns the body of GET /relay/peers."""
    peers = {key: members.describe(info) for key, info in members.peers.items()}
    blocked = sum(1 for info in members.peers.values() if info.nat_blocked)
    leader = members.leader_id()
    return {
        "success": True,
        "leader_id": leader,
        "effective_leader_id": leader,
        "total_peers": len(peers),
        "direct_peers": len(peers) - blocked,
        "nat_blocked_peers": blocked,
        **members.quorum(),
        "peers": peers,
    }
