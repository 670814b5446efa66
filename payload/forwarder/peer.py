"""Another node as this host sees it: its paths, their connections, and what is known about each."""
import asyncio, time
from choice import Choice
from identity import ANYBODY
from pool import Pool

# At the entry another voter may answer each time; beyond that the daemon tries again.
MOST_VOTERS = 16
# Seconds without an answer after which somebody should look at the path.
SUSPICIOUS = 2.0


class Route:
    """One path to one peer, with its connections."""

    def __init__(self, way, fleet):
        self.way, self.fleet = way, fleet
        self.pool = Pool(self._connect, fleet.outbound)
        host = "[%s]" % way.host if ":" in way.host else way.host
        default = 443 if way.tls else 80
        self.host_line = b"Host: " + (host if way.port == default else "%s:%d" % (host, way.port)).encode()

    def _connect(self, make):
        return self.fleet.dialler.open(self.way, make, self.fleet.settings.timeoutSeconds)

    def is_shared(self):
        """It leads to the entry, where any voter may answer."""
        entry = self.fleet.settings.entry
        return entry is not None and self.way.same(entry)

    def lines(self):
        """Headers that the path itself needs."""
        return [self.host_line, *(self.fleet.access if self.way.tls else ())]


class Peer:
    """`receiver` is who a request is signed for; at the entry that changes with who answers there."""

    def __init__(self, node, fleet, receiver=None):
        self.node, self.fleet = node, fleet
        self.receiver = receiver or node.name.encode()
        self.is_entry = receiver == ANYBODY
        self.routes = {}
        self.choice = Choice([])
        self.under_way = 0
        self.exchanges = set()
        # Its clock minus ours in milliseconds, and which of our secrets it knows.
        self.skew = 0
        self.key_index = 0
        # What its forwarder says about its daemon: `up`, or why not; None: nobody has asked.
        self.daemon = None
        # Somebody should look at the paths now.
        self.wanted = asyncio.Event()
        self.arrange(node)

    def arrange(self, node):
        """New settings for the node; a path that is as before keeps its connections and its record."""
        self.node = node
        settings = self.fleet.settings
        routes = {}
        for way in node.ways:
            old = self.routes.get(way.kind)
            if old and old.way.same(way):
                routes[way.kind] = old
            else:
                routes[way.kind] = Route(way, self.fleet)
                self.choice.forget(way.kind)
        for key, route in self.routes.items():
            if routes.get(key) is not route:
                route.pool.clear("the path is not used any more")
        self.routes = routes
        self.choice.tune(settings.misses, settings.returns, settings.settleSeconds, settings.timeoutSeconds / 6)
        self.choice.arrange([way.kind for way in node.ways])

    def good(self, key, milliseconds=None):
        self._tell(self.choice.good(key, time.monotonic(), milliseconds))

    def probe_missed(self, key, reason):
        """A look at the path was in vain."""
        self._tell(self.choice.miss(key, time.monotonic(), reason))
        self._move(key)

    def miss(self, key, reason):
        self._tell(self.choice.miss(key, time.monotonic(), reason))
        self.wanted.set()

    def say_daemon(self, state):
        if state != self.daemon:
            if self.daemon is not None or state != "up":
                self.fleet.events.add("daemon", peer=self.node.name, reason=state)
            self.daemon = state

    def key(self):
        """The secret to sign with; None where there is none."""
        keys = self.fleet.keys
        return keys[self.key_index % len(keys)] if keys else None

    def now(self):
        """Milliseconds on the peer's clock, as far as it is known."""
        return self.fleet.clock.now() + self.skew

    def learn_clock(self, theirs):
        skew = theirs - self.fleet.clock.now()
        if abs(skew - self.skew) > 5000 and abs(skew) > 5000:
            self.fleet.events.add("clock", peer=self.node.name, reason="its clock differs by %.1f s" % (skew / 1000))
        # A slow answer makes a clock look late, never early; and one that has just started wants to be signed for later.
        self.skew = skew if skew > 50 or skew < -1000 else 0

    def follow_clock(self, theirs):
        """It has refused us for our time: small differences count too."""
        self.learn_clock(theirs)
        self.skew = theirs - self.fleet.clock.now()

    def close(self, reason):
        for route in self.routes.values():
            route.pool.clear(reason)

    def may_work(self, key):
        path = self.choice.find(key)
        return path is not None and path.up is not False

    def _tell(self, changes):
        for what, path, reason in changes:
            self.fleet.events.add(what, peer=self.node.name, path=path.key, reason=reason)
            route = self.routes.get(path.key)
            if what == "down" and route:
                route.pool.clear("the path is down")
        if changes:
            self._move()

    def _move(self, missed=None):
        """
        One that may be repeated need not wait for an answer that will not come: on a path that is down, or on one
        that has just missed a look as well.
        """
        now = time.monotonic()
        for exchange in list(self.exchanges):
            is_late = exchange.path == missed and now - exchange.began >= SUSPICIOUS
            is_stuck = exchange.path is not None and (is_late or not self.may_work(exchange.path))
            if is_stuck and exchange.upstream and exchange.is_safe() and exchange.can_repeat():
                exchange.left = exchange.path
                exchange.upstream.abort("the path is down")
