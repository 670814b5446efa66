"""Files that are read again when they change. What cannot be used is said once, and what was read before stays."""
import os


class Watch:
    """`refusals` says of each kind of file why it cannot be used now."""

    def __init__(self, events):
        self.events = events
        self.refusals = {}
        self._seen = {}

    def read(self, what, path, take):
        """Hands the path to `take` where the file is another one than the last time."""
        now = (path, stamp(path))
        if now == self._seen.get(what):
            return
        self._seen[what] = now
        try:
            take(path)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError):
                # Such as too many open files: the next look may succeed.
                self._seen.pop(what)
            if self.refusals.get(what) != str(error):
                self.refusals[what] = str(error)
                self.events.add("%s refused" % what, reason=str(error))
            return
        self.refusals.pop(what, None)
        self.events.add(what, reason="read")

    def forget(self, what):
        """True where there was such a file."""
        self.refusals.pop(what, None)
        return self._seen.pop(what, None) is not None


def stamp(path):
    """Changes when the file does."""
    try:
        info = os.stat(path)
        return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino
    except OSError as error:
        return str(error.errno)
