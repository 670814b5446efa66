"""What the forwarder is told, in three kinds of file: its own settings, the fleet's nodes, and secrets."""
import ipaddress, json, re, stat, os
from places import place
from urllib.parse import urlsplit

KINDS = ("tailscale", "cloudflare", "direct")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
WORD = re.compile(r"[\x21-\x7e]{1,512}")
LARGEST = 4 << 20
# Every address, on a machine that has any.
IPV6 = "::"

NUMBERS = {
    # name: (default, least, most). Seconds, counts or milliseconds as the name says.
    "probeSeconds": (5, 0.05, 600),
    "standbySeconds": (10, 0.05, 600),
    "timeoutSeconds": (3, 0.05, 60),
    "misses": (2, 1, 100),
    "returns": (3, 1, 100),
    "settleSeconds": (60, 0, 3600),
    "answerSeconds": (300, 0.5, 3600),
    # A daemon waits ten seconds for the answer to a heartbeat.
    "holdSeconds": (9, 0, 60),
    "stallSeconds": (60, 0.5, 3600),
    "headSeconds": (10, 0.2, 120),
    "idleSeconds": (75, 0.5, 3600),
    "inboundConnections": (768, 8, 16384),
    "outboundConnections": (768, 8, 16384),
    "requestsPerPeer": (64, 1, 4096),
}


class Mistake(ValueError):
    """A file that cannot be used; says which and why."""


class Way:
    """One path to one node."""

    __slots__ = ("kind", "host", "port", "tls", "socks", "shown")

    def __init__(self, kind, host, port, tls, socks):
        self.kind, self.host, self.port, self.tls, self.socks = kind, host, port, tls, socks
        self.shown = "https://" + host if tls else "%s:%d" % (host, port)

    def same(self, other):
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)


class Node:
    """`device` is its name and tag in the tailnet; None where it is only known by address."""

    __slots__ = ("name", "number", "loopback", "port", "watched", "ways", "device")

    def __init__(self, name, number, port, watched, ways, device=None):
        self.name, self.number, self.port, self.watched, self.ways = name, number, port, watched, ways
        self.device = device
        self.loopback = loopback(number)


class Settings:
    """Everything of one moment; never changed, only replaced."""


def loopback(number):
    return "127.%d.%d.%d" % (64 + (number >> 16), (number >> 8) & 255, number & 255)


