"""HTTP/1.1 heads and the framing of bodies (RFC 9112), strictly: what two readers could read differently is refused."""
import re
from wire import HEAD_LIMIT

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
TARGET = re.compile(rb"[\x21-\x7e]+")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[\x20-\x7e\t]*)?")
MOST_HEADERS = 128
# Of both, what is left for forwarders and edges on the way to add.
ROOM, ROOM_HEADERS = 2 << 10, 28
MOST_TARGET = 8 << 10
MOST_LINE = 256
MOST_TRAILERS = 8 << 10
# Of one connection, not of the message (RFC 9110 7.6.1).
HOP = {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"upgrade"}
# Dropped, whatever the connection says, the body would be read as the next message.
FRAMING = {b"content-length", b"transfer-encoding"}


class Malformed(ValueError):
    """`status` is the answer that it deserves."""

    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status


class Message:
    """First line and headers; `headers` is a list of (lower-case name, whole line), `size` the head's in bytes."""

    def __init__(self, headers, size):
        self.headers, self.size = headers, size
        self.hop = HOP.union(
            name.strip().lower() for value in self.values(b"connection") for name in value.split(b",") if name.strip()
        ) - FRAMING

    def values(self, wanted):
        return [line[len(name) + 1:].strip(b" \t") for name, line in self.headers if name == wanted]

    def value(self, wanted):
        values = self.values(wanted)
        return values[0] if values else None

    def lines(self, dropped=()):
        """Header lines that go on to the next hop."""
        hop = self.hop
        return [line for name, line in self.headers if name not in hop and not name.startswith(b"x-p2p-") and name not in dropped]

    def has_room(self):
        """The next forwarder takes the head, with what is added to it on the way."""
        return self.size <= HEAD_LIMIT - ROOM and len(self.headers) <= MOST_HEADERS - ROOM_HEADERS

    def closes(self):
        return any(word.strip().lower() == b"close" for value in self.values(b"connection") for word in value.split(b","))


class Request(Message):
    def __init__(self, method, target, version, headers, size):
        super().__init__(headers, size)
        self.method, self.target, self.version = method, target, version

    def body(self):
        """Raises Malformed where the length can be read in two ways."""
        chunked, length = _framing(self)
        if chunked:
            if self.version != b"HTTP/1.1":
                raise Malformed("chunked needs HTTP/1.1")
            return Chunked()
        return Length(length or 0)

    def keeps(self):
        return self.version == b"HTTP/1.1" and not self.closes()


class Response(Message):
    def __init__(self, status, first, version, headers, size):
        super().__init__(headers, size)
        self.status, self.first, self.version = status, first, version

    def body(self, method):
        chunked, length = _framing(self)
        if method == b"HEAD" or self.status in (204, 304):
            return Length(0)
        if chunked:
            return Chunked()
        return UntilEnd() if length is None else Length(length)

    def keeps(self):
        return self.version == b"HTTP/1.1" and not self.closes()


def read_request(head):
    first, headers = _split(head)
    parts = first.split(b" ")
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or not TARGET.fullmatch(parts[1]):
        raise Malformed("no request line")
    method, target, version = parts
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Malformed("unknown version", 505)
    if len(target) > MOST_TARGET:
        raise Malformed("the target is too long", 414)
    if method == b"CONNECT" or not target.startswith(b"/") and target != b"*":
        raise Malformed("only paths are served", 405)
    return Request(method, target, version, headers, len(head))


def read_response(head):
    first, headers = _split(head)
    version, _, rest = first.partition(b" ")
    code = rest[:3]
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(code) != 3 or not code.isdigit() or code < b"100":
        raise Malformed("no status line", 502)
    return Response(int(code), first, version, headers, len(head))


def write_head(first, lines):
    return b"\r\n".join([first, *lines, b"", b""])


def _split(head):
    lines = head[:-4].split(b"\r\n")
    if len(lines) - 1 > MOST_HEADERS:
        raise Malformed("more than %d headers" % MOST_HEADERS, 431)
    if CONTROL.search(lines[0]):
        raise Malformed("control characters")
    headers = []
    for line in lines[1:]:
        name, colon, _ = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name) or CONTROL.search(line):
            raise Malformed("a header cannot be read")
        headers.append((name.lower(), line))
    return lines[0], headers


def _framing(message):
    codings = message.values(b"transfer-encoding")
    lengths = message.values(b"content-length")
    if codings:
        if lengths or len(codings) != 1 or codings[0].lower() != b"chunked":
            raise Malformed("the length of the body can be read in two ways")
        return True, None
    if not lengths:
        return False, None
    if len(set(lengths)) != 1 or not lengths[0].isdigit() or len(lengths[0]) > 18:
        raise Malformed("the length of the body cannot be read")
    return False, int(lengths[0])


class Length:
    def __init__(self, length):
        self.length = self.left = length

    @property
    def done(self):
        return self.left == 0

    def take(self, data):
        """How many of these bytes belong to the body."""
        count = min(self.left, len(data))
        self.left -= count
        return count

    def ends(self):
        return self.left == 0


class UntilEnd:
    done = False

    def take(self, data):
        return len(data)

    def ends(self):
        return True


class Chunked:
    """Follows the chunks and leaves them as they are."""

    length = None

    def __init__(self):
        self.done = False
        self._left = 0
        self._line = b""
        self._state = "size"
        self._trailers = 0

    def take(self, data):
        at, size = 0, len(data)
        while at < size and not self.done:
            if self._left:
                step = min(self._left, size - at)
                self._left -= step
                at += step
                continue
            piece = bytes(data[at: at + MOST_LINE + 2])
            end = piece.find(b"\n")
            self._line += piece if end < 0 else piece[: end + 1]
            at += len(piece) if end < 0 else end + 1
            if len(self._line) > (MOST_LINE if self._state != "trailer" else MOST_TRAILERS):
                raise Malformed("a chunk's line is too long")
            if end >= 0:
                line, self._line = self._line, b""
                if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
                    raise Malformed("a chunk's line does not end")
                self._read(line[:-2])
        return at

    def _read(self, line):
        if self._state == "after":
            if line:
                raise Malformed("a chunk is longer than it says")
            self._state = "size"
        elif self._state == "size":
            found = CHUNK_SIZE.fullmatch(line)
            if not found:
                raise Malformed("a chunk's size cannot be read")
            self._left = int(found.group(1), 16)
            self._state = "after" if self._left else "trailer"
        elif not line:
            self.done = True
        else:
            self._trailers += len(line)
            if self._trailers > MOST_TRAILERS or CONTROL.search(line):
                raise Malformed("the trailers cannot be read")

    def ends(self):
        return self.done
