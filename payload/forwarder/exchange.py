"""One request on its way through: its body forward, its answer back, and what is kept to try again."""
import json, time
from http1 import UntilEnd, read_response, write_head
from wire import Gone

# A body up to this size can be sent again on another path.
KEPT = 64 << 10
SAFE = (b"GET", b"HEAD", b"OPTIONS")
# What nodes tell about themselves: hearing it twice is hearing it once.
TELLING = (b"/heartbeat", b"/gossip", b"/gossip/anti-entropy")
REASONS = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 413: "Content Too Large", 414: "URI Too Long", 421: "Misdirected Request", 431: "Request Header Fields Too Large",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
}


class Exchange:
    """`stall` and `wait` are seconds: without a byte in the middle of a body, and until an answer begins."""

    def __init__(self, client, request, stall, wait):
        self.client, self.request, self.stall, self.wait = client, request, stall, wait
        # When it was last sent on.
        self.began = time.monotonic()
        self.body = request.body()
        self.kept = bytearray()
        self.sending = None
        self.upstream = None
        # Key of the path on which it is, and of the one that it was taken from.
        self.path = self.left = None
        self.answered = False
        # What was wrong with the request's body, if anything was.
        self.broken = None

    def start(self, upstream, head):
        """Sends the head, what was kept of the body, and the rest as it comes."""
        self.upstream, client = upstream, self.client
        self.began = time.monotonic()
        client.partner = upstream
        client.patience, upstream.patience = None if self.body.done else self.stall, self.wait
        # A small body that has arrived already goes in one piece with its head.
        if self.sending is None and not self.body.done and 0 < len(client.buffer) <= KEPT:
            self._send_to(None)
        upstream.send(head + bytes(self.kept) if self.kept else head)
        if self.body.done:
            return
        if self.sending is None:
            self._send_to(upstream)
        else:
            client.lead(upstream)

    def _send_to(self, upstream):
        self.sending = self.client.pump(self.body, upstream, tee=self._keep)
        self.sending.add_done_callback(self._sent)

    def _sent(self, sending):
        self.client.patience = None
        if sending.cancelled():
            return
        self.broken = sending.exception()
        if self.broken is not None and self.upstream is not None:
            self.upstream.abort("the request broke off")

    def part(self, reason):
        """Lets go of an upstream without taking the client with it."""
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            if self.sending is not None and not self.sending.done():
                self.client.lead(None)
            self.client.partner = None
            upstream.abort(reason)

    def can_repeat(self):
        """Nothing has been said to the client, and all that was read is still here."""
        return not self.answered and self.kept is not None and not self.client.lost

    def is_too_large(self):
        """To be sent again: its length is unknown, or beyond what is kept."""
        return self.body.length is None or self.body.length > KEPT

    def is_safe(self):
        """It may be done twice."""
        method, target = self.request.method, self.request.target.split(b"?")[0]
        return method in SAFE or method == b"POST" and target in TELLING

    async def answer(self):
        """The final response's head; interim ones go through. @raises Gone, ValueError, OverflowError"""
        return await final_response(self.upstream, self._pass_on)

    def _pass_on(self, response):
        if response.status == 101:
            raise ValueError("an upgrade that nobody asked for")
        if self.request.version == b"HTTP/1.1" and response.has_room():
            self.client.send(write_head(response.first, response.lines()))

    async def relay(self, response, extra=()):
        """Sends the response on. True when the client's connection can be used again."""
        body = response.body(self.request.method)
        is_sent = self.body.done
        keeps = self.request.keeps() and is_sent and not isinstance(body, UntilEnd)
        lines = [*response.lines(), *extra]
        if not keeps:
            lines.append(b"Connection: close")
        self.answered = True
        self.upstream.patience = self.stall
        self.client.send(write_head(response.first, lines))
        if not body.done:
            await self.upstream.pump(body, self.client)
        return keeps

    def refuse(self, status, message, lines=()):
        """An answer of our own, after which the connection ends."""
        error(self.client, status, message, lines, is_bare=self.request.method == b"HEAD")

    def finish(self):
        """Ends the exchange in order: the upstream may serve again where all of the request was read."""
        upstream, self.upstream = self.upstream, None
        self.client.rest()
        return upstream

    def _keep(self, part):
        if self.kept is None:
            return
        if len(self.kept) + len(part) > KEPT:
            self.kept = None
        else:
            self.kept += part


async def final_response(upstream, interim=lambda response: None):
    """The final response's head; `interim` is given those before it. @raises Gone, ValueError, OverflowError"""
    while True:
        head = await upstream.head()
        if head is None:
            raise Gone(upstream.reason)
        response = read_response(head)
        if response.status // 100 != 1:
            return response
        interim(response)


def error(client, status, message, lines=(), is_bare=False):
    """An answer of our own, after which the connection ends; a bare one has no body, as after HEAD."""
    body = json.dumps({"error": message, "by": "forwarder"}).encode() + b"\n"
    first = b"HTTP/1.1 %d %s" % (status, REASONS.get(status, "Error").encode())
    headers = [b"Content-Type: application/json", b"Content-Length: %d" % len(body), *lines]
    client.send(write_head(first, [*headers, b"Connection: close"]) + (b"" if is_bare else body))
