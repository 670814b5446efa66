"""A running node: ports, loops, faults and the slow stop."""

import asyncio
import logging
import os
import signal
import socket
import time

from aiohttp import web

from scripts.standin import knobs, tailnet
from scripts.standin.client import Client
from scripts.standin.guard import Guard
from scripts.standin.heartbeat import Heartbeat
from scripts.standin.http_api import HttpApi
from scripts.standin.members import Members
from scripts.standin.relay_queue import RelayQueue
from scripts.standin.settings import Settings, state_file
from scripts.standin.side_port import start_side_port
from scripts.standin.state_file import save_state
from scripts.standin.watchdog import notify, start_watchdog

LOG = logging.getLogger("p2p")
BIND_ATTEMPTS = 5
ACCESS_FORMAT = '%a "%r" %s'


async def bind(runner: web.AppRunner, host: str, port: int) -> None:
    """Binds host:port, and [::] too when the host is 0.0.0.0.

    Tries five times with doubled waits; raises OSError after the last.
    """
    wait = knobs.seconds("BIND_BACKOFF_SECONDS")
    for attempt in range(1, BIND_ATTEMPTS + 1):
        try:
            await web.TCPSite(runner, host, port).start()
            break
        except OSError as error:
            LOG.warning("attempt %d to bind port %d: %s", attempt, port, error)
            if attempt == BIND_ATTEMPTS:
                raise
            await asyncio.sleep(wait)
            wait *= 2
    if host == "0.0.0.0" and socket.has_ipv6:
        try:
            await web.TCPSite(runner, "::", port).start()
        except OSError as error:
            LOG.warning("no [::]: %s", error)


class Stop:
    """The reaction to SIGTERM: a flag first, exit 1 at the second signal."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()

    def listen(self) -> None:
        """Installs the handlers for SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            if number == signal.SIGTERM and knobs.is_on("IGNORE_SIGTERM"):
                signal.signal(number, signal.SIG_IGN)
                continue
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if self.requested.is_set():
            os._exit(1)
        LOG.info("stop requested; background tasks finish first")
        self.requested.set()

    async def wait(self) -> None:
        """Returns when the stop is over. Ports and loops go on until then."""
        await self.requested.wait()
        await asyncio.sleep(knobs.seconds("STOP_SECONDS"))


async def strike(fault: knobs.TimedFault) -> None:
    """Lets a timed fault happen."""
    await asyncio.sleep(fault.after)
    LOG.error("stand-in fault %s", fault.name)
    if fault.name == "HANG_AFTER_SECONDS":
        while True:
            time.sleep(3600)
    if fault.name == "EXIT_137_AFTER_SECONDS":
        os._exit(137)
    raise RuntimeError(f"asked for by {knobs.PREFIX}{fault.name}")


async def keep_tailnet_address(members: Members) -> None:
    """Replaces an advertised LAN address by the tailnet's once it has been seen."""
    while True:
        await asyncio.sleep(knobs.seconds("TAILNET_SECONDS"))
        address = await asyncio.to_thread(tailnet.tailnet_address)
        if address and tailnet.is_private_lan(members.own.host):
            LOG.info("advertise host %s replaced by %s", members.own.host, address)
            members.own.host = members.own.reported_host = address


async def run(settings: Settings, guard: Guard) -> None:
    """Runs the node until it is told to stop, or a fault strikes."""
    stop = Stop()
    stop.listen()
    time.sleep(knobs.seconds("START_SECONDS"))
    members = Members(settings)
    client = Client(settings)
    relay = RelayQueue(knobs.seconds("RELAY_TTL_SECONDS"))
    api = HttpApi(settings, members, relay, lambda: client.is_proxied)

    def on_cycle() -> None:
        notify("WATCHDOG=1")
        guard.refresh_supervisor()
        save_state(state_file(settings), members)

    heartbeat = Heartbeat(settings, members, client, on_cycle)
    # Bodies are unpacked by the routes, which have to bear wrong Content-Encodings.
    runner = web.AppRunner(
        api.application(),
        auto_decompress=False,
        access_log_format=ACCESS_FORMAT,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    await bind(runner, settings.host, settings.port)
    start_side_port(members, settings.port)
    start_watchdog(settings.host, settings.port)
    await client.open()
    notify("READY=1")
    LOG.info(
        "stand-in for %s listens on %s:%d",
        settings.node_id,
        settings.host,
        settings.port,
    )
    background = [heartbeat.run(), keep_tailnet_address(members)]
    if knobs.is_on("GOSSIP"):
        background.append(heartbeat.run_gossip())
    background += [strike(fault) for fault in knobs.timed_faults()]
    tasks = [asyncio.create_task(job) for job in background]
    ending = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    await client.close()
    await runner.cleanup()
    guard.release()
