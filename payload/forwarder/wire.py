"""One TCP connection. Bodies go from wire to wire inside callbacks: no task wakes up for a chunk."""
import asyncio, sys, time

CHUNK = 128 << 10
HIGH, LOW = 64 << 10, 16 << 10
HEAD_LIMIT = 16 << 10
# Reading is synchronous, so one buffer serves every connection.
SCRATCH = memoryview(bytearray(CHUNK))
# What is kept is read in small pieces: a thousand strangers may do so at once.
SMALL_SCRATCH = SCRATCH[:HEAD_LIMIT]
# From 3.12 on a transport keeps what it could not send at once by reference.
KEEPS_REFERENCES = sys.version_info >= (3, 12)


class Gone(Exception):
    """The other side ended or vanished where it should not have."""


class Wire(asyncio.BufferedProtocol):
    """`opened` and `closed` are called with the wire; `woken` is called when an idle wire gets bytes or its end."""

    def __init__(self, opened=None, closed=None):
        self.opened, self.closed, self.woken = opened, closed, None
        self.transport = None
        self.buffer = bytearray()
        self.used = time.monotonic()
        # A wire is dropped at its deadline, or when nothing has moved on it for `patience` seconds.
        self.deadline, self.patience = None, None
        self.eof = self.lost = self.congested = self.full = False
        self.reason = "closed"
        # What is done for this wire alone, and ends when it vanishes.
        self.partner = None
        self.feeder = None
        # Has it brought a request that was let in; and what to do when the next one begins.
        self.known, self.started = False, None
        self._waiter = self._framing = self._sink = self._tee = self._done = None
        self._copies, self._encrypted = True, False

    # --- what asyncio calls -----------------------------------------------------------

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH, low=LOW)
        self._encrypted = transport.get_extra_info("sslcontext") is not None
        self._copies = KEEPS_REFERENCES or self._encrypted
        if self.opened:
            self.opened(self)

    def get_buffer(self, _hint):
        return SMALL_SCRATCH if self._framing is None else SCRATCH

    def buffer_updated(self, count):
        self.used = time.monotonic()
        if self._framing is not None:
            self._pump(SCRATCH[:count])
            return
        self.buffer += SCRATCH[:count]
        if self.started is not None:
            started, self.started = self.started, None
            started()
        if self._waiter is not None:
            self._wake()
        elif self.woken:
            self.woken(self)
        elif len(self.buffer) >= HEAD_LIMIT:
            self.full = True
            self.transport.pause_reading()

    def eof_received(self):
        self.eof = True
        self._ended()
        # A client that has sent all it wants to send still waits for its answer; TLS ends both ways at once.
        return not self._encrypted

    def connection_lost(self, error):
        self.lost = True
        if error is not None:
            self.reason = str(error) or type(error).__name__
        self._ended()
        if self.partner is not None:
            self.partner.abort("the other side left")
        if self.feeder is not None:
            self.feeder._flow()
        if self.closed:
            self.closed(self)

    def pause_writing(self):
        self.congested = True
        if self.feeder is not None:
            self.feeder._flow()

    def resume_writing(self):
        self.congested = False
        self.used = time.monotonic()
        if self.feeder is not None:
            self.feeder.used = self.used
            self.feeder._flow()

    # --- what we call -----------------------------------------------------------------

    def send(self, data):
        if not self.lost:
            self.used = time.monotonic()
            self.transport.write(bytes(data) if self._copies else data)

    async def head(self):
        """The next message's head with its empty line; None where the other side ended between two messages."""
        seen = 0
        while True:
            buffer = self.buffer
            while buffer[:2] == b"\r\n":
                del buffer[:2]
            end = buffer.find(b"\r\n\r\n", max(0, seen - 3))
            if 0 <= end <= HEAD_LIMIT - 4:
                head = bytes(buffer[: end + 4])
                del buffer[: end + 4]
                return head
            if len(buffer) >= HEAD_LIMIT:
                raise OverflowError("the head is larger than %d bytes" % HEAD_LIMIT)
            if self.eof or self.lost:
                if buffer:
                    raise Gone(self.reason)
                return None
            seen = len(buffer)
            await self._wait()

    def pump(self, framing, sink, tee=None):
        """Sends a body on as it comes. The future ends with it, or with Gone; sink None drops it."""
        done = self._done = asyncio.get_event_loop().create_future()
        self._framing, self._tee = framing, tee
        self.lead(sink)
        if self.buffer:
            data, self.buffer = self.buffer, bytearray()
            self._pump(memoryview(data))
        if self._framing is not None and (self.eof or self.lost):
            self._ended()
        self.full = False
        self._flow()
        return done

    def lead(self, sink):
        """Turns a running pump to another wire."""
        if self._sink is not None and self._sink.feeder is self:
            self._sink.feeder = None
        self._sink = sink
        if sink is not None:
            sink.feeder = self
        self._flow()

    def rest(self):
        """Ends all that belongs to one message."""
        if self._done is not None and not self._done.done():
            self._done.cancel()
        self.lead(None)
        self._framing = self._tee = self._done = None
        self.partner = None

    def close(self):
        """Sends what is left, then ends."""
        if not self.lost and self.transport is not None:
            self.deadline = time.monotonic() + 10
            self.transport.close()

    def linger(self):
        """Ends so that the other side, which may still be sending, can read the last answer."""
        self.rest()
        if self.lost:
            return
        if self.eof or not self.transport.can_write_eof():
            self.close()
            return
        try:
            self.transport.write_eof()
        except OSError as error:
            self.abort(str(error))
            return
        self.deadline = time.monotonic() + 2
        self.pump(Endless(), None).add_done_callback(lambda done: (done.cancelled() or done.exception(), self.close()))

    def abort(self, reason):
        if not self.lost:
            self.reason = reason
            if self.transport is not None:
                self.transport.abort()

    # --- inside -----------------------------------------------------------------------

    def _pump(self, data):
        try:
            count = self._framing.take(data)
        except ValueError as error:
            self._finish(error)
            return
        part = data if count == len(data) else data[:count]
        if count:
            if self._tee is not None:
                self._tee(part)
            if self._sink is not None:
                self._sink.send(part)
        if self._framing.done:
            if count < len(data):
                self.buffer += data[count:]
            self._finish(None)

    def _finish(self, error):
        done, self._framing, self._tee = self._done, None, None
        if self._sink is not None and self._sink.feeder is self:
            self._sink.feeder = None
        self._sink = None
        self._done = None
        if done is not None and not done.done():
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def _ended(self):
        if self._framing is not None:
            self._finish(None if self._framing.ends() else Gone(self.reason))
        self._wake()
        if self.woken:
            self.woken(self)

    def _flow(self):
        if self.transport is None or self.lost:
            return
        if (self._sink is not None and self._sink.congested and not self._sink.lost) or self.full:
            self.transport.pause_reading()
        elif not self.eof:
            self.transport.resume_reading()

    async def _wait(self):
        self._waiter = asyncio.get_event_loop().create_future()
        self.full = False
        self._flow()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self):
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Endless:
    """What comes until the end, whatever it is."""

    done = False

    def take(self, data):
        return len(data)

    def ends(self):
        return True
