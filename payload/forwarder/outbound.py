"""This host's side: takes the daemon's connection for a node and carries it over the best path."""
import asyncio, time
from badge import HEADERS
from dial import Failed
from exchange import Exchange, error
from http1 import Malformed, read_request, write_head
from identity import read_answer, sign
from peer import MOST_VOTERS, SUSPICIOUS
from wire import Gone, Wire

# Faults with which the other daemon has not been touched, and that a second signature may mend.
CLOCK = ("clock", "replay")
REFUSED = ("receiver", "identity", "sender", "body")
# What a daemon may ask at the entry. Whom it met there by anything else it would record under the entry's address.
JOINING = (b"GET", b"HEAD")
ENTRY_ONLY = "this is the entry, no node's address, and only GET and HEAD are answered: GET /relay/peers tells the nodes'"
# What an edge answers without having asked anybody behind it.
EDGE_ONLY = {401, 403, 404, 421, 429, 530}
# Seconds between two rounds over paths of which none works.
ROUND = 1.0
# Where a request comes from is the receiver's forwarder's to say.
DROPPED = {b"host", b"x-forwarded-for", b"x-real-ip", b"cf-connecting-ip", b"forwarded"}


class Lost(Exception):
    """The path did not do it; `repeat`: another one may be tried."""

    def __init__(self, reason, repeat):
        super().__init__(reason)
        self.repeat = repeat


