"""The other paths' side: lets in who can prove to be of the fleet, and goes to the daemon in that node's name."""
import json, time
from badge import HEADERS
from dial import Failed, from_address
from exchange import Exchange, error
from http1 import Malformed, read_request, write_head
from identity import NODES, PING, Refused, answer_line
from knock import settle
from pool import Pool
from settings import loopback
from wire import Gone, Wire

STATUS = {"receiver": 421}
# An edge's own headers would make the daemon record the edge, or tell it who knocked.
DROPPED = {
    b"host", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip", b"forwarded", b"true-client-ip", b"cdn-loop",
}
MOST_SENDERS = 4096


class Inbound:
    def __init__(self, fleet):
        self.fleet = fleet
        self.pools = {}
        self.under_way = {}
        self.refused = {}

    def make(self):
        return Wire(opened=self._opened, closed=self.fleet.inbound.leave)

    def _opened(self, wire):
        if self.fleet.inbound.enter(wire):
            self.fleet.spawn(self._serve(wire))
        else:
            wire.abort("no room")

    async def _serve(self, wire):
        settings, house = self.fleet.settings, self.fleet.inbound
        try:
            while True:
                house.busy(wire, False)
                wire.patience = settings.idleSeconds
                wire.deadline = time.monotonic() + settings.headSeconds
                head = await self._head(wire, settings)
                if head is None:
                    wire.close()
                    return
                house.busy(wire, True)
                wire.deadline = None
                request = read_request(head)
                if not await self._let_in(wire, request):
                    wire.linger()
                    return
        except Malformed as mistake:
            self._count("garbage", str(mistake))
            error(wire, mistake.status, str(mistake))
            wire.linger()
        except OverflowError as mistake:
            self._count("garbage", str(mistake))
            error(wire, 431, str(mistake))
            wire.linger()
        except (Gone, ValueError) as ended:
            wire.abort(str(ended))
        except Exception as failure:  # A mistake of ours costs one connection, not the process.
            self.fleet.say("inbound: %s: %s" % (type(failure).__name__, failure))
            wire.abort("failed")

    async def _head(self, wire, settings):
        """The first head must come soon; between two of a known connection there is time."""
        if wire.known and not wire.buffer:
            wire.deadline = None
            wire.started = lambda: setattr(wire, "deadline", time.monotonic() + settings.headSeconds)
        return await wire.head()

    async def _let_in(self, wire, request):
        """True when the connection may bring another request."""
        fleet, settings = self.fleet, self.fleet.settings
        exchange = Exchange(wire, request, settings.stallSeconds, settings.answerSeconds)
        now = fleet.clock.now()
        try:
            if fleet.gate is None:
                raise Refused("signature", "this node has no fleet secret")
            who = fleet.gate.check(request, exchange.body, now, settings.serves_entry)
            source = self._source(who)
        except Refused as refused:
            self._count(refused.fault, str(refused))
            status = STATUS.get(refused.fault, 401)
            lines = [b"X-P2P-Fault: " + refused.fault.encode()]
            if refused.proof:
                theirs = fleet.gate.time(now) if refused.fault == "clock" else now
                lines.append(answer_line(refused.proof, fleet.name, refused.nonce, status, refused.fault, theirs))
            exchange.refuse(status, "refused: %s" % refused.fault, lines)
            return False
        wire.known = True
        if request.target in (PING, NODES):
            return self._answer(wire, request, exchange, who, now)
        count = self.under_way.get(who.sender, 0)
        if count >= settings.requestsPerPeer:
            exchange.refuse(503, "too many requests of %s" % who.sender, [answer_line(who.key, fleet.name, who.nonce, 503, "busy", now)])
            return False
        self.under_way[who.sender] = count + 1
        try:
            return await self._pass(exchange, who, source)
        finally:
            exchange.part("given up")
            self.under_way[who.sender] -= 1
            if not self.under_way[who.sender]:
                del self.under_way[who.sender]

    def _source(self, who):
        """The address that stands for the sender. @raises Refused"""
        nodes = self.fleet.settings.nodes
        node = nodes.get(who.sender)
        if node is not None:
            return node.loopback
        # Newer than this host's list: its number tells, unless somebody here has that one.
        if not who.number or who.number > (1 << 22) - 2 or any(node.number == who.number for node in nodes.values()):
            raise Refused("sender", "%s is not known here, and its number is taken" % who.sender, who.key, who.nonce)
        return loopback(who.number)

    def _answer(self, wire, request, exchange, who, now):
        if request.method != b"GET" or exchange.body.length != 0:
            raise Malformed("only GET", 405)
        fleet = self.fleet
        if request.target == PING:
            body = json.dumps({"node": fleet.settings.node, "daemon": fleet.daemon}).encode()
        else:
            body = fleet.nodes_text
        lines = [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
        lines.append(answer_line(who.key, fleet.name, who.nonce, 200, None, fleet.gate.time(now)))
        keeps = request.keeps()
        if not keeps:
            lines.append(b"Connection: close")
        wire.send(write_head(b"HTTP/1.1 200 OK", lines) + body)
        return keeps

    async def _pass(self, exchange, who, source):
        fleet, fresh, attempt = self.fleet, False, 0
        pool, badge = self._pool(source), fleet.badge
        token, tried = badge.taken, []
        while True:
            attempt += 1
            try:
                if badge.release is not None and exchange.is_too_large():
                    # Refused by the daemon of before, it could not be given to it again.
                    upstream, token = await settle(pool, badge, self._host(), fleet.settings.answerSeconds)
                    used = False
                else:
                    upstream, used = await pool.take(fresh)
            except (Failed, Gone, ValueError, OverflowError) as failure:
                return self._fail(exchange, who, 502, "the daemon: %s" % failure)
            try:
                exchange.start(upstream, self._head_for_daemon(exchange.request, token))
                response = await exchange.answer()
            except Gone as gone:
                exchange.part("gone")
                if used and exchange.is_safe() and exchange.can_repeat() and attempt < 3:
                    fresh = True
                    continue
                if isinstance(exchange.broken, Malformed):
                    raise exchange.broken
                return self._fail(exchange, who, 502, "the daemon gave no answer: %s" % gone)
            except (ValueError, OverflowError) as mistake:
                exchange.part("out of step")
                return self._fail(exchange, who, 502, "the daemon speaks no HTTP: %s" % mistake)
            if response.status == 401 and exchange.can_repeat():
                # It has done nothing. While a release is switched, its daemon may be the one before, or the next.
                tried.append(token)
                others = badge.others(tried)
                if others:
                    exchange.part("asks for another token")
                    token, attempt = others[0], 0
                    continue
            elif response.status != 401 and tried:
                badge.taken = token
            if not response.has_room():
                exchange.part("too large")
                return self._fail(exchange, who, 502, "the daemon: the head of its answer is too large to be sent on")
            now = fleet.clock.now()
            proof = answer_line(who.key, fleet.name, who.nonce, response.status, None, now)
            try:
                keeps = await exchange.relay(response, [proof])
            except (Gone, ValueError) as broken:
                exchange.part("broken off")
                exchange.client.abort("the answer broke off: %s" % broken)
                return False
            upstream = exchange.finish()
            if keeps and response.keeps():
                pool.give(upstream)
            else:
                upstream.abort("done")
            return keeps

    def _head_for_daemon(self, request, token):
        dropped = DROPPED if token is None else DROPPED | HEADERS
        lines = [line for line in request.lines(dropped) if not line[:3].lower() == b"cf-"]
        return write_head(
            b"%s %s %s" % (request.method, request.target, request.version),
            [self._host(), *lines, *self.fleet.badge.lines(token)],
        )

    def _host(self):
        return b"Host: 127.0.0.1:%d" % self.fleet.settings.daemon_port

    def _fail(self, exchange, who, status, message):
        now = self.fleet.clock.now()
        exchange.refuse(status, message, [answer_line(who.key, self.fleet.name, who.nonce, status, "daemon", now)])
        return False

    def _pool(self, source):
        pool = self.pools.get(source)
        if pool is None:
            while len(self.pools) >= MOST_SENDERS:
                self.pools.pop(next(iter(self.pools))).clear("too many senders")
            fleet = self.fleet

            def connect(make):
                return from_address("127.0.0.1", fleet.settings.daemon_port, source, make, fleet.settings.timeoutSeconds)

            pool = self.pools[source] = Pool(connect, fleet.inbound, most_idle=4)
        return pool

    def _count(self, fault, message):
        """Refusals are counted; one event a minute for each kind is enough to be seen."""
        count, said = self.refused.get(fault, (0, None))
        now = time.monotonic()
        if said is None or now - said > 60:
            self.fleet.events.add("refused", reason="%s: %s (%d so far)" % (fault, message, count + 1))
            said = now
        self.refused[fault] = (count + 1, said)
