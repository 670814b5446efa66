"""One of the connections that tell the edge that this connector is there."""

import asyncio
import json

from . import edge, log
from .arguments import go_os_arch
from .version import VERSION

SILENCE = 15


class RegisterError(Exception):
    """The edge does not want this connection."""


class Control:
    def __init__(self, connector, index):
        self.connector = connector
        self.index = index
        self.address = None
        self.writer = None
        self.is_registered = False
        self.unregistered = asyncio.Event()

    def fields(self):
        return {"connIndex": self.index, "event": 0, "ip": self.address[0] if self.address else ""}

    async def serve(self, address, protocol):
        """Registers, then follows the edge until the connection ends. Raises DialError, RegisterError or OSError."""
        self.address = address
        if protocol == "quic":
            await edge.assert_udp(address)
        reader, self.writer = await edge.dial(address)
        try:
            await self._register(reader, protocol)
            await self._follow(reader)
        finally:
            self.is_registered = False
            self.writer.close()

    async def _register(self, reader, protocol):
        token = self.connector.token
        hello = {
            "type": "register",
            "account": token.account,
            "tunnel": token.tunnel,
            "secret": token.secret,
            "connector": self.connector.id,
            "index": self.index,
            "version": VERSION,
            "arch": go_os_arch(),
            "protocol": protocol,
        }
        self.send(hello)
        answer = await self._read(reader)
        if answer["type"] == "error":
            raise RegisterError(answer["error"])
        self.is_registered = True
        log.info(
            "Registered tunnel connection",
            connection=answer["connection"],
            location=answer["location"],
            protocol=protocol,
            **self.fields(),
        )
        self.connector.registered(self, answer)

    async def _follow(self, reader):
        while True:
            message = await self._read(reader)
            kind = message["type"]
            if kind == "ping":
                self.send({"type": "pong"})
            elif kind == "open":
                self.connector.open(self.address, message["ticket"])
            elif kind == "config":
                self.connector.configure(message["version"], message["config"], self)
            elif kind == "unregistered":
                self.unregistered.set()
                log.info("Unregistered tunnel connection", **self.fields())

    async def _read(self, reader):
        try:
            line = await asyncio.wait_for(reader.readline(), SILENCE)
        except asyncio.TimeoutError:
            raise ConnectionError("the edge has been silent for %d seconds" % SILENCE)
        if not line.endswith(b"\n"):
            raise ConnectionError("connection with edge closed")
        return json.loads(line)

    def send(self, message):
        self.writer.write(json.dumps(message).encode() + b"\n")