class Outbound:
    """What listens on a peer's loopback address."""

    def __init__(self, peer):
        self.peer, self.fleet = peer, peer.fleet

    def make(self):
        return Wire(opened=self._opened, closed=self.fleet.outbound.leave)

    def _opened(self, wire):
        if self.fleet.outbound.enter(wire):
            self.fleet.spawn(self._serve(wire))
        else:
            error(wire, 503, "too many connections")
            wire.close()

    async def _serve(self, wire):
        settings, house = self.fleet.settings, self.fleet.outbound
        try:
            while True:
                house.busy(wire, False)
                wire.patience = settings.idleSeconds
                head = await wire.head()
                if head is None:
                    wire.close()
                    return
                house.busy(wire, True)
                if not await self._carry(wire, read_request(head)):
                    wire.linger()
                    return
        except Malformed as mistake:
            error(wire, mistake.status, str(mistake))
            wire.linger()
        except OverflowError as mistake:
            error(wire, 431, str(mistake))
            wire.linger()
        except (Gone, ValueError) as ended:
            wire.abort(str(ended))
        except Exception as failure:  # A mistake of ours costs one connection, not the process.
            self.fleet.say("request to %s: %s: %s" % (self.peer.node.name, type(failure).__name__, failure))
            wire.abort("failed")

    async def _carry(self, wire, request):
        """True when the client may send another request."""
        peer, settings = self.peer, self.fleet.settings
        exchange = Exchange(wire, request, settings.stallSeconds, settings.answerSeconds)
        if not request.has_room():
            # Sent on, it would be refused behind the path, and the path be blamed.
            raise OverflowError("the head is too large to be sent on")
        if peer.is_entry and request.method not in JOINING:
            exchange.refuse(421, ENTRY_ONLY)
            return False
        if peer.under_way >= settings.requestsPerPeer:
            exchange.refuse(503, "too many requests to %s" % peer.node.name, [b"Retry-After: 1"])
            return False
        if peer.key() is None:
            exchange.refuse(503, "there is no fleet secret")
            return False
        peer.under_way += 1
        peer.exchanges.add(exchange)
        try:
            return await self._try_all(exchange)
        finally:
            peer.under_way -= 1
            peer.exchanges.discard(exchange)
            exchange.part("given up")

    async def _try_all(self, exchange):
        """Round after round, for as long as the daemon waits: a path that comes back meanwhile costs it nothing."""
        wire, until = exchange.client, time.monotonic() + self.fleet.settings.holdSeconds
        while True:
            tried, may_repeat = [], True
            for path in self.peer.choice.order():
                try:
                    return await self._try(exchange, path.key)
                except Lost as lost:
                    tried.append("%s: %s" % (path.key, lost))
                    if exchange.answered:
                        wire.abort("the answer broke off")
                    may_repeat = lost.repeat and not exchange.answered and exchange.broken is None and not wire.lost
                    if not may_repeat:
                        break
            left = until - time.monotonic()
            if not may_repeat or left <= 0 or not exchange.can_repeat():
                break
            await asyncio.sleep(min(ROUND, left))
        if isinstance(exchange.broken, Malformed):
            exchange.refuse(400, str(exchange.broken))
        else:
            exchange.refuse(502, "no path to %s worked: %s" % (self.peer.node.name, "; ".join(tried) or "it has none"))
        return False

    async def _try(self, exchange, key):
        """As `_carry`. @raises Lost"""
        peer, attempts, clocks, fresh = self.peer, 0, 0, False
        route = peer.routes.get(key)
        if route is None:
            raise Lost("not used any more", True)
        while True:
            attempts += 1
            try:
                upstream, used = await route.pool.take(fresh)
            except Failed as failure:
                peer.miss(key, str(failure))
                raise Lost(str(failure), True)
            exchange.path = key
            secret = peer.key()
            try:
                response, nonce = await self._ask(exchange, route, upstream, secret)
            except Gone as gone:
                exchange.part("gone")
                repeat = exchange.is_safe() and exchange.can_repeat()
                if used and repeat and attempts < 3 and peer.may_work(key) and exchange.left != key:
                    # It was closed while nobody used it: that says nothing about the path.
                    fresh = True
                    continue
                raise self._missed(exchange, key, "no answer: %s" % gone, repeat)
            except (ValueError, OverflowError) as mistake:
                exchange.part("out of step")
                raise self._missed(exchange, key, "no HTTP: %s" % mistake, exchange.is_safe() and exchange.can_repeat())
            answer = read_answer(response, secret, nonce)
            if answer is None:
                exchange.part("not the peer's answer")
                reason = "answered %d, but not by %s" % (response.status, peer.node.name)
                if response.status == 401 and response.value(b"x-p2p-fault") == b"signature":
                    if attempts < len(self.fleet.keys) and exchange.can_repeat():
                        peer.key_index += 1
                        continue
                    reason = "it knows another fleet secret"
                untouched = exchange.is_safe() or response.status in EDGE_ONLY
                raise self._missed(exchange, key, reason, untouched and exchange.can_repeat())
            fault = answer[1]
            if fault in CLOCK and clocks < 3 and exchange.can_repeat():
                clocks += 1
                exchange.part(fault)
                peer.follow_clock(answer[2])
                continue
            if fault == "receiver" and route.is_shared() and attempts < MOST_VOTERS and exchange.can_repeat():
                exchange.part(fault)
                if peer.is_entry:
                    peer.receiver = answer[0]
                continue
            if fault in CLOCK or fault in REFUSED:
                exchange.part(fault)
                reason = "%s refused it: %s" % (answer[0].decode("ascii", "replace"), fault)
                raise self._missed(exchange, key, reason, exchange.can_repeat())
            peer.good(key)
            return await self._answer(exchange, route, response)

    async def _ask(self, exchange, route, upstream, secret):
        peer, request = self.peer, exchange.request
        identity, nonce = sign(
            secret, self.fleet.name, self.fleet.settings.number, peer.receiver,
            request.method, request.target, exchange.body, peer.now(),
        )
        first = b"%s %s %s" % (request.method, request.target, request.version)
        # The other forwarder knows what its daemon asks for, and the way there may be plain.
        dropped = DROPPED if self.fleet.badge.named is None else DROPPED | HEADERS
        head = write_head(first, [*route.lines(), *request.lines(dropped), identity])
        alarm = asyncio.get_event_loop().call_later(SUSPICIOUS, peer.wanted.set)
        try:
            exchange.start(upstream, head)
            return await exchange.answer(), nonce
        finally:
            alarm.cancel()

    async def _answer(self, exchange, route, response):
        try:
            keeps = await exchange.relay(response)
        except (Gone, ValueError) as broken:
            exchange.part("broken off")
            raise Lost("the answer broke off: %s" % broken, False)
        upstream = exchange.finish()
        if keeps and response.keeps():
            route.pool.give(upstream)
        else:
            upstream.abort("done")
        return keeps

    def _missed(self, exchange, key, reason, repeat):
        # A client that left, or sent nonsense, says nothing about the path.
        if exchange.broken is None and not exchange.client.lost:
            self.peer.miss(key, reason)
        return Lost(reason, repeat)
