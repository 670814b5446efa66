"""Who sends a request: signed with the fleet's secret, valid once, for one receiver and a few seconds."""
import hashlib, hmac, os, re

HEADER = b"x-p2p-identity"
ANSWER = b"x-p2p-answer"
VERSION = b"p2p1"
# Any member of the fleet may answer: what a node that knows only the entry asks for.
ANYBODY = b"*"
# What may be asked of anybody: is there somebody, and who are the nodes.
PING, NODES = b"/.p2p/ping", b"/.p2p/nodes"
OPEN = (PING, NODES)
NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
FIELDS = re.compile(
    rb"p2p1 (?P<sender>[A-Za-z0-9][A-Za-z0-9._-]{0,127}) (?P<receiver>\*|[A-Za-z0-9][A-Za-z0-9._-]{0,127})"
    rb" (?P<number>[0-9]{1,7}) (?P<time>[0-9]{10,16}) (?P<nonce>[0-9a-f]{24}) (?P<body>-|[0-9]{1,18}) (?P<mac>[0-9a-f]{64})"
)
# Milliseconds for which a request is good, by the receiver's clock; and by how much it may seem to come from the
# future. A sender that is told the receiver's time corrects itself.
WINDOW = 30000
AHEAD = 2000
MOST_NONCES = 65536


class Refused(Exception):
    """`fault` is the word that the sender gets; `proof` is the key that vouches for the answer, if any does."""

    def __init__(self, fault, message, proof=None, nonce=b""):
        super().__init__(message)
        self.fault, self.proof, self.nonce = fault, proof, nonce


class Identity:
    __slots__ = ("sender", "number", "nonce", "key", "to_anybody", "skew")


def _mac(key, parts):
    return hmac.new(key, b"\n".join(parts), hashlib.sha256).hexdigest().encode()


def body_word(framing):
    """What is signed about the body: its length, or `-` where that is not known beforehand."""
    return b"-" if framing.length is None else b"%d" % framing.length


def sign(key, sender, number, receiver, method, target, framing, now):
    """Header line and nonce. `now` is the receiver's clock in milliseconds, as far as it is known."""
    nonce = os.urandom(12).hex().encode()
    fields = [sender, receiver, b"%d" % number, b"%d" % now, nonce, body_word(framing)]
    mac = _mac(key, [VERSION, b"request", method, target, *fields])
    return HEADER + b": " + b" ".join([VERSION, *fields, mac]), nonce


class Gate:
    """Lets each signed request through once."""

    def __init__(self, node, now, keys):
        self.node, self.keys = node, keys
        # What an earlier process may have let in, whose nonces nobody knows any more, is not let in again.
        self.floor = now + AHEAD
        self._seen = {}

    def check(self, request, framing, now, serves_entry):
        """@raises Refused"""
        values = request.values(HEADER)
        if len(values) != 1:
            raise Refused("identity", "no identity" if not values else "more than one identity")
        found = FIELDS.fullmatch(values[0])
        if not found:
            raise Refused("identity", "the identity cannot be read")
        sender, receiver, number, stamp, nonce, body, mac = found.groups()
        signed = [VERSION, b"request", request.method, request.target, sender, receiver, number, stamp, nonce, body]
        key = next((key for key in self.keys if hmac.compare_digest(_mac(key, signed), mac)), None)
        if key is None:
            raise Refused("signature", "signed with another secret")
        # Whatever reaches the daemon is meant for one node: else it could be replayed to each of the others once.
        if receiver != self.node and not (receiver == ANYBODY and serves_entry and request.target in OPEN):
            raise Refused("receiver", "meant for %s" % receiver.decode(), key, nonce)
        if sender == self.node:
            raise Refused("sender", "signed in this node's own name", key, nonce)
        # An edge may turn "no body" into nothing and cut a stream into chunks, never change a length.
        if body != b"-" and body != body_word(framing):
            raise Refused("body", "the body is not the one that was signed", key, nonce)
        when = int(stamp)
        if when - now > AHEAD or now - when > WINDOW or when < self.floor:
            raise Refused("clock", "the clock is off by %d ms" % (when - now), key, nonce)
        self._remember(nonce, when, now, key)
        identity = Identity()
        identity.sender, identity.number, identity.nonce, identity.key = sender.decode(), int(number), nonce, key
        identity.to_anybody, identity.skew = receiver == ANYBODY, when - now
        return identity

    def _remember(self, nonce, when, now, key):
        second, short = when // 1000, bytes.fromhex(nonce.decode())
        bucket = self._seen.setdefault(second, set())
        if short in bucket:
            raise Refused("replay", "used before", key, nonce)
        bucket.add(short)
        oldest = (now - WINDOW) // 1000
        for old in [old for old in self._seen if old < oldest]:
            self._forget(old)
        while sum(map(len, self._seen.values())) > MOST_NONCES:
            self._forget(min(self._seen))

    def _forget(self, second):
        """Must not open the door for its nonces again, not even after a clock is set back: the floor rises."""
        del self._seen[second]
        self.floor = max(self.floor, (second + 1) * 1000)

    def time(self, now):
        """For which a sender has to sign to be let in."""
        return max(now, self.floor)


def answer_line(key, node, nonce, status, fault, now):
    """Proof that the answer is the receiver's own and not that of something on the way."""
    fields = [node, b"%d" % status, (fault or "-").encode(), b"%d" % now]
    mac = _mac(key, [VERSION, b"answer", nonce, *fields])
    return ANSWER + b": " + b" ".join([VERSION, *fields, mac])


def read_answer(response, key, nonce):
    """(node, fault or None, receiver's milliseconds); None where the answer is not proven."""
    value = response.value(ANSWER)
    parts = value.split(b" ") if value else []
    if len(parts) != 6 or parts[0] != VERSION or not parts[4].isdigit():
        return None
    if parts[2] != b"%d" % response.status:
        return None
    mac = _mac(key, [VERSION, b"answer", nonce, *parts[1:5]])
    if not hmac.compare_digest(mac, parts[5]):
        return None
    return parts[1], None if parts[3] == b"-" else parts[3].decode(), int(parts[4])
