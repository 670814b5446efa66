"""The listener for /ready, /metrics, /healthcheck and /config."""

import asyncio
import json

from .arguments import Exit
from .http1 import BadMessage, read_head, write_head
from .version import VERSION

DEFAULT_PORTS = range(20241, 20246)


class Counters:
    def __init__(self):
        self.total = 0
        self.errors = 0
        self.active = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def begin(self):
        self.total += 1
        self.active += 1
        self.idle.clear()

    def end(self):
        self.active -= 1
        if self.active == 0:
            self.idle.set()

    def failed(self):
        self.errors += 1


class Metrics:
    def __init__(self, connector):
        self.connector = connector
        self.server = None

    async def listen(self, address):
        """Listens, and returns the address. Raises Exit where it is taken."""
        if address:
            host, _, port = address.rpartition(":")
            wanted = [(host.strip("[]") or "0.0.0.0", int(port))]
        else:
            wanted = [("127.0.0.1", port) for port in DEFAULT_PORTS] + [("127.0.0.1", 0)]
        for place in wanted:
            try:
                self.server = await asyncio.start_server(self._serve, *place)
                return "%s:%d" % self.server.sockets[0].getsockname()[:2]
            except OSError as problem:
                last = problem
        raise Exit(1, "Error opening metrics server listener: listen tcp %s: bind: %s" % (address, last.strerror))

    async def _serve(self, reader, writer):
        try:
            head = await asyncio.wait_for(read_head(reader), 10)
            if head is not None:
                path = head.first[1].split("?")[0]
                status, kind, text = self._answer(path)
                body = text.encode()
                fields = [("Content-Type", kind), ("Content-Length", len(body)), ("Connection", "close")]
                write_head(writer, "HTTP/1.1 %d %s" % (status, "OK" if status == 200 else ""), fields)
                writer.write(body)
                await writer.drain()
        except (OSError, BadMessage, asyncio.TimeoutError, IndexError):
            pass
        finally:
            writer.close()

    def _answer(self, path):
        if path == "/ready":
            count = self.connector.ready_connections()
            status = 200 if count > 0 else 503
            body = {"status": status, "readyConnections": count, "connectorId": self.connector.id}
            return status, "text/plain; charset=utf-8", json.dumps(body, separators=(",", ":"))
        if path == "/healthcheck":
            return 200, "text/plain; charset=utf-8", "OK\n"
        if path == "/config":
            rules = self.connector.proxy.rules
            body = {"version": rules.version if rules else -1, "config": rules.config if rules else {}}
            return 200, "application/json", json.dumps(body)
        if path == "/metrics":
            return 200, "text/plain; version=0.0.4", self._metrics()
        return 404, "text/plain; charset=utf-8", "404 page not found\n"

    def _metrics(self):
        counters = self.connector.proxy.counters
        rules = self.connector.proxy.rules
        values = [
            ('build_info{version="%s",stand_in="true"}' % VERSION, "gauge", 1),
            ("cloudflared_tunnel_concurrent_requests_per_tunnel", "gauge", counters.active),
            ("cloudflared_tunnel_ha_connections", "gauge", self.connector.ready_connections()),
            ("cloudflared_tunnel_request_errors", "counter", counters.errors),
            ("cloudflared_tunnel_total_requests", "counter", counters.total),
            ("cloudflared_orchestration_config_version", "gauge", rules.version if rules else -1),
        ]
        lines = []
        for name, kind, value in values:
            lines += ["# TYPE %s %s" % (name.split("{")[0], kind), "%s %d" % (name, value)]
        return "\n".join(lines) + "\n"