def read(path):
    """@raises Mistake, or OSError where it is not there"""
    with open(path, "rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Mistake("%s is larger than %d bytes" % (path, LARGEST))
    return data


def parse(own, fleet, devices=()):
    """Both files' bytes as settings. @param devices of the tailnet, as tailscaled knows them @raises Mistake"""
    own, fleet = _json(own, "the settings"), _json(fleet, "the fleet's nodes")
    result = Settings()
    result.node = _name(own.get("node"), "node")
    result.daemon_port = _port(own.get("daemonPort", 8770), "daemonPort")
    result.inbound_hosts = [_address(own["inboundHost"], "inboundHost")] if "inboundHost" in own else ["0.0.0.0", IPV6]
    result.inbound_port = _port(own.get("inboundPort"), "inboundPort")
    result.admin_port = _port(own.get("adminPort"), "adminPort")
    result.tailnet = _choice(own.get("tailnet", "none"), ("none", "tun", "userspace"), "tailnet")
    result.socks = _host_port(own.get("socks", "127.0.0.1:1055"), "socks")
    result.tailscaled = _path(own["tailscaled"], "tailscaled") if own.get("tailscaled") else None
    result.secret_file = _path(own.get("secretFile"), "secretFile")
    result.access_file = _path(own["accessFile"], "accessFile") if own.get("accessFile") else None
    result.ca_file = _path(own["caFile"], "caFile") if own.get("caFile") else None
    result.entry_port = _port(own.get("entryPort", 8770), "entryPort")
    result.serves_entry = _flag(own.get("servesEntry", False), "servesEntry")
    result.release_file = _path(own["releaseFile"], "releaseFile") if own.get("releaseFile") else None
    result.token_prefix = _path(own["tokenPrefix"], "tokenPrefix") if own.get("tokenPrefix") else None
    for name, (default, least, most) in NUMBERS.items():
        setattr(result, name, _number(own.get(name, default), least, most, name))
    known = {"node", "daemonPort", "inboundHost", "inboundPort", "adminPort", "tailnet", "socks", "secretFile"}
    known |= {"accessFile", "caFile", "entryPort", "servesEntry", "version", "releaseFile", "tokenPrefix", "tailscaled"} | set(NUMBERS)
    for key in own:
        if key not in known:
            raise Mistake("the settings: %s is not known" % key)
    methods = _methods(fleet.get("methods", list(KINDS)), "methods")
    result.entry = None
    if fleet.get("entry"):
        result.entry = _url_way(fleet["entry"], "entry")
    result.learns = _flag(fleet.get("learn", False), "learn")
    nodes = fleet.get("nodes")
    if not isinstance(nodes, dict):
        raise Mistake("the fleet's nodes: `nodes` is missing")
    result.nodes = {name: _node(name, body, methods, result, devices) for name, body in nodes.items()}
    if result.learns and result.entry:
        for node in result.nodes.values():
            if node.watched and not node.ways:
                # A voter that this host has no way to may be who answers there.
                node.ways.append(result.entry)
    numbers = {}
    for node in result.nodes.values():
        other = numbers.setdefault(node.number, node)
        if other is not node:
            raise Mistake("nodes %s and %s have the same number %d" % (other.name, node.name, node.number))
    if result.node not in result.nodes:
        raise Mistake("node %s itself is not among the fleet's nodes" % result.node)
    result.number = result.nodes[result.node].number
    result.places = placed(result.nodes, devices)
    result.peers = {name: node for name, node in result.nodes.items() if name != result.node}
    return result


def placed(nodes, devices):
    """Addresses of the nodes that are known by their device: None where tailscaled knows of none."""
    return {name: place(devices, *node.device) for name, node in nodes.items() if node.device}


def complete(data, learned):
    """A list of nodes with those that were learnt elsewhere; what this host was told itself stands."""
    if not learned:
        return data
    fleet = _json(data, "the fleet's nodes")
    nodes = fleet.get("nodes")
    if not isinstance(nodes, dict):
        return data
    numbers = [node.get("number") for node in nodes.values() if isinstance(node, dict)]
    more = {name: node for name, node in learned.items() if name not in nodes and node.get("number") not in numbers}
    return json.dumps({**fleet, "nodes": {**nodes, **more}}, sort_keys=True).encode()


def nodes_of(data):
    """The nodes of somebody's list. @raises Mistake"""
    nodes = _json(data, "the entry's list of nodes").get("nodes")
    if not isinstance(nodes, dict) or not all(isinstance(node, dict) for node in nodes.values()):
        raise Mistake("the entry's list of nodes cannot be read")
    return nodes


def secrets(path):
    """Lines of the secret file, the newest first. @raises Mistake, OSError"""
    info = os.stat(path)
    if stat.S_IMODE(info.st_mode) & 0o077:
        raise Mistake("%s can be read by others: mode %04o instead of 0600" % (path, stat.S_IMODE(info.st_mode)))
    keys = [line.strip() for line in read(path).splitlines() if line.strip()]
    if not keys or len(keys) > 8 or any(len(key) < 16 for key in keys):
        raise Mistake("%s holds no secret of at least 16 characters" % path)
    return keys


def access(path):
    """Header lines for the tunnels' edge, from JSON with client_id and client_secret. @raises Mistake, OSError"""
    token = _json(read(path), path)
    lines = []
    for name, key in (("Id", "client_id"), ("Secret", "client_secret")):
        value = token.get(key)
        if not isinstance(value, str) or not WORD.fullmatch(value):
            raise Mistake("%s: %s cannot be a header" % (path, key))
        lines.append(("CF-Access-Client-%s: %s" % (name, value)).encode())
    return lines


def _node(name, body, methods, own, devices):
    where = "nodes.%s" % name
    if not NAME.fullmatch(name) or not isinstance(body, dict):
        raise Mistake("%s cannot be read" % where)
    number = _number(body.get("number"), 1, (1 << 22) - 2, where + ".number", whole=True)
    port = _port(body.get("port", 8770), where + ".port")
    inbound = _port(body.get("inbound", own.inbound_port), where + ".inbound")
    methods = _methods(body.get("methods", methods), where + ".methods")
    device, ways = None, []
    if body.get("device") is not None and own.tailnet != "none" and "tailscale" in methods:
        device = _name(body["device"], where + ".device"), _word(body.get("deviceTag"), where + ".deviceTag")
    for kind in methods:
        address = body.get(kind)
        if kind == "tailscale" and device:
            # tailscaled follows a host that joins anew; a file may be older.
            address = place(devices, *device) or address
        if address is None:
            continue
        if kind == "cloudflare":
            ways.append(_url_way(address, "%s.%s" % (where, kind)))
        elif kind == "direct":
            ways.append(Way(kind, *_host_port(address, "%s.%s" % (where, kind), inbound), False, None))
        elif own.tailnet != "none":
            host, at = _host_port(address, "%s.%s" % (where, kind), inbound)
            ways.append(Way(kind, host, at, False, own.socks if own.tailnet == "userspace" else None))
    return Node(name, int(number), port, _flag(body.get("watch", False), where + ".watch"), ways, device)


def _json(data, what):
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Mistake("%s: %s" % (what, error))
    if not isinstance(value, dict):
        raise Mistake("%s: no object" % what)
    return value


def _url_way(text, where):
    parts = urlsplit(text) if isinstance(text, str) else None
    try:
        port = parts.port or 443 if parts else 0
    except ValueError:
        port = 0
    if not port or parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise Mistake("%s: %r is no https address of a host" % (where, text))
    return Way("cloudflare", parts.hostname, port, True, None)


def _host_port(text, where, port=None):
    """`host`, `host:port`, `[v6]:port` or a bare IPv6 address."""
    found = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d+))?|([^:\[\]/\s]+)(?::(\d+))?|([0-9A-Fa-f:.]+)", text) if isinstance(text, str) else None
    if not found:
        raise Mistake("%s: %r is no address" % (where, text))
    at = found.group(2) or found.group(4)
    if at is None and port is None:
        raise Mistake("%s: %r has no port" % (where, text))
    return found.group(1) or found.group(3) or found.group(5), _port(int(at) if at else port, where)


