"""The whole of it: four connections to the edge, the rules, and the way out."""

import asyncio
import json
import os
import random
import time
import uuid

from . import edge, log
from .control import Control, RegisterError
from .http1 import BadMessage
from .ingress import NONE_DEFINED, Rules
from .metrics import Counters
from .proxy import Proxy

CONNECTIONS = 4
REGISTRATION_PAUSE = 1


class Backoff:
    """Pauses that double up to a limit, each a random part of the whole (cloudflared: retry/)."""

    def __init__(self, limit):
        self.limit = limit
        self.retries = 0

    def most(self):
        return 2 ** (self.retries + 1)

    def next(self):
        self.retries = min(self.retries + 1, self.limit)
        return random.uniform(0, 2**self.retries)

    def reset(self):
        self.retries = 0


class Connector:
    def __init__(self, settings, token):
        self.settings = settings
        self.token = token
        self.id = str(uuid.uuid4())
        self.proxy = Proxy(Counters())
        self.controls = [Control(self, index) for index in range(CONNECTIONS)]
        self.protocol = "quic" if settings.protocol == "auto" else settings.protocol
        self.can_fall_back = settings.protocol == "auto"
        self.connected = asyncio.Event()
        self.stopping = asyncio.Event()
        self.data = set()

    def ready_connections(self):
        return sum(control.is_registered for control in self.controls)

    def registered(self, control, answer):
        if not self.connected.is_set():
            self.connected.set()
            if self.settings.pidfile:
                with open(self.settings.pidfile, "w", encoding="utf-8") as file:
                    file.write("%d" % os.getpid())
        if answer["version"] >= 0:
            self.configure(answer["version"], answer["config"], control)
        elif self.proxy.rules is None:
            log.warn(NONE_DEFINED)

    def configure(self, version, config, control):
        """Follows a newer configuration; one that cannot be followed is left aside."""
        old = self.proxy.rules
        if old is None or version > old.version:
            try:
                self.proxy.rules = Rules(version, config)
                said = json.dumps(config, separators=(",", ":"))
                log.info("Updated to new configuration", config=said, version=version)
            except ValueError as problem:
                log.error("Failed to update ingress", error=problem, version=version)
        if self.proxy.rules is not None:
            control.send({"type": "applied", "version": self.proxy.rules.version})

    def open(self, address, ticket):
        task = asyncio.ensure_future(self._serve_data(address, ticket))
        self.data.add(task)
        task.add_done_callback(self.data.discard)

    async def _serve_data(self, address, ticket):
        writer = None
        try:
            reader, writer = await edge.dial(address)
            writer.write(json.dumps({"type": "data", "ticket": ticket}).encode() + b"\n")
            await self.proxy.serve(reader, writer)
        except (OSError, EOFError, edge.DialError, BadMessage, ValueError, asyncio.IncompleteReadError) as problem:
            log.write("debug", "data connection ended", error=problem)
        finally:
            if writer is not None:
                writer.close()

    async def run(self):
        """Serves until told to stop. Returns the exit code."""
        try:
            addresses = await edge.discover(self.settings.edge, self.settings.ip_version)
        except OSError as problem:
            name = edge.REGIONS[0]
            log.error("edge discovery: error looking up Cloudflare edge IPs", error="lookup %s: %s" % (name, problem))
            return 1
        first = asyncio.ensure_future(self._keep(self.controls[0], addresses))
        stopping = asyncio.ensure_future(self.stopping.wait())
        connected = asyncio.ensure_future(self.connected.wait())
        await asyncio.wait([first, stopping, connected], return_when=asyncio.FIRST_COMPLETED)
        if first.done() and not self.stopping.is_set():
            log.error("Initiating shutdown", error=first.result())
            return 1
        tasks = [first]
        for control in self.controls[1:]:
            if self.stopping.is_set():
                break
            tasks.append(asyncio.ensure_future(self._keep(control, addresses)))
            await asyncio.wait([stopping], timeout=REGISTRATION_PAUSE / 4)
        await self.stopping.wait()
        await self._leave()
        for task in tasks + list(self.data):
            task.cancel()
        await asyncio.gather(*tasks, *self.data, return_exceptions=True)
        log.info("Tunnel server stopped")
        return 0

    async def _leave(self):
        """Takes no more requests, and waits for those under way as long as the grace period lasts."""
        end = time.monotonic() + self.settings.grace
        leaving = [control for control in self.controls if control.is_registered]
        for control in leaving:
            control.send({"type": "unregister"})
        for control in leaving:
            await _within(control.unregistered.wait(), min(2, end - time.monotonic()))
        await _within(self.proxy.counters.idle.wait(), end - time.monotonic())

    async def _keep(self, control, addresses):
        """Keeps one connection up. Returns why it gave up, which only the first one does before it was up."""
        backoff = Backoff(self.settings.retries)
        turn = control.index
        while not self.stopping.is_set():
            address = addresses[turn % len(addresses)]
            problem = None
            started = time.monotonic()
            try:
                await control.serve(address, self.protocol)
            except edge.QuicBroken as error:
                problem = error
                log.error("Failed to dial a quic connection", error=error, **control.fields())
                self._fall_back(control)
            except edge.DialError as error:
                problem = error
                log.error("Unable to establish connection with Cloudflare edge", error=error, **control.fields())
            except RegisterError as error:
                problem = error
                log.error("Register tunnel error from server side", error=error, **control.fields())
                is_first = control.index == 0 and not self.connected.is_set()
                if is_first and "Unauthorized" not in str(error):
                    log.error("initial tunnel connection failed", error=error)
                    return error
            except (OSError, EOFError, ValueError) as error:
                problem = error
                log.error("Serve tunnel error", error=error, **control.fields())
            turn += 1
            if self.stopping.is_set():
                return problem
            # A connection that held for a while starts again with short pauses.
            if time.monotonic() - started > 30:
                backoff.reset()
            log.info("Retrying connection in up to %ds" % backoff.most(), **control.fields())
            await _within(self.stopping.wait(), backoff.next())
        return None

    def _fall_back(self, control):
        if self.can_fall_back and self.protocol == "quic" and not self.connected.is_set():
            self.protocol = "http2"
            log.info("Switching to fallback protocol http2", **control.fields())


async def _within(waiting, seconds):
    try:
        await asyncio.wait_for(waiting, max(0, seconds))
    except asyncio.TimeoutError:
        pass
