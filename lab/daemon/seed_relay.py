"""The HTTP relay of the project's brief. It is no part of the real daemon, nor of the stand-in.

    POST /register {node_id, endpoint}  ->  {"peers": {node_id: endpoint, ...}}
    POST /forward/{target} <any body>   ->  what POST <endpoint of target> answers
                                            404 {"error": "unknown peer"} otherwise

Bounded (peers, body size, time) and, with a token, authenticated. Held in memory only.
"""

import argparse
import asyncio
import hmac
from pathlib import Path

import aiohttp
from aiohttp import web

MAX_PEERS = 1000
MAX_BODY_BYTES = 1024 * 1024
FORWARD_SECONDS = 10.0


class SeedRelay:
    """The peers that have registered, and the way to them."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._endpoints: dict[str, str] = {}

    def application(self) -> web.Application:
        """Returns the application with its two routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        app.add_routes(
            [
                web.post("/register", self._register),
                web.post("/forward/{target}", self._forward),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._token and not hmac.compare_digest(
            given.encode(), self._token.encode()
        ):
            return web.json_response({"error": "unauthorized"}, status=401)
        return await handler(request)

    async def _register(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
            node_id, endpoint = str(body["node_id"]), str(body["endpoint"])
        except (KeyError, TypeError, ValueError):
            return web.json_response({"error": "bad request"}, status=400)
        if not endpoint.startswith(("http://", "https://")):
            return web.json_response({"error": "bad endpoint"}, status=400)
        if node_id not in self._endpoints and len(self._endpoints) >= MAX_PEERS:
            return web.json_response({"error": "too many peers"}, status=429)
        self._endpoints[node_id] = endpoint
        others = {k: v for k, v in self._endpoints.items() if k != node_id}
        return web.json_response({"peers": others})

    async def _forward(self, request: web.Request) -> web.Response:
        endpoint = self._endpoints.get(request.match_info["target"])
        if endpoint is None:
            return web.json_response({"error": "unknown peer"}, status=404)
        data = await request.read()
        headers = {"Content-Type": request.content_type}
        timeout = aiohttp.ClientTimeout(total=FORWARD_SECONDS)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                async with session.post(endpoint, data=data, headers=headers) as answer:
                    return web.Response(
                        status=answer.status,
                        body=await answer.read(),
                        content_type=answer.content_type,
                    )
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return web.json_response({"error": "peer unreachable"}, status=502)


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description="HTTP relay of the project's brief.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8780)
    parser.add_argument("--token-file", help="file with the token that callers need")
    arguments = parser.parse_args()
    token = None
    if arguments.token_file:
        token = Path(arguments.token_file).read_text(encoding="utf-8").strip()
        if not token:
            parser.error(f"{arguments.token_file} holds no token")
    application = SeedRelay(token or None).application()
    web.run_app(application, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