def _methods(value, where):
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise Mistake("%s: no list of paths" % where)
    # Others, such as a relay, are somebody else's.
    return list(dict.fromkeys(word for word in value if word in KINDS))


def _number(value, least, most, where, whole=False):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise Mistake("%s: expected a number from %s to %s, got %r" % (where, least, most, value))
    if whole and int(value) != value:
        raise Mistake("%s: expected a whole number, got %r" % (where, value))
    return value


def _port(value, where):
    return int(_number(value, 1, 65535, where, whole=True))


def _flag(value, where):
    if not isinstance(value, bool):
        raise Mistake("%s: expected true or false, got %r" % (where, value))
    return value


def _choice(value, words, where):
    if value not in words:
        raise Mistake("%s: expected one of %s, got %r" % (where, ", ".join(words), value))
    return value


def _name(value, where):
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Mistake("%s: %r is no node id" % (where, value))
    return value


def _word(value, where):
    if not isinstance(value, str) or not WORD.fullmatch(value):
        raise Mistake("%s: %r is no word" % (where, value))
    return value


def _path(value, where):
    if not isinstance(value, str) or not value.startswith("/") or not value.isprintable():
        raise Mistake("%s: %r is no absolute path" % (where, value))
    return value


def _address(value, where):
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise Mistake("%s: %r is no address" % (where, value))
