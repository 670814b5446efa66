"""Where connections are taken: this host's page, every peer's loopback address, and the door for other hosts."""
import asyncio, errno, sys, time
from settings import IPV6

BACKLOG = 512
# Seconds without a daemon after which its port is left to it on every address.
YIELD = 45.0


class Listeners:
    """`unbound` says why an address that is wanted is not listened on."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.unbound = {}
        self.yielding = False
        self._servers = {}
        self._daemon_seen = time.monotonic()

    def closed_door(self):
        """Why nobody from elsewhere can be let in; empty where one can."""
        settings = self.fleet.settings
        doors = [shown((host, settings.inbound_port)) for host in settings.inbound_hosts]
        return ["%s: %s" % (door, self.unbound[door]) for door in doors if door in self.unbound]

    async def bind(self):
        """Opens what is wanted now and is not open yet, and closes the rest."""
        wanted = self._wanted()
        for address, (server, make) in list(self._servers.items()):
            if wanted.get(address) != make:
                server.close()
                del self._servers[address]
        self.unbound = {name: why for name, why in self.unbound.items() if name in map(shown, wanted)}
        for address, make in wanted.items():
            if address not in self._servers:
                await self._listen(address, make)

    def _wanted(self):
        fleet, settings = self.fleet, self.fleet.settings
        wanted = {("127.0.0.1", settings.admin_port): fleet.admin.make}
        if not self._yields():
            for peer in fleet.peers.values():
                wanted[(peer.node.loopback, peer.node.port)] = peer.listener.make
        # Nobody is let in before there is something to check an identity with.
        if fleet.keys:
            for host in settings.inbound_hosts:
                wanted[(host, settings.inbound_port)] = fleet.door.make
        return wanted

    def _yields(self):
        """
        A daemon that is set back to how it was before us wants the port on every address, and cannot have it
        while we listen. Where no daemon has answered for a while, nobody needs our listeners.
        """
        now = time.monotonic()
        if self.fleet.daemon not in ("connection refused", "unknown"):
            self._daemon_seen = now
        yields = now - self._daemon_seen > YIELD
        if yields and self._servers and not self.yielding:
            self.fleet.events.add("yields", reason="the daemon has not answered for %d s" % YIELD)
        self.yielding = yields
        return yields

    async def _listen(self, address, make):
        name, events = shown(address), self.fleet.events
        try:
            server = await asyncio.get_event_loop().create_server(make, *address, backlog=BACKLOG)
        except OSError as error:
            if address[0] == IPV6 and error.errno != errno.EADDRINUSE:
                # The machine has none.
                return
            why = error.strerror or str(error)
            if sys.platform == "darwin" and address[0].startswith("127."):
                why += "; on macOS: ifconfig lo0 alias %s" % address[0]
            if self.unbound.get(name) != why:
                events.add("not listening", reason="%s: %s" % (name, why))
            self.unbound[name] = why
            return
        self._servers[address] = server, make
        if self.unbound.pop(name, None):
            events.add("listening", reason=name)


def shown(address):
    return ("[%s]:%d" if ":" in address[0] else "%s:%d") % address
