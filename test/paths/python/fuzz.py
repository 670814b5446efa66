"""
Two forwarders between a client and an origin that both speak HTTP as badly as they can, from a seed.
python3 test/paths/python/fuzz.py SEED SECONDS: longer than test_fuzz.py does.

Every request has a number of its own, and what must not arrive says `/smuggled`. The origin reads strictly: what it
cannot read in one way only, or was not meant to get, is a finding. So is an answer that the client cannot read in one
way only, or that belongs to another request.
"""
import asyncio, itertools, json, os, random, re, socket, subprocess, sys, tempfile, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.abspath(os.path.join(HERE, "..", "..", "..", "payload", "forwarder"))
sys.path.insert(0, PROGRAM)

from http1 import Length
from identity import sign
from settings import loopback

SECRET = b"a fleet secret for fuzzing on loopback"
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
NUMBER = re.compile(rb"/n(\d+)")
MOST_MEMORY = 60 << 10
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


class Unreadable(Exception):
    """It can be read in no way, or in two."""


async def strict_head(reader):
    """First line and headers as (name, value); None at the end between two messages."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        byte = await reader.read(1)
        if not byte:
            if head:
                raise Unreadable("half a head: %r" % bytes(head))
            return None
        head += byte
        if len(head) > 256 << 10:
            raise Unreadable("a head of more than 256 KiB")
    lines = bytes(head[:-4]).split(b"\r\n")
    headers = []
    for line in lines:
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise Unreadable("a control character in %r" % line)
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name):
            raise Unreadable("no header: %r" % line)
        headers.append((name.lower(), value.strip(b" \t")))
    return lines[0], headers


async def strict_body(reader, headers, without=False, until_end=False):
    """Reads exactly the body. A request without a length has none; a response lasts until the end."""
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if lengths and codings or len(codings) > 1 or len(set(lengths)) > 1:
        raise Unreadable("two lengths: %r %r" % (lengths, codings))
    if without:
        return b""
    if codings:
        if codings[0].lower() != b"chunked":
            raise Unreadable("coding %r" % codings[0])
        body = b""
        while True:
            line = await reader.readuntil(b"\n")
            found = re.fullmatch(rb"([0-9A-Fa-f]+)[ \t]*(;[^\r\n]*)?\r\n", line)
            if not found or len(found.group(1)) > 15:
                raise Unreadable("chunk size %r" % line)
            size = int(found.group(1), 16)
            if not size:
                break
            body += await reader.readexactly(size)
            if await reader.readexactly(2) != b"\r\n":
                raise Unreadable("a chunk that does not end")
        while (await reader.readuntil(b"\n")) != b"\r\n":
            pass
        return body
    if lengths:
        if not lengths[0].isdigit():
            raise Unreadable("length %r" % lengths[0])
        return await reader.readexactly(int(lengths[0]))
    return await reader.read(1 << 20) if until_end else b""


class Run:
    def __init__(self, seed, rounds, seconds):
        self.random = random.Random(seed)
        self.rounds, self.until = rounds, time.monotonic() + seconds
        self.findings, self.counts = [], {}
        self.number = 0
        # Numbers of requests that may arrive, and those that did.
        self.meant, self.arrived = set(), {}

    def finding(self, text):
        self.findings.append(text[:600])

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # --- the origin: reads strictly, answers as badly as it can --------------------------

    async def origin(self, reader, writer):
        try:
            while True:
                head = await strict_head(reader)
                if head is None:
                    return
                first, headers = head
                parts = first.split(b" ")
                if len(parts) != 3 or not parts[1].startswith((b"/", b"*")) or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
                    raise Unreadable("request line %r" % first)
                if sum(name == b"host" for name, _ in headers) != 1:
                    raise Unreadable("not one Host in %r" % (headers,))
                if any(name.startswith(b"x-p2p-") for name, _ in headers):
                    raise Unreadable("an identity in %r" % (headers,))
                if any(name in (b"upgrade", b"te", b"keep-alive", b"proxy-connection") for name, _ in headers):
                    raise Unreadable("a header of another connection in %r" % (headers,))
                if parts[1] == b"/health":
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                    continue
                found = NUMBER.match(parts[1])
                if b"smuggled" in first or not found or int(found.group(1)) not in self.meant:
                    raise Unreadable("nobody sent %r" % first)
                number = int(found.group(1))
                if (b"expect", b"100-continue") in headers:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                try:
                    await strict_body(reader, headers)
                except (asyncio.IncompleteReadError, ConnectionError):
                    # The client left in the middle of its body, which only it may.
                    return
                self.arrived[number] = self.arrived.get(number, 0) + 1
                if not await self.answer(writer, number, parts[0], found and parts[1]):
                    return
        except Unreadable as problem:
            self.finding("origin: %s" % problem)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def answer(self, writer, number, method, target):
        """True when the connection goes on."""
        body = b"answer %d" % number
        kind = target.rsplit(b"?", 1)[-1] if b"?" in target else b"plain"
        sized = b"Content-Length: %d\r\n" % len(body)
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        if method == b"HEAD":
            writer.write(b"HTTP/1.1 200 OK\r\n" + sized + b"\r\n")
            return True
        answers = {
            b"plain": b"HTTP/1.1 200 OK\r\n" + sized + b"\r\n" + body,
            b"chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
            b"trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked[:-2] + b"X-Sum: 1\r\n\r\n",
            b"empty": b"HTTP/1.1 204 No Content\r\n\r\n",
            b"unchanged": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
            b"interim": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\n" + sized + b"\r\n" + body,
            b"end": b"HTTP/1.1 200 OK\r\n\r\n" + body,
            b"old": b"HTTP/1.0 200 OK\r\n" + sized + b"\r\n" + body,
            b"both": b"HTTP/1.1 200 OK\r\n" + sized + b"Transfer-Encoding: chunked\r\n\r\n" + chunked,
            b"lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + body,
            b"short": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body,
            b"more": b"HTTP/1.1 200 OK\r\n" + sized + b"\r\n" + body + b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled",
            b"body204": b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled",
            b"size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            b"minus": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + body,
            b"lf": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
            b"fold": b"HTTP/1.1 200 OK\r\nX-A: b\r\n Content-Length: 2\r\n" + sized + b"\r\n" + body,
            b"garbage": os.urandom(self.random.randrange(1, 400)),
            b"flood": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + sized + b"\r\n" + body,
            b"upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + SMUGGLED,
            b"status": b"HTTP/1.1 099 Low\r\n\r\n",
            b"nothing": b"",
        }
        text = answers.get(kind, answers[b"plain"])
        if self.random.random() < 0.3:
            for part in (text[:7], text[7:40], text[40:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
        else:
            writer.write(text)
        await writer.drain()
        return target.decode().endswith(self.RIGHT)

    # Kinds of answers with nothing wrong in them, after which the connection goes on.
    RIGHT = ("?plain", "?chunked", "?trailer", "?empty", "?unchanged", "?interim")
    ANSWERS = (
        "plain chunked trailer empty unchanged interim end old both lengths short more body204 size minus lf fold garbage flood upgrade status nothing"
    ).split()

    # --- the client: a pipeline of good requests, with a bad one among them ----------------

    def good(self):
        """(bytes, number, method)"""
        self.number += 1
        number, pick = self.number, self.random
        self.meant.add(number)
        kind = pick.choice(self.ANSWERS) if pick.random() < 0.5 else "plain"
        method = pick.choice(["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
        target = "/n%d?%s" % (number, kind)
        headers = ["Host: x"]
        if pick.random() < 0.2:
            headers.append("X-Filler: %s" % ("f" * pick.choice([1, 100, 8000])))
        if pick.random() < 0.1:
            headers += ["Connection: Upgrade, X-Hop" + pick.choice(["", ", Content-Length, Transfer-Encoding"]), "Upgrade: websocket", "X-Hop: 1", "TE: trailers", "Keep-Alive: 5"]
        body = b""
        if method in ("POST", "PUT", "PATCH"):
            data = (SMUGGLED * 40)[: pick.choice([0, 1, 35, 500, 1400])] if pick.random() < 0.9 else SMUGGLED * 4000
            if pick.random() < 0.5:
                headers.append("Content-Length: %d" % len(data))
                body = data
            else:
                headers.append("Transfer-Encoding: %s" % pick.choice(["chunked", "Chunked"]))
                while data:
                    size = pick.randrange(1, len(data) + 1)
                    body += b"%x%s\r\n%s\r\n" % (size, pick.choice([b"", b";a=b", b' ;a="b"']), data[:size])
                    data = data[size:]
                body += b"0\r\n%s\r\n" % pick.choice([b"", b"X-Sum: 1\r\n"])
            if pick.random() < 0.1 and body:
                headers.append("Expect: 100-continue")
        return (method, target, headers, body), number

    def bad(self):
        """Bytes of which nothing may arrive as a request of its own."""
        pick, s = self.random, SMUGGLED
        self.number += 1
        path = b"/n%d" % self.number
        return pick.choice([
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: %d\r\n\r\n" % (path, len(s)) + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0, %d\r\n\r\n" % (path, len(s)) + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: +%d\r\n\r\n" % (path, len(s)) + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length : %d\r\n\r\n" % (path, len(s)) + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % path + s,
            b"GET %s HTTP/1.1\nHost: x\n\n" % path + s,
            b"GET %s HTTP/1.1\rHost: x\r\r" % path + s,
            b"GET %s HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n" % path + s,
            b"GET http://other.example%s HTTP/1.1\r\nHost: x\r\n\r\n" % path + s,
            b"GET //other.example%s\x7f HTTP/1.1\r\nHost: x\r\n\r\n" % path + s,
            b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n" + s,
            b"GET %s HTTP/2.0\r\nHost: x\r\n\r\n" % path + s,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + s,
            b"GET  %s HTTP/1.1\r\nHost: x\r\n\r\n" % path + s,
            b"GET %s HTTP/1.1 \r\nHost: x\r\n\r\n" % path + s,
            b" GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path + s,
            b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, b"".join(b"X-%d: y\r\n" % n for n in range(300))) + s,
            b"GET %s HTTP/1.1\r\nX: %s\r\n\r\n" % (path, b"y" * 60000) + s,
            b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"y" * 9000) + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x10\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\nz\n0\n\n" % path + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;%s\r\nz\r\n0\r\n\r\n" % (path, b"e" * 5000) + s,
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n%s\r\n" % (path, b"T: y\r\n" * 5000) + s,
            pick.randbytes(pick.randrange(1, 3000)) if hasattr(pick, "randbytes") else os.urandom(200),
            b"\x16\x03\x01\x02\x00\x01" + s,
        ])

    async def client(self, host, port, is_inside):
        """One connection: good requests, perhaps a bad one, and what comes back of them."""
        pick = self.random
        many = [self.good() for _ in range(pick.randrange(0, 4))]
        bad = self.bad() if pick.random() < 0.6 else b""
        text = b"".join(self.wire(*request, is_inside=is_inside) for request, _ in many)
        if bad and is_inside:
            bad = self.signed_somewhere(bad)
        if bad and bad.startswith((b"POST /n", b"GET /n")) and b"\r\n\r\n" in bad:
            # A request whose head is in order may arrive before its body turns out to be none; never as two.
            self.meant.add(self.number)
        data = text + bad
        if not data:
            return
        # Those before anything that is wrong must be answered, whatever follows them.
        right = list(itertools.takewhile(lambda one: one[0][1].endswith(self.RIGHT), many))
        # Cut off in the middle, now and then.
        if pick.random() < 0.1:
            data, right = data[: pick.randrange(1, len(data) + 1)], []
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except ConnectionError as error:
            self.finding("client: %s" % error)
            return
        waiting = list(many)
        try:
            await asyncio.wait_for(self.talk(reader, writer, data, waiting), 90)
        except asyncio.TimeoutError:
            self.finding("client: no end after %r" % data[:300])
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.count("broken off")
        finally:
            writer.close()
        if len(many) - len(waiting) < len(right):
            self.finding("client: no answer to %r in %s%r" % (many[len(many) - len(waiting)][0][:2], "inside " if is_inside else "", data[-250:]))

    async def talk(self, reader, writer, data, waiting):
        """Takes from `waiting` what was answered."""
        pick = self.random

        async def send():
            try:
                rest = data
                while rest:
                    size = len(rest) if pick.random() < 0.5 else pick.choice([1, 5, 50, 2000])
                    writer.write(rest[:size])
                    rest = rest[size:]
                    await writer.drain()
                    if size < 100:
                        await asyncio.sleep(0)
                if pick.random() < 0.8:
                    writer.write_eof()
                else:
                    await asyncio.sleep(0.3)
                    writer.write_eof()
            except (ConnectionError, OSError, RuntimeError):
                pass

        sending = asyncio.ensure_future(send())
        try:
            while True:
                try:
                    head = await strict_head(reader)
                except Unreadable as problem:
                    # Half a head is what is left of a connection that broke off.
                    if "half a head: b'HTTP/1.1 " not in str(problem):
                        self.finding("client: %s" % problem)
                    return
                if head is None:
                    return
                first, headers = head
                if first.startswith(b"HTTP/1.1 1"):
                    if first.startswith(b"HTTP/1.1 101"):
                        self.finding("client: an upgrade")
                        return
                    continue
                request, number = waiting.pop(0) if waiting else (None, None)
                status = int(first.split(b" ")[1])
                if status >= 400:
                    # A refusal is the last answer; nobody is let in for what was signed before the receiver's start.
                    # The other forwarder's own goes with a connection that stays.
                    if (b"connection", b"close") in headers:
                        waiting.clear()
                without = status in (204, 304) or (request is not None and request[0] == "HEAD")
                try:
                    body = await strict_body(reader, headers, without, until_end=True)
                except Unreadable as problem:
                    self.finding("client: %s in the answer to %r" % (problem, request and request[:3]))
                    return
                self.count("%d" % status)
                if b"smuggled" in body:
                    self.finding("client: %r came for %r" % (body[:200], request and request[:2]))
                if status == 200 and number is not None and not without and body != b"answer %d" % number:
                    self.finding("client: %r came for request %d" % (body[:200], number))
        finally:
            sending.cancel()

    def wire(self, method, target, headers, body, is_inside=False):
        lines = list(headers)
        if is_inside:
            lines.append(self.identity(method, target, body, headers))
        return ("%s %s HTTP/1.1\r\n%s\r\n\r\n" % (method, target, "\r\n".join(lines))).encode() + body

    def identity(self, method, target, body, headers):
        framing = Length(len(body))
        if any("chunked" in line.lower() for line in headers):
            framing.length = None
        line, _ = sign(SECRET, b"a", self.numbers[0], b"b", method.encode(), target.encode(), framing, int(time.time() * 1000))
        return line.decode()

    def signed_somewhere(self, bad):
        """A bad request by a member of the fleet, who may be a mistaken one."""
        first, end, rest = bad.partition(b"\r\n")
        parts = first.split(b" ")
        if not end or len(parts) < 2:
            return bad
        framing = Length(0)
        framing.length = None
        line, _ = sign(SECRET, b"a", self.numbers[0], b"b", parts[0], parts[1], framing, int(time.time() * 1000))
        return first + end + line + b"\r\n" + rest

    # --- the whole ------------------------------------------------------------------------

    async def run(self):
        server = await asyncio.start_server(self.origin, "127.0.0.1", 0)
        daemon = server.sockets[0].getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            # Not of the seed: other tests run on this machine.
            self.numbers = random.sample(range(1000000, 4000000), 2)
            port, *others = free_ports(5)
            ports = {"a": others[:2], "b": others[2:]}
            nodes = {
                name: {"number": number, "port": port, "direct": "127.0.0.1:%d" % ports[name][0], "watch": True}
                for name, number in zip("ab", self.numbers)
            }
            write(folder, "nodes", json.dumps({"nodes": nodes}))
            write(folder, "secret", SECRET.decode() + "\n")
            children = {}
            try:
                for name in "ab":
                    own = {
                        "node": name, "daemonPort": daemon, "inboundHost": "127.0.0.1", "inboundPort": ports[name][0],
                        "adminPort": ports[name][1], "secretFile": os.path.join(folder, "secret"), "headSeconds": 2,
                        "stallSeconds": 2, "answerSeconds": 4, "holdSeconds": 0, "requestsPerPeer": 512,
                    }
                    write(folder, name, json.dumps(own))
                    words = ["--settings", os.path.join(folder, name), "--nodes", os.path.join(folder, "nodes"), "--state", os.path.join(folder, name + "-state")]
                    children[name] = subprocess.Popen([sys.executable, "-IB", PROGRAM, *words], stderr=open(os.path.join(folder, name + "-log"), "wb"))
                for name in "ab":
                    await ready(ports[name][1])
                doors = [(loopback(self.numbers[1]), port, False), ("127.0.0.1", ports["b"][0], True)]
                while self.rounds > 0 and time.monotonic() < self.until and not self.findings:
                    self.rounds -= 1
                    await asyncio.gather(*(self.client(*doors[turn % 2]) for turn in range(16)))
                await self.still_serves(doors[0], ports, children)
                for name in "ab":
                    with open(os.path.join(folder, name + "-log"), errors="replace") as stream:
                        wrong = [line for line in stream if "Error" in line or "task ended" in line or "Traceback" in line]
                    if wrong:
                        self.finding("%s said: %s" % (name, wrong[:3]))
            finally:
                for child in children.values():
                    child.kill()
                    child.wait()
        server.close()
        twice = [number for number, times in self.arrived.items() if times > 3]
        if twice:
            self.finding("arrived again and again: %s" % twice[:5])

    async def still_serves(self, door, ports, children):
        self.number += 1
        self.meant.add(self.number)
        for attempt in range(3):
            reader, writer = await asyncio.open_connection(*door[:2])
            writer.write(b"GET /n%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % self.number)
            text = await reader.read()
            writer.close()
            if text.startswith(b"HTTP/1.1 200"):
                break
            await asyncio.sleep(2)
        else:
            self.finding("does not serve any more: %r" % text[:300])
        for name, child in children.items():
            with open("/proc/%d/status" % child.pid) as stream:
                peak = int(re.search(r"VmHWM:\s+(\d+)", stream.read()).group(1))
            self.counts["KiB of %s" % name] = peak
            if peak > MOST_MEMORY:
                self.finding("%s took %d KiB" % (name, peak))


def free_ports(count):
    """Below the range of outgoing connections, and each another one."""
    ports = set()
    while len(ports) < count:
        port = random.randrange(12000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        ports.add(port)
    return sorted(ports)


def write(folder, name, text):
    with open(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
        stream.write(text)


async def ready(port):
    for _ in range(600):
        try:
            with await asyncio.get_event_loop().run_in_executor(None, lambda: urllib.request.urlopen("http://127.0.0.1:%d/ready" % port, timeout=5)):
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("no forwarder at %d" % port)


def fuzz(seed, rounds, seconds=86400):
    """(findings, counts); a round is sixteen connections."""
    run = Run(seed, rounds, seconds)
    asyncio.run(run.run())
    return run.findings, {**run.counts, "requests": run.number, "arrived": len(run.arrived)}


if __name__ == "__main__":
    problems, counts = fuzz(sys.argv[1] if len(sys.argv) > 1 else "1", 10 ** 9, float(sys.argv[2]) if len(sys.argv) > 2 else 60)
    print(json.dumps(counts, indent=1))
    print("\n".join(problems) or "nothing found")
    sys.exit(bool(problems))
