"""The main port: /health, /status, /heartbeat, /gossip, /relay/* and the rest."""

import logging
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from scripts.standin import gossip, health_view
from scripts.standin.access import caller_address, is_allowed
from scripts.standin.members import Members
from scripts.standin.relay_queue import QueueFull, RelayQueue
from scripts.standin.settings import Settings

LOG = logging.getLogger("p2p")
CACHE_SECONDS = 5.0


class HttpApi:
    """The routes, over the members and the relay queue they show and change."""

    def __init__(
        self,
        settings: Settings,
        members: Members,
        relay: RelayQueue,
        is_proxied: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._members = members
        self._relay = relay
        self._is_proxied = is_proxied
        self._cache: dict[str, tuple[float, dict[str, Any]]] = {}

    def application(self) -> web.Application:
        """Returns the application with all routes."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/status", self._status),
                web.post("/heartbeat", self._heartbeat),
                web.post("/gossip", self._gossip),
                web.post("/gossip/anti-entropy", self._gossip),
                web.get("/relay/peers", self._relay_peers),
                web.get("/relay/status", self._relay_status),
                web.get("/relay/health", self._relay_health),
                web.post("/relay/heartbeat", self._relay_heartbeat),
                web.post("/relay/enqueue", self._relay_enqueue),
                web.get("/admin/clear_nat_blocked", self._clear_nat_blocked),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if not is_allowed(request, self._settings.token):
            return web.json_response({"error": "unauthorized"}, status=401)
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        except Exception:
            LOG.exception("%s %s failed", request.method, request.path)
            return web.json_response({"error": "internal_error"}, status=500)

    @staticmethod
    async def _body(request: web.Request) -> dict[str, Any]:
        try:
            body = gossip.unpack(await request.read())
        except ValueError as error:
            raise ValueError("invalid_json") from error
        if not isinstance(body, dict):
            raise ValueError("invalid_json")
        return body

    def _cached(self, key: str, build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        now = time.monotonic()
        entry = self._cache.get(key)
        if entry is None or now - entry[0] > CACHE_SECONDS:
            entry = self._cache[key] = (now, build())
        return entry[1]

    async def _health(self, _request: web.Request) -> web.Response:
        try:
            return web.json_response(health_view.health(self._members))
        except Exception as error:
            body = {"error": str(error), "healthy": False}
            return web.json_response(body, status=500)

    async def _status(self, request: web.Request) -> web.Response:
        alive_only = request.query.get("alive_only", "true").lower() != "false"

        def build() -> dict[str, Any]:
            return health_view.status(
                self._members, self._settings, self._is_proxied(), alive_only
            )

        if request.query.get("no_cache", "").lower() == "true":
            return web.json_response(build())
        return web.json_response(self._cached(f"status {alive_only}", build))

    async def _heartbeat(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        self._members.record_inbound(body, caller_address(request))
        quorum = self._members.quorum()
        names = ("voter_node_ids", "voter_quorum_size", "voter_config_source")
        reply = {name: quorum[name] for name in names}
        return web.json_response({**self._members.describe_self(), **reply})

    async def _gossip(self, request: web.Request) -> web.Response:
        gossip.receive(self._members, await self._body(request))
        return web.Response(
            body=gossip.pack(gossip.reply_body(self._members)),
            headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        )

    async def _relay_peers(self, _request: web.Request) -> web.Response:
        def build() -> dict[str, Any]:
            return health_view.relay_peers(self._members)

        return web.json_response(self._cached("relay peers", build))

    async def _relay_heartbeat(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        info = self._members.record_inbound(body, caller_address(request))
        info.nat_blocked = True
        info.relay_via = self._members.own.node_id
        commands = self._relay.collect(
            info.node_id, body.get("relay_ack") or [], body.get("relay_results") or []
        )
        listing = health_view.relay_peers(self._members)
        reply = {
            "self": self._members.describe_self(),
            "last_known_leader_id": listing["leader_id"],
            "relay_node": self._members.own.node_id,
            "commands": commands,
        }
        return web.json_response({**listing, **reply})

    async def _relay_enqueue(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        target, kind = body.get("target_node_id"), body.get("type")
        if not target or not kind:
            raise ValueError("missing target_node_id or type")
        try:
            command = self._relay.enqueue(target, kind, body.get("payload") or {})
        except QueueFull:
            return web.json_response({"error": "queue_full"}, status=429)
        return web.json_response({"success": True, "id": command})

    async def _relay_status(self, _request: web.Request) -> web.Response:
        # The real daemon reads a wrong key here, so that every age is 0.
        pending = {
            target: [
                {"id": command["id"], "type": command["type"], "age_seconds": 0}
                for command in self._relay.pending(target)
            ]
            for target in self._relay.targets()
        }
        body = {"success": True, "pending": pending, "results": self._relay.results}
        return web.json_response(body)

    async def _relay_health(self, _request: web.Request) -> web.Response:
        body = {"success": True, "relay_node": self._members.own.node_id}
        return web.json_response(body)

    async def _clear_nat_blocked(self, _request: web.Request) -> web.Response:
        # A GET that changes state without a token: one of those the tunnel must not let in.
        cleared = [i.node_id for i in self._members.peers.values() if i.nat_blocked]
        for node_id in cleared:
            self._members.peers[node_id].nat_blocked = False
            self._members.peers[node_id].relay_via = ""
        return web.json_response({"success": True, "cleared": cleared})
