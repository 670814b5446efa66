"""Commands that wait for nodes which can only be reached when they call."""

import time
import uuid
from typing import Any

MAX_PER_REPLY = 32
MAX_PENDING_START_JOBS = 4


class QueueFull(Exception):
    """A node has too many jobs pending."""


class RelayQueue:
    """Commands per node, in memory: lost at a restart, dropped after their time."""

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._pending: dict[str, list[dict[str, Any]]] = {}
        self.results: dict[str, list[dict[str, Any]]] = {}

    def enqueue(self, target: str, kind: str, payload: Any) -> str:
        """Queues a command and returns its id. An unknown target is accepted.

        Raises QueueFull when four start_job commands are pending.
        """
        waiting = self.pending(target)
        jobs = [command for command in waiting if command["type"] == "start_job"]
        if kind == "start_job" and len(jobs) >= MAX_PENDING_START_JOBS:
            raise QueueFull(target)
        command = {
            "id": uuid.uuid4().hex,
            "type": kind,
            "payload": payload,
            "created_at": time.time(),
        }
        self._pending.setdefault(target, []).append(command)
        return command["id"]

    def pending(self, target: str) -> list[dict[str, Any]]:
        """Returns a node's commands that are neither acknowledged nor too old."""
        oldest = time.time() - self._ttl
        kept = [c for c in self._pending.get(target, []) if c["created_at"] > oldest]
        self._pending[target] = kept
        return kept

    def collect(self, target: str, acknowledged: list[str], results: list[Any]) -> list:
        """Takes acknowledgements and results; returns what is to be sent (again)."""
        kept = [c for c in self.pending(target) if c["id"] not in acknowledged]
        self._pending[target] = kept
        if results:
            self.results.setdefault(target, []).extend(results)
        return kept[:MAX_PER_REPLY]

    def targets(self) -> list[str]:
        """Returns the nodes for which commands wait."""
        return [target for target in list(self._pending) if self.pending(target)]
