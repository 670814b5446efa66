"""What the forwarder says about itself, on loopback only: /ready, /status, /summary, /events. It changes nothing."""
import json, os, time
from exchange import error
from http1 import Malformed, read_request, write_head
from wire import Gone, Wire

HOSTS = {b"127.0.0.1", b"localhost", b"[::1]"}


class Admin:
    def __init__(self, fleet):
        self.fleet = fleet

    def make(self):
        return Wire(opened=self._opened, closed=self.fleet.desk.leave)

    def _opened(self, wire):
        if self.fleet.desk.enter(wire):
            self.fleet.spawn(self._serve(wire))
        else:
            wire.abort("no room")

    async def _serve(self, wire):
        wire.deadline = time.monotonic() + 10
        try:
            head = await wire.head()
            if head is None:
                wire.close()
                return
            self.fleet.desk.busy(wire, True)
            request = read_request(head)
            # A page in a browser on this host must not read it under a name of its own.
            host = (request.value(b"host") or b"").rsplit(b":", 1)[0].lower()
            if request.method not in (b"GET", b"HEAD") or host not in HOSTS:
                error(wire, 405 if host in HOSTS else 403, "only GET from this host")
            else:
                self._show(wire, request)
            wire.linger()
        except Malformed as mistake:
            error(wire, mistake.status, str(mistake))
            wire.linger()
        except (Gone, ValueError, OverflowError) as ended:
            wire.abort(str(ended))

    def _show(self, wire, request):
        fleet, path = self.fleet, request.target.split(b"?")[0]
        if path == b"/ready":
            waiting = fleet.waiting()
            status, body = (503 if waiting else 200), {"ready": not waiting, "waiting": waiting, "notListening": fleet.listeners.unbound}
        elif path == b"/status":
            status, body = 200, {**summary(fleet), "peers": {name: show_peer(peer) for name, peer in fleet.peers.items()}}
        elif path == b"/summary":
            status, body = 200, summary(fleet)
        elif path == b"/events":
            status, body = 200, {"events": list(fleet.events.list)}
        else:
            status, body = 404, {"error": "no such page"}
        text = json.dumps(body).encode() + b"\n"
        first = b"HTTP/1.1 %d %s" % (status, {200: b"OK", 404: b"Not Found"}.get(status, b"Service Unavailable"))
        lines = [b"Content-Type: application/json", b"Content-Length: %d" % len(text), b"Connection: close"]
        wire.send(write_head(first, lines) + (b"" if request.method == b"HEAD" else text))


def show_peer(peer):
    now = time.monotonic()

    def ago(moment):
        return None if moment is None else round(now - moment, 1)

    active = peer.choice.active
    return {
        "loopback": peer.node.loopback,
        "watched": peer.node.watched,
        "active": active.key if active else None,
        "reachable": peer.choice.reachable(),
        "daemon": peer.daemon,
        "clockSkewMilliseconds": peer.skew,
        "requests": peer.under_way,
        "paths": [
            {
                "path": path.key,
                "address": peer.routes[path.key].way.shown,
                "up": path.up,
                "milliseconds": None if path.milliseconds is None else round(path.milliseconds, 2),
                "goodSecondsAgo": ago(path.last_good),
                "missSecondsAgo": ago(path.last_miss),
                "misses": path.misses,
                "reason": path.reason,
            }
            for path in peer.choice.paths
        ],
    }


def summary(fleet):
    """What `fleet status` wants to know: few bytes, however many nodes there are."""
    settings = fleet.settings
    watched = {name: peer for name, peer in fleet.peers.items() if peer.node.watched}
    return {
        "node": settings.node if settings else None,
        "pid": os.getpid(),
        "uptimeSeconds": round(time.monotonic() - fleet.began, 1),
        "settings": fleet.digest,
        "mistake": "; ".join([*([fleet.mistake] if fleet.mistake else []), *fleet.watch.refusals.values()]) or None,
        "waiting": fleet.waiting(),
        "notListening": fleet.listeners.unbound,
        "yielding": fleet.listeners.yielding,
        # The daemon's callers need no token of their own: each host's forwarder gives them its daemon's.
        "lendsToken": fleet.badge.release is not None and fleet.badge.problem is None,
        "tokenProblem": fleet.badge.problem,
        "eventsProblem": fleet.events.problem,
        "tailnetProblem": fleet.tailnet_problem,
        "daemon": fleet.daemon,
        "connections": {
            name: {"open": len(house.accepted), "evicted": house.evicted, "refused": house.refused}
            for name, house in (("inbound", fleet.inbound), ("outbound", fleet.outbound))
        },
        "refused": {fault: count for fault, (count, _) in fleet.door.refused.items()},
        "watched": {
            name: {
                "active": peer.choice.active.key if peer.choice.active else None,
                "up": [path.key for path in peer.choice.paths if path.up is True],
                "down": {path.key: path.reason for path in peer.choice.paths if path.up is False},
                "daemon": peer.daemon,
            }
            for name, peer in sorted(watched.items())
        },
        "cutOff": sorted(name for name, peer in fleet.peers.items() if not peer.choice.reachable()),
    }
