"""Where a forwarder listens, without opening anything."""
import asyncio, errno, os, sys, types, unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3, "payload", "forwarder"))
import listeners
from listeners import YIELD, Listeners


class Server:
    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


class Loop:
    """Addresses in `taken` cannot be listened on."""

    def __init__(self, taken=()):
        self.taken, self.servers = dict(taken), {}

    async def create_server(self, make, host, port, backlog):
        name = listeners.shown((host, port))
        if name in self.taken:
            raise OSError(self.taken[name], os.strerror(self.taken[name]))
        self.servers[name] = Server()
        return self.servers[name]

    def open(self):
        return sorted(name for name, server in self.servers.items() if not server.closed)


def page(make=None):
    return types.SimpleNamespace(make=make or object())


def peer(number):
    node = types.SimpleNamespace(loopback="127.64.0.%d" % number, port=8770)
    return types.SimpleNamespace(node=node, listener=page())


class Cases(unittest.TestCase):
    def setUp(self):
        self.events, self.loop = [], Loop()
        events = types.SimpleNamespace(add=lambda what, reason: self.events.append((what, reason)))
        settings = types.SimpleNamespace(admin_port=8778, inbound_hosts=["0.0.0.0", "::"], inbound_port=8779)
        self.fleet = types.SimpleNamespace(
            settings=settings, events=events, daemon="up", keys=[b"k"], admin=page(), door=page(), peers={"b": peer(2), "c": peer(3)}
        )
        self.listeners = Listeners(self.fleet)

    def bind(self, platform="linux"):
        with mock.patch.object(listeners.asyncio, "get_event_loop", lambda: self.loop), mock.patch.object(sys, "platform", platform):
            asyncio.run(self.listeners.bind())

    def test_its_page_every_peer_and_the_door(self):
        self.bind()
        self.assertEqual(self.loop.open(), ["0.0.0.0:8779", "127.0.0.1:8778", "127.64.0.2:8770", "127.64.0.3:8770", "[::]:8779"])
        self.assertEqual([self.listeners.unbound, self.listeners.closed_door(), self.events], [{}, [], []])

    def test_no_door_without_a_secret_and_no_address_without_its_peer(self):
        self.bind()
        self.fleet.keys = []
        del self.fleet.peers["c"]
        self.bind()
        self.assertEqual(self.loop.open(), ["127.0.0.1:8778", "127.64.0.2:8770"])

    def test_what_is_taken_is_told_once_and_tried_again(self):
        self.loop.taken = {"127.64.0.2:8770": errno.EADDRINUSE, "0.0.0.0:8779": errno.EADDRINUSE}
        self.bind()
        self.bind()
        why = "Address already in use"
        self.assertEqual(self.listeners.unbound, {"127.64.0.2:8770": why, "0.0.0.0:8779": why})
        self.assertEqual(self.listeners.closed_door(), ["0.0.0.0:8779: " + why])
        self.assertEqual(len(self.events), 2)
        self.loop.taken = {}
        self.bind()
        self.assertEqual(self.events[2:], [("listening", "127.64.0.2:8770"), ("listening", "0.0.0.0:8779")])
        self.assertEqual(self.listeners.unbound, {})

    def test_a_machine_without_ipv6_has_one_door_and_nothing_to_say_about_the_other(self):
        for code in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            self.loop.taken = {"[::]:8779": code}
            self.bind()
            self.assertEqual([self.listeners.unbound, self.listeners.closed_door(), self.events], [{}, [], []])
        self.loop.taken = {"[::]:8779": errno.EADDRINUSE}
        self.bind()
        self.assertEqual(self.listeners.closed_door(), ["[::]:8779: Address already in use"])

    def test_macos_is_told_which_alias_is_missing(self):
        self.loop.taken = {"127.64.0.2:8770": errno.EADDRNOTAVAIL}
        self.bind("darwin")
        self.assertEqual(
            self.listeners.unbound,
            {"127.64.0.2:8770": "Cannot assign requested address; on macOS: ifconfig lo0 alias 127.64.0.2"},
        )

    def test_a_daemon_that_is_long_gone_gets_its_port_back(self):
        self.bind()
        self.fleet.daemon = "connection refused"
        for later, kept in ((YIELD - 1, 5), (YIELD + 1, 3)):
            with mock.patch.object(listeners.time, "monotonic", lambda: self.listeners._daemon_seen + later):
                self.bind()
            self.assertEqual(len(self.loop.open()), kept)
        self.assertEqual(self.events, [("yields", "the daemon has not answered for 45 s")])
        self.fleet.daemon = "up"
        self.bind()
        self.assertEqual(len(self.loop.open()), 5)
        self.assertFalse(self.listeners.yielding)


if __name__ == "__main__":
    unittest.main()
