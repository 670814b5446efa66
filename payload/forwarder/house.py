"""All open connections: how many there may be, and how long one may do nothing."""
import time


# Seconds between two sweeps beyond which this process was kept from running: what has come meanwhile is read first.
LATE = 3.0
# For files, the names of hosts, and what a moment takes.
RESERVE = 64


def room(descriptors, listeners):
    """How many connections of each of two kinds may be accepted where each leads on to another one."""
    return max(8, (descriptors - listeners - RESERVE) // 4)


class House:
    """
    Counts the accepted wires of one kind. Beyond `most` the one that has waited longest for a head goes: a stranger's
    before a known one's, whose next request may be on its way and may be none that can be sent twice.
    """

    def __init__(self, most):
        self.most = most
        self.accepted = {}
        self.others = set()
        self.evicted = self.refused = 0
        self._swept, self._skipped = time.monotonic(), False

    def enter(self, wire):
        """False where there is no room: everybody is being served."""
        if len(self.accepted) >= self.most and not self._evict():
            self.refused += 1
            return False
        self.accepted[wire] = True
        return True

    def busy(self, wire, is_busy):
        """A wire between two requests may be given up for a newcomer; it goes to the end of that queue."""
        if wire in self.accepted:
            del self.accepted[wire]
            self.accepted[wire] = not is_busy

    def leave(self, wire):
        self.accepted.pop(wire, None)
        self.others.discard(wire)

    def _evict(self):
        idle = [wire for wire, is_idle in self.accepted.items() if is_idle]
        wire = next((wire for wire in idle if not wire.known), idle[0] if idle else None)
        if wire is None:
            return False
        self.evicted += 1
        del self.accepted[wire]
        wire.abort("given up for a newcomer")
        return True

    def sweep(self):
        """Drops what is beyond its time. To be called every second."""
        now, before = time.monotonic(), self._swept
        self._swept, self._skipped = now, now - before > LATE and not self._skipped
        if self._skipped:
            return
        for wire in [*self.accepted, *self.others]:
            if wire.deadline is not None and now > wire.deadline:
                wire.abort("out of time")
            elif wire.patience is not None and now - wire.used > wire.patience:
                wire.abort("nothing moved for %g s" % wire.patience)
