"""
Milliseconds since 1970 that go on evenly, whatever happens to the machine's clock. One that is set back would let in
again what was signed before; refusing that by the time would keep everybody out for as long as it was set back.
"""
import time
from events import write_whole

# Seconds between two marks, which tell the next process how far this one got.
EVERY = 30.0
# Beyond what a signature has room for: nobody's clock.
END = 10 ** 15
# On Linux the time in which the machine sleeps counts too.
STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """Starts at the machine's time, or behind what the process before may have let in. `path` is the mark's file."""

    def __init__(self, path=None):
        self.path = path
        machine, mark = int(time.time() * 1000), self._mark()
        self._start = machine if mark is None or mark <= machine else mark + int(EVERY * 1000)
        self._began = time.clock_gettime(STEADY)
        self._due = 0.0

    def now(self):
        return self._start + int((time.clock_gettime(STEADY) - self._began) * 1000)

    def save(self, is_last=False):
        """Never raises: without a mark the next process goes by the machine's clock."""
        now = time.monotonic()
        if self.path is None or now < self._due and not is_last:
            return
        self._due = now + EVERY
        try:
            write_whole(self.path, b"%d\n" % self.now())
        except OSError:
            pass

    def _mark(self):
        try:
            with open(self.path, "rb") as stream:
                mark = int(stream.read(64))
        except (OSError, TypeError, ValueError):
            return None
        return mark if 0 < mark < END else None
