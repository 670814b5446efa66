"""Serves one data connection: requests of the edge, one after the other, to the origin that the rules say."""

import asyncio

from . import log
from .http1 import BadMessage, Body, NO_BODY_STATUS, read_head, send_body, write_head
from .origin import Origins, Unreachable

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "te", "trailer"}
# Seconds that the last piece of a request may still be on its way after the answer.
PUMP_END = 0.05
UNREACHABLE = (
    "Unable to reach the origin service. "
    "The service may be down or it may not be responding to traffic from cloudflared"
)


class Proxy:
    def __init__(self, counters):
        self.rules = None
        self.counters = counters
        self.origins = Origins()

    async def serve(self, reader, writer):
        """Until the edge hangs up, or one end is in a state that nothing can follow."""
        while True:
            head = await read_head(reader)
            if head is None:
                return
            self.counters.begin()
            try:
                if not await self._request(head, reader, writer):
                    return
            finally:
                self.counters.end()

    async def _request(self, head, reader, writer):
        """Answers one request; True when the connection can take the next one."""
        method, target = head.first[0], head.first[1]
        body = Body(reader, head)
        host = head.get("host", "")
        rule, number = self.rules.find(host, target.split("?")[0]) if self.rules else (None, -1)
        if rule is None or rule.status is not None:
            return await self._say(writer, body, rule.status if rule else 503)
        upgrade = head.get("upgrade")
        connection = None
        try:
            connection, answer = await self._exchange(rule, head, body, upgrade)
        except (Unreachable, BadMessage, OSError, EOFError, ValueError) as problem:
            self.counters.failed()
            log.error("", error="%s: %s" % (UNREACHABLE, problem), ingressRule=number, originService=rule.service)
            return await self._say(writer, body, 502, is_ours=True)
        try:
            return await self._answer(rule, method, body, connection, answer, reader, writer)
        except BaseException:
            connection.close()
            raise

    async def _exchange(self, rule, head, body, upgrade):
        """Sends the request on; the connection and the head of its answer."""
        fresh = False
        while True:
            connection = await self.origins.get(rule, head.get("host", ""), fresh)
            connection.pump = None
            try:
                self._send_head(rule, head, body, upgrade, connection.writer)
                if body.length != 0:
                    connection.pump = asyncio.ensure_future(send_body(body, connection.writer))
                    connection.pump.add_done_callback(_seen)
                answer = await read_head(connection.reader)
                while answer is not None and answer.first[1].startswith("1") and answer.first[1] != "101":
                    answer = await read_head(connection.reader)
                if answer is not None:
                    return connection, answer
                problem = BadMessage("EOF")
            except (BadMessage, OSError) as error:
                problem = error
            connection.close()
            if connection.pump is not None:
                connection.pump.cancel()
            # An origin may close an idle connection just when it is used; nothing was lost without a body.
            if not connection.is_reused or body.length != 0:
                raise problem
            fresh = True

    def _send_head(self, rule, head, body, upgrade, writer):
        method, target, _ = head.first
        fields = head.without(HOP_BY_HOP | {"host"})
        host = rule.origin["httpHostHeader"] or head.get("host", "")
        fields.insert(0, ("Host", host))
        if upgrade:
            fields += [("Connection", "Upgrade"), ("Upgrade", upgrade)]
        else:
            fields.append(("Connection", "keep-alive"))
        if body.length is None:
            fields.append(("Transfer-Encoding", "chunked"))
        write_head(writer, "%s %s HTTP/1.1" % (method, target), fields)

    async def _answer(self, rule, method, body, connection, answer, reader, writer):
        status = int(answer.first[1])
        reason = answer.first[2] if len(answer.first) > 2 else ""
        if status == 101:
            fields = answer.without({"connection", "upgrade"})
            fields += [("Connection", "Upgrade"), ("Upgrade", answer.get("upgrade", ""))]
            write_head(writer, "HTTP/1.1 101 %s" % reason, fields)
            await _join(reader, writer, connection)
            return False
        has_none = method == "HEAD" or status in NO_BODY_STATUS
        said = Body(connection.reader, answer, is_response=True, has_none=has_none)
        fields = answer.without(HOP_BY_HOP)
        if said.length is None:
            fields.append(("Transfer-Encoding", "chunked"))
        write_head(writer, "HTTP/1.1 %d %s" % (status, reason), fields)
        await writer.drain()
        await send_body(said, writer)
        if connection.pump is not None:
            await asyncio.wait([connection.pump], timeout=PUMP_END)
        self._keep(rule, connection, answer, said)
        if connection.pump is None:
            return True
        if not connection.pump.done():
            # The origin answered without reading all of it: the rest would be taken for the next request.
            connection.pump.cancel()
            connection.close()
            return False
        return connection.pump.exception() is None

    def _keep(self, rule, connection, answer, said):
        tokens = (answer.get("connection") or "").lower()
        is_old = answer.first[0] == "HTTP/1.0" and "keep-alive" not in tokens
        is_busy = connection.pump is not None and not connection.pump.done()
        if said.ends_with_stream or "close" in tokens or is_old or is_busy:
            if not is_busy:
                connection.close()
        else:
            self.origins.put(rule, connection)

    async def _say(self, writer, body, status, is_ours=False):
        source = '{"src":"cloudflared"}' if is_ours else '{"src":"origin"}'
        fields = [("Content-Length", "0"), ("Cf-Cloudflared-Response-Meta", source)]
        write_head(writer, "HTTP/1.1 %d " % status, fields)
        await writer.drain()
        if body.length == 0:
            return True
        # What nobody will read is read away if it is little, else the connection is given up.
        if body.length is None or body.length > 65536:
            return False
        async for _ in body.pieces:
            pass
        return True


def _seen(task):
    if not task.cancelled():
        task.exception()


async def _join(reader, writer, connection):
    """Both directions, until either ends."""

    async def copy(source, target):
        while True:
            piece = await source.read(65536)
            if not piece:
                return
            target.write(piece)
            await target.drain()

    tasks = [
        asyncio.ensure_future(copy(reader, connection.writer)),
        asyncio.ensure_future(copy(connection.reader, writer)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            task.add_done_callback(_seen)
        connection.close()
