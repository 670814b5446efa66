"""The loops that talk to other nodes."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

from scripts.standin import gossip
from scripts.standin.address import Address, parse_address
from scripts.standin.client import Answer, Client
from scripts.standin.members import Members
from scripts.standin.node_info import NodeInfo
from scripts.standin.settings import Settings

LOG = logging.getLogger("p2p")
GOSSIP_FANOUT = 3
# The advertised address is tried now and then beside the recorded one, for ever.
ADVERTISED_EVERY_CYCLES = 4
FAILURES_BEFORE_REDIAL = 3
# Whoever is configured is asked for the peers once a minute, whether or not it takes heartbeats.
SEEDS_EVERY_CYCLES = 4


class Heartbeat:
    """Keeps this node in the mesh."""

    def __init__(
        self,
        settings: Settings,
        members: Members,
        client: Client,
        on_cycle: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._members = members
        self._client = client
        self._on_cycle = on_cycle
        self._answered: dict[str, str] = {}
        self._relays: set[str] = set()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._acknowledge: list[str] = []
        self._results: list[dict[str, Any]] = []
        self._cycles = 0

    async def run(self) -> None:
        """Joins, then sends heartbeats for ever."""
        self._join()
        await asyncio.sleep(min(1.0, self._settings.heartbeat_interval))
        while True:
            try:
                self._cycle()
            except Exception as error:
                # The real loop dies down here at the first empty peer, cycle after cycle.
                LOG.error(
                    "heartbeat cycle aborted: %s: %s", type(error).__name__, error
                )
            await asyncio.sleep(self._settings.heartbeat_interval)

    async def run_gossip(self) -> None:
        """Gossips with some alive peers for ever."""
        while True:
            await asyncio.sleep(self._settings.gossip_interval)
            peers = [p for p in self._members.alive() if not p.nat_blocked]
            for peer in random.sample(peers, min(GOSSIP_FANOUT, len(peers))):
                address = Address(peer.scheme, peer.host, peer.port)
                self._start(address, "/gossip", self._send_gossip(address))

    def _join(self) -> None:
        for text in self._settings.known_peers:
            try:
                address = parse_address(text)
            except ValueError:
                continue
            if self._uses_relay(text, address):
                # An https peer gets two plain heartbeats first, then relay ones only.
                if not self._settings.is_relayed:
                    self._start(
                        address, "join", self._send_heartbeats(text, address, 2)
                    )
            else:
                self._start(address, "/heartbeat", self._join_one(text, address))
            self._start(address, "/relay/peers", self._fetch_peers(address))

    def _cycle(self) -> None:
        self._cycles += 1
        self._on_cycle()
        for text in self._settings.known_peers:
            # Raises ValueError for an empty element: nothing behind it is dialled.
            address = parse_address(text)
            if self._cycles % SEEDS_EVERY_CYCLES == 0:
                self._start(address, "/relay/peers", self._fetch_peers(address))
            if self._uses_relay(text, address):
                job = self._send_relay_heartbeat(address)
                self._start(address, "/relay/heartbeat", job)
            elif self._needs_dial(text):
                self._start(address, "/heartbeat", self._join_one(text, address))
        if self._settings.is_relayed:
            return
        for peer in list(self._members.peers.values()):
            self._dial_recorded(peer)
        self._refresh_peers()

    def _uses_relay(self, text: str, address: Address) -> bool:
        is_relay = address.scheme == "https" or text in self._settings.relay_peers
        return is_relay or self._settings.is_relayed

    def _needs_dial(self, text: str) -> bool:
        peer = self._members.peers.get(self._answered.get(text, ""))
        if peer is None or not self._members.is_alive(peer):
            return True
        return peer.consecutive_failures >= FAILURES_BEFORE_REDIAL

    def _dial_recorded(self, peer: NodeInfo) -> None:
        if peer.nat_blocked or peer.node_id in self._relays:
            return
        recorded = Address(peer.scheme, peer.host, peer.port)
        job = self._send_heartbeat(recorded, expected=peer.node_id)
        self._start(recorded, f"/heartbeat {peer.node_id}", job)
        is_turn = self._cycles % ADVERTISED_EVERY_CYCLES == 0
        if peer.reported_host and (is_turn or not self._members.is_alive(peer)):
            advertised = Address("http", peer.reported_host, peer.reported_port)
            if advertised != recorded:
                job = self._touch(advertised, peer.node_id)
                self._start(advertised, f"touch {peer.node_id}", job)

    def _refresh_peers(self) -> None:
        alive = [p for p in self._members.alive() if not p.nat_blocked]
        if alive:
            peer = alive[self._cycles % len(alive)]
            address = Address(peer.scheme, peer.host, peer.port)
            self._start(address, "/relay/peers", self._fetch_peers(address))

    def _start(
        self, address: Address, what: str, job: Coroutine[Any, Any, None]
    ) -> None:
        # A peer that swallows packets must not pile up requests.
        key = f"{what} {address}"
        if key in self._busy:
            job.close()
            return
        task = asyncio.create_task(job)
        self._busy[key] = task
        task.add_done_callback(lambda _done: self._busy.pop(key, None))

    async def _send_heartbeat(
        self, address: Address, expected: str | None = None
    ) -> str | None:
        body = self._members.describe_self()
        answer = await self._client.post(address, "/heartbeat", json=body)
        reply = answer.body
        peer = self._members.peers.get(expected or "")
        self._note_refusal(expected, answer)
        try:
            answered = self._members.record_reply(reply, address) if reply else None
        except (KeyError, TypeError, ValueError):
            answered = None
        if peer:
            # Whoever answered: a node that reaches itself counts no failure either.
            failures = 0 if answered else peer.consecutive_failures + 1
            self._members.peers[peer.node_id].consecutive_failures = failures
        return answered.node_id if answered else None

    async def _send_heartbeats(self, text: str, address: Address, times: int) -> None:
        for _ in range(times):
            node_id = await self._send_heartbeat(address)
            if node_id:
                self._answered[text] = node_id
            if node_id and self._uses_relay(text, address):
                self._relays.add(node_id)

    async def _join_one(self, text: str, address: Address) -> None:
        await self._send_heartbeats(text, address, 1)
        if text in self._answered:
            await self._fetch_peers(address)

    async def _touch(self, address: Address, node_id: str) -> None:
        # Proves the peer alive, but leaves the recorded address as it is.
        body = self._members.describe_self()
        answer = await self._client.post(address, "/heartbeat", json=body)
        self._note_refusal(node_id, answer)
        peer = self._members.peers.get(node_id)
        if peer and answer.body and answer.body.get("node_id") == node_id:
            self._members.touch(peer)

    def _note_refusal(self, node_id: str | None, answer: Answer) -> None:
        if node_id and answer.status == 401:
            self._members.refused_by.add(node_id)

    async def _fetch_peers(self, address: Address) -> None:
        reply = (await self._client.get(address, "/relay/peers")).body
        if reply:
            self._members.learn(reply.get("peers") or {}, self._settings.is_relayed)

    async def _send_relay_heartbeat(self, address: Address) -> None:
        acknowledged, results = list(self._acknowledge), list(self._results)
        body = {
            **self._members.describe_self(),
            "relay_ack": acknowledged,
            "relay_results": results,
        }
        reply = (await self._client.post(address, "/relay/heartbeat", json=body)).body
        if not reply or not isinstance(reply.get("self"), dict):
            return
        relay = self._members.record_reply(reply["self"], address)
        self._relays.add(relay.node_id)
        self._members.learn(reply.get("peers") or {}, is_fresh=True)
        self._acknowledge = [i for i in self._acknowledge if i not in acknowledged]
        self._results = [r for r in self._results if r not in results]
        for command in reply.get("commands") or []:
            LOG.info("relay command %s refused", command["type"])
            refusal = "the stand-in starts no jobs"
            self._acknowledge.append(command["id"])
            self._results.append({"id": command["id"], "ok": False, "error": refusal})

    async def _send_gossip(self, address: Address) -> None:
        answer = await self._client.post(
            address,
            "/gossip",
            data=gossip.pack(gossip.request_body(self._members)),
            headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        )
        if answer.body:
            gossip.receive(self._members, answer.body)
