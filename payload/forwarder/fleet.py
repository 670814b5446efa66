"""Everything that runs: listeners, peers, probes, and the files that tell what to do. Only this module changes them."""
import asyncio, hashlib, os, resource, sys, time
import places, settings as files
from admin import Admin
from badge import Badge
from clock import Clock
from dial import Dialler, Failed, from_address
from events import LONGEST, Events, write_whole
from house import House, room
from http1 import read_response, write_head
from identity import ANYBODY, NODES, Gate
from inbound import Inbound
from listeners import Listeners
from outbound import Outbound
from peer import Peer
from ping import Prober, ask
from settings import Mistake, Node
from watch import Watch, stamp
from wire import Gone, Wire

LOOK = 2.0
# Seconds between two questions to tailscaled: while something is missing or down on the tailnet, and else.
RESTLESS, CALM = 4.0, 30.0
# No node can have this name: it is the shared entry, where any of them may answer.
ENTRY = "*"


class Fleet:
    """`own` and `nodes` are the two settings files, `state` the folder for what outlives the process."""

    def __init__(self, own, nodes, state):
        self.own, self.nodes, self.state = own, nodes, state
        self.settings = None
        self.name = b""
        self.digest = self.mistake = None
        self.keys, self.access = [], []
        self.gate = None
        self.badge = Badge()
        self.dialler = Dialler()
        self.events = Events(state and os.path.join(state, "events.jsonl"), self.say)
        self.clock = Clock(state and os.path.join(state, "clock"))
        self.watch = Watch(self.events)
        self.inbound, self.outbound, self.desk = House(8), House(8), House(32)
        self.door = Inbound(self)
        self.admin = Admin(self)
        self.peers = {}
        self.probes = {}
        self.listeners = Listeners(self)
        self.tasks = set()
        self.began = time.monotonic()
        self.daemon = "unknown"
        self._own = self.nodes_text = b"{}"
        # Nodes that the entry told of, where this host's own list is to be completed by it.
        self.learned = {}
        self._learn_at = 0.0
        # Devices of the tailnet, and why tailscaled could not be asked for them.
        self.devices, self.tailnet_problem = [], None
        self._asked = None
        self._seen = {}

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def spawn(self, coroutine):
        task = asyncio.get_event_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.say("task ended: %r" % task.exception())

    def waiting(self):
        """What is missing before anybody can be served."""
        found = [] if self.settings else [self.mistake or "no settings"]
        found += [] if self.keys else ["no fleet secret"]
        if self.settings:
            found += self.listeners.closed_door()
        return found

    # --- running --------------------------------------------------------------------

    async def run(self):
        self.events.add("started", reason="pid %d" % os.getpid())
        await self._once(self.look)
        jobs = [self._every(1.0, self._sweep)]
        jobs += [self._every(LOOK, job) for job in (self.look, self._look_at_daemon, self._ask_tailscaled)]
        await asyncio.gather(*(self.spawn(job) for job in jobs))

    async def _every(self, seconds, job):
        while True:
            await self._once(job)
            await asyncio.sleep(seconds)

    async def _once(self, job):
        try:
            await job()
        except Exception as error:  # A mistake of ours costs one turn, not the process.
            self.say("%s: %s: %s" % (job.__name__, type(error).__name__, error))

    async def _sweep(self):
        for house in (self.inbound, self.outbound, self.desk):
            house.sweep()
        self.events.save()
        self.clock.save()

    async def _look_at_daemon(self):
        if self.settings:
            self.daemon = await self._daemon()

    async def _daemon(self):
        """`up` when anything answers HTTP there; busy is not down."""
        port = self.settings.daemon_port
        try:
            wire = await from_address("127.0.0.1", port, "127.0.0.1", Wire, 3)
        except Failed as failure:
            return str(failure)
        try:
            wire.send(write_head(b"GET /health HTTP/1.1", [b"Host: 127.0.0.1:%d" % port, b"Connection: close"]))
            head = await asyncio.wait_for(wire.head(), 5)
            return "up" if head and read_response(head) else "closed the connection"
        except asyncio.TimeoutError:
            return "hangs: no answer within 5 s"
        except Exception as error:
            return str(error) or type(error).__name__
        finally:
            wire.abort("done")

    # --- settings -------------------------------------------------------------------

    async def look(self):
        """Reads what changed. What cannot be used is said once, and the last good settings stay."""
        self._look_at_settings()
        if self.settings:
            self._look_at_secrets()
            await self.listeners.bind()
            await self._ask_entry()

    def _look_at_settings(self):
        now = [stamp(self.own), stamp(self.nodes)]
        if now == self._seen.get("settings") and (self.settings or self.mistake):
            return
        self._seen["settings"] = now
        try:
            own, nodes = files.read(self.own), files.complete(files.read(self.nodes), self.learned)
            fresh = files.parse(own, nodes, self.devices)
        except OSError as error:
            # Such as too many open files: the next look may succeed.
            self._seen.pop("settings")
            self._keep(str(error))
            return
        except Exception as error:  # Whatever is wrong with them, the last good ones stay.
            self._keep(str(error) or type(error).__name__)
            return
        self.mistake = None
        self._adopt(fresh, own, nodes)
        self._remember(own, nodes)

    def _keep(self, mistake):
        # It names what was found there, which may be anything.
        mistake = mistake[:LONGEST]
        if mistake != self.mistake:
            self.mistake = mistake
            self.events.add("settings refused", reason=mistake)
        if self.settings or self.state is None:
            return
        try:
            own, nodes = (files.read(os.path.join(self.state, name)) for name in ("last-own.json", "last-nodes.json"))
            fresh = files.parse(own, nodes, self.devices)
        except Exception:
            return
        self._adopt(fresh, own, nodes)
        self.mistake = mistake
        self.events.add("settings", reason="the last good ones are used")

    def _adopt(self, fresh, own, nodes):
        digest, old = hashlib.sha256(own + b"\0" + nodes).hexdigest()[:16], self.settings
        is_new = digest != self.digest
        if not is_new and fresh.places == old.places:
            return
        self.settings, self.digest, self.name = fresh, digest, fresh.node.encode()
        # Without descriptors nobody could be dialled, and the paths would be blamed.
        most = room(resource.getrlimit(resource.RLIMIT_NOFILE)[0], len(fresh.nodes))
        self.inbound.most, self.outbound.most = min(most, int(fresh.inboundConnections)), min(most, int(fresh.outboundConnections))
        self._own, self.nodes_text = own, nodes
        self._arrange()
        if is_new:
            self.events.add("settings", reason="%s with %d peers" % (digest, len(fresh.peers)))
        known = old.places if old else {}
        moved = ["%s is %s" % (name, "at " + at if at else "gone") for name, at in fresh.places.items() if at != known.get(name)]
        if moved:
            self.events.add("tailnet", reason=", ".join(moved))

    async def _ask_tailscaled(self):
        """Peers' places in the tailnet change without anybody's settings: a host joins, or joins anew."""
        placed = [peer for peer in self.peers.values() if peer.node.device]
        paths = [peer.choice.find("tailscale") for peer in placed]
        is_calm = self.tailnet_problem is None and all(path and path.up is not False for path in paths)
        now = time.monotonic()
        if not placed or self._asked is not None and now - self._asked < (CALM if is_calm else RESTLESS):
            return
        self._asked = now
        try:
            self.devices = places.read(await places.ask(self.settings.tailscaled))
            self.tailnet_problem = None
        except (OSError, ValueError, Gone, asyncio.TimeoutError) as error:
            # What was known stands: it restarts, or is logged in anew.
            self.tailnet_problem = str(error) or "tailscaled does not answer"
        if files.placed(self.settings.nodes, self.devices) != self.settings.places:
            self._adopt(files.parse(self._own, self.nodes_text, self.devices), self._own, self.nodes_text)

    def _remember(self, own, nodes):
        if self.state is None:
            return
        try:
            write_whole(os.path.join(self.state, "last-own.json"), own)
            write_whole(os.path.join(self.state, "last-nodes.json"), nodes)
        except OSError as error:
            self.say("the settings cannot be kept: %s" % error)

    def _arrange(self):
        wanted = dict(self.settings.peers)
        # Who answers there would ask itself.
        if self.settings.entry and not self.settings.serves_entry:
            wanted[ENTRY] = Node(ENTRY, 0, self.settings.entry_port, False, [self.settings.entry])
        for name in [name for name in self.peers if name not in wanted]:
            self.peers.pop(name).close("not in the fleet any more")
            self.probes.pop(name).cancel()
        for name, node in wanted.items():
            peer = self.peers.get(name)
            if peer:
                peer.arrange(node)
                peer.wanted.set()
            else:
                peer = self.peers[name] = Peer(node, self, ANYBODY if node.number == 0 else None)
                peer.listener = Outbound(peer)
                self.probes[name] = self.spawn(Prober(peer).run())

    async def _ask_entry(self):
        """A host that knows only the entry gets the list of nodes from whoever answers there."""
        if not self.settings.learns or ENTRY not in self.peers or not self.keys or time.monotonic() < self._learn_at:
            return
        self._learn_at = time.monotonic() + 5
        try:
            _, body, _ = await ask(self.peers[ENTRY], "cloudflare", NODES)
            found = files.nodes_of(body)
        except (Failed, Mistake) as failure:
            self.events.add("entry", reason=str(failure))
            self._learn_at = time.monotonic() + 15
            return
        self._learn_at = time.monotonic() + 300
        if found != self.learned:
            self.learned = found
            self._seen.pop("settings", None)
            self._look_at_settings()

    def _look_at_secrets(self):
        settings = self.settings
        self.badge.point(settings.release_file, settings.token_prefix)
        self.watch.read("secret", settings.secret_file, self._take_keys)
        if self.keys and (self.gate is None or self.gate.node != self.name):
            self.gate = Gate(self.name, self.clock.now(), self.keys)
        if settings.access_file:
            self.watch.read("access", settings.access_file, self._take_access)
        else:
            self.access = []
            self.watch.forget("access")
        if settings.ca_file:
            self.watch.read("certificates", settings.ca_file, self.dialler.trust)
        is_new = not settings.ca_file and self.watch.forget("certificates")
        if self.dialler.context is None or is_new:
            self.dialler.trust(None)

    def _take_keys(self, path):
        keys = files.secrets(path)
        self.keys = keys
        if self.gate is not None:
            self.gate.keys = keys
        for peer in self.peers.values():
            peer.key_index = 0

    def _take_access(self, path):
        self.access = files.access(path)
