"""Connections that are kept for the next request."""
import time
from wire import Wire


class Pool:
    """`connect(make)` opens a wire. Idle ones are used again for `idle` seconds, the youngest first."""

    def __init__(self, connect, house, idle=20, most_idle=8):
        self.connect, self.house, self.idle_seconds, self.most_idle = connect, house, idle, most_idle
        self.idle = []
        self.open = 0

    async def take(self, fresh=False):
        """(wire, used before)"""
        while self.idle and not fresh:
            wire, since = self.idle.pop()
            wire.woken = None
            if wire.lost or wire.eof or wire.buffer:
                wire.abort("closed while idle")
            elif time.monotonic() - since > self.idle_seconds:
                wire.close()
            else:
                wire.deadline = None
                return wire, True
        wire = await self.connect(lambda: Wire(closed=self._closed))
        self.open += 1
        self.house.others.add(wire)
        return wire, False

    def give(self, wire):
        """Takes a wire back whose answer was read to the end."""
        wire.rest()
        if wire.lost or wire.eof or wire.buffer or len(self.idle) >= self.most_idle:
            wire.abort("not needed any more")
            return
        wire.patience = None
        wire.deadline = time.monotonic() + self.idle_seconds
        wire.woken = self._woken
        self.idle.append((wire, time.monotonic()))

    def clear(self, reason):
        """Nothing that is idle now is used again; what is under way ends where it is."""
        idle, self.idle = self.idle, []
        for wire, _ in idle:
            wire.abort(reason)

    def _woken(self, wire):
        # An idle connection has nothing to say: it ended, or it is out of step.
        self.idle = [entry for entry in self.idle if entry[0] is not wire]
        wire.woken = None
        wire.abort("closed while idle")

    def _closed(self, wire):
        self.open -= 1
        self.house.leave(wire)
        self.idle = [entry for entry in self.idle if entry[0] is not wire]
