"""All open connections: how many there may be, and how long one may do nothing."""
import time


class House:
    """Counts the accepted wires of one kind. Beyond `most` the one that has waited longest for a head goes."""

    def __init__(self, most):
        self.most = most
        self.accepted = {}
        self.others = set()
        self.evicted = self.refused = 0

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
        for wire, is_idle in self.accepted.items():
            if is_idle:
                self.evicted += 1
                del self.accepted[wire]
                wire.abort("given up for a newcomer")
                return True
        return False

    def sweep(self):
        """Drops what is beyond its time."""
        now = time.monotonic()
        for wire in [*self.accepted, *self.others]:
            if wire.deadline is not None and now > wire.deadline:
                wire.abort("out of time")
            elif wire.patience is not None and now - wire.used > wire.patience:
                wire.abort("nothing moved for %g s" % wire.patience)
