"""HTTP/1.1 messages on asyncio streams, bodies in pieces as they come."""

import asyncio

PIECE = 64 * 1024
LONGEST_HEAD = 256 * 1024

NO_BODY_STATUS = (204, 304)


class BadMessage(Exception):
    pass


class Head:
    """First line and header fields, in their order."""

    def __init__(self, first, fields):
        self.first = first
        self.fields = fields

    def get(self, name, default=None):
        for field, value in self.fields:
            if field.lower() == name:
                return value
        return default

    def without(self, names):
        return [(field, value) for field, value in self.fields if field.lower() not in names]


async def read_head(reader):
    """A message's head; None where the stream ends before one begins."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as problem:
        if problem.partial:
            raise BadMessage("the message ends within its head")
        return None
    except asyncio.LimitOverrunError:
        raise BadMessage("the head is too long")
    lines = raw[:-4].decode("latin-1").split("\r\n")
    fields = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadMessage("not a header field: %r" % line[:80])
        fields.append((name, value.strip()))
    return Head(lines[0].split(" ", 2), fields)


def write_head(writer, first, fields):
    lines = [first] + ["%s: %s" % field for field in fields]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


async def _by_length(reader, length):
    while length > 0:
        piece = await reader.read(min(PIECE, length))
        if not piece:
            raise BadMessage("the body ends too soon")
        length -= len(piece)
        yield piece


async def _by_chunks(reader):
    while True:
        size = int((await reader.readline()).split(b";")[0].strip() or b"x", 16)
        if size == 0:
            while (await reader.readline()).strip():
                pass
            return
        async for piece in _by_length(reader, size):
            yield piece
        await reader.readexactly(2)


async def _until_end(reader):
    while True:
        piece = await reader.read(PIECE)
        if not piece:
            return
        yield piece


async def _nothing():
    return
    yield


class Body:
    """How a message's body ends, and its pieces. `length` is None for one of unknown length, 0 for none."""

    def __init__(self, reader, head, is_response=False, has_none=False):
        chunked = "chunked" in (head.get("transfer-encoding") or "").lower()
        length = head.get("content-length")
        self.ends_with_stream = False
        if has_none:
            self.length, self.pieces = 0, _nothing()
        elif chunked:
            self.length, self.pieces = None, _by_chunks(reader)
        elif length is not None:
            self.length = int(length)
            self.pieces = _by_length(reader, self.length)
        elif is_response:
            self.length, self.pieces, self.ends_with_stream = None, _until_end(reader), True
        else:
            self.length, self.pieces = 0, _nothing()


async def send_body(body, writer):
    """Writes the pieces on, chunked where the length is unknown; waits whenever the other end is slower."""
    async for piece in body.pieces:
        # What has come from there is read first: a write that fails closes both directions.
        await asyncio.sleep(0)
        if body.length is None:
            writer.write(b"%x\r\n" % len(piece))
            writer.write(piece)
            writer.write(b"\r\n")
        else:
            writer.write(piece)
        await writer.drain()
    if body.length is None:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
