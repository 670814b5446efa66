"""Requests of the forwarder's own: is the path open, is it the right node, does its daemon live."""
import asyncio, json, random, time
from dial import Failed
from exchange import final_response
from http1 import Length, write_head
from identity import ANYBODY, NODES, PING, read_answer, sign
from peer import MOST_VOTERS
from wire import Gone

LARGEST = 4 << 20
# After so many misses in a row a path is looked at less often.
HOPELESS = 10
SLOW = 3


async def ask(peer, key, target=PING):
    """Sends a signed GET: (answering node, body, milliseconds). @raises Failed"""
    fleet, route, fresh, last = peer.fleet, peer.routes[key], False, ""
    for _ in range(3 + len(fleet.keys) + (MOST_VOTERS if route.is_shared() else 0)):
        secret = peer.key()
        if secret is None:
            raise Failed("there is no fleet secret")
        began = time.monotonic()
        until = began + fleet.settings.timeoutSeconds
        upstream, used = await route.pool.take(fresh)
        try:
            identity, nonce = sign(
                secret, fleet.name, fleet.settings.number, ANYBODY if peer.is_entry else peer.receiver, b"GET", target, Length(0), peer.now()
            )
            upstream.send(write_head(b"GET %s HTTP/1.1" % target, [*route.lines(), b"Accept-Encoding: identity", identity]))
            response, body = await asyncio.wait_for(_read(upstream), max(0.01, until - time.monotonic()))
        except asyncio.TimeoutError:
            upstream.abort("no answer in time")
            raise Failed("no answer within %g s" % fleet.settings.timeoutSeconds)
        except Gone as gone:
            upstream.abort("gone")
            if used and not fresh:
                fresh = True
                continue
            raise Failed("no answer: %s" % gone)
        except (ValueError, OverflowError) as mistake:
            upstream.abort("out of step")
            raise Failed("no HTTP: %s" % mistake)
        except BaseException:
            upstream.abort("stopped")
            raise
        if response.keeps():
            route.pool.give(upstream)
        else:
            upstream.abort("done")
        answer = read_answer(response, secret, nonce)
        if answer is None:
            if response.status != 401 or response.value(b"x-p2p-fault") != b"signature":
                raise Failed("answered %d, but not by %s" % (response.status, peer.node.name))
            peer.key_index += 1
            last = "it knows another fleet secret"
            continue
        node, fault, theirs = answer
        if fault in ("clock", "replay"):
            peer.follow_clock(theirs)
            last = "the clocks do not agree"
            continue
        if fault == "receiver" and route.is_shared():
            last = "only others answer at the entry"
            continue
        if fault:
            raise Failed("%s refused it: %s" % (node.decode("ascii", "replace"), fault))
        peer.learn_clock(theirs)
        return node, body, (time.monotonic() - began) * 1000
    raise Failed(last)


async def _read(upstream):
    response = await final_response(upstream)
    framing, body = response.body(b"GET"), bytearray()
    if framing.length is None or framing.length > LARGEST:
        # An edge's own page may be anything, and nobody wants to read it.
        return response, b""
    if not framing.done:
        await upstream.pump(framing, None, tee=body.extend)
    return response, bytes(body)


class Prober:
    """Looks at the paths of one peer, now and then, and at once when something looks wrong."""

    def __init__(self, peer):
        self.peer = peer
        self.due = {}

    async def run(self):
        peer = self.peer
        while True:
            settings = peer.fleet.settings
            now = time.monotonic()
            soon = []
            for path in list(peer.choice.paths):
                if self._is_due(path, now):
                    soon.append(self._look(path.key))
            if soon:
                await asyncio.gather(*soon)
            peer.wanted.clear()
            try:
                await asyncio.wait_for(peer.wanted.wait(), self._pause(settings))
                # Not at once: what was wrong may be over in a moment, and would only be counted twice.
                await asyncio.sleep(min(1.0, settings.timeoutSeconds / 3))
                self._hurry()
            except asyncio.TimeoutError:
                pass

    def _every(self, path):
        """Seconds between two looks; None: only when something looks wrong."""
        peer, settings = self.peer, self.peer.fleet.settings
        is_calm = path is peer.choice.active and path.up is not False and path is peer.choice.paths[0]
        if not peer.node.watched and is_calm:
            return None
        every = settings.probeSeconds if path is peer.choice.active or path.up is False else settings.standbySeconds
        if path.misses >= HOPELESS:
            every *= SLOW
        return every if peer.node.watched else every * SLOW

    def _is_due(self, path, now):
        every = self._every(path)
        if every is None:
            return path.key in self.due and self.due[path.key] == 0
        return now >= self.due.get(path.key, 0)

    def _hurry(self):
        active = self.peer.choice.active
        for path in self.peer.choice.paths:
            if path is active or path.up is None:
                self.due[path.key] = 0

    def _pause(self, settings):
        now = time.monotonic()
        times = [self.due.get(path.key, 0) - now for path in self.peer.choice.paths if self._every(path) is not None]
        return max(0.02, min([*times, 60.0]))

    async def _look(self, key):
        peer = self.peer
        path = peer.choice.find(key)
        try:
            _, body, milliseconds = await ask(peer, key)
            peer.good(key, milliseconds)
            peer.say_daemon(_daemon(body))
        except Failed as failure:
            peer.probe_missed(key, str(failure))
        except KeyError:
            return
        except Exception as mistake:  # One of ours costs one look, not all that would follow.
            peer.probe_missed(key, "%s: %s" % (type(mistake).__name__, mistake))
        every = self._every(path) if path else None
        if every is None:
            self.due.pop(key, None)
            return
        if path.up is not False and path.misses:
            # One miss is followed up soon, so that a cut is known within seconds.
            every = min(every, 1.0, peer.fleet.settings.timeoutSeconds / 3)
        self.due[key] = time.monotonic() + every * random.uniform(0.8, 1.2)


def _daemon(body):
    try:
        return str(json.loads(body.decode())["daemon"])[:200]
    except (ValueError, KeyError, TypeError):
        return "unknown"
