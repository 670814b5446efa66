"""Which path to a peer is taken. Pure: told what happened and when, it says what changes."""


class Path:
    """What is known about one way to one peer. Times are seconds of a steady clock."""

    def __init__(self, key):
        self.key = key
        # None: nobody has tried it yet.
        self.up = None
        self.misses = self.goods = 0
        self.last_good = self.last_miss = None
        self.reason = "not tried"
        self.milliseconds = None


class Choice:
    """Paths in order of preference. One with `misses` failures in a row is left; one that was left is up again
    after `returns` good ones, and preferred again once nothing has failed on it for `settle` seconds."""

    def __init__(self, keys, misses=2, returns=3, settle=60, gap=0):
        self.tune(misses, returns, settle, gap)
        self.paths = [Path(key) for key in keys]
        self.active = self.paths[0] if self.paths else None

    def tune(self, misses, returns, settle, gap):
        """Misses within `gap` seconds of another count as one: many requests see the same hiccup."""
        self.misses, self.returns, self.settle, self.gap = misses, returns, settle, gap

    def forget(self, key):
        """A path that leads somewhere else now has no record."""
        self.paths = [path for path in self.paths if path.key != key]

    def arrange(self, keys):
        """New settings: what is known about a path that stays is kept."""
        known = {path.key: path for path in self.paths}
        self.paths = [known.get(key) or Path(key) for key in keys]
        if self.active not in self.paths:
            self.active = self.paths[0] if self.paths else None

    def find(self, key):
        return next((path for path in self.paths if path.key == key), None)

    def good(self, key, now, milliseconds=None):
        """@returns list of (what, path, reason): `up`, `active`"""
        path = self.find(key)
        if path is None:
            return []
        path.misses = 0
        path.goods += 1
        path.last_good = now
        if milliseconds is not None:
            before = path.milliseconds
            path.milliseconds = milliseconds if before is None else before + (milliseconds - before) / 4
        changes = []
        # The first sign of life counts at once where nothing else lives.
        alone = not any(other.up is not False for other in self.paths if other is not path)
        if path.up is not True and (path.up is None or path.goods >= self.returns or alone):
            changes = [("up", path, path.reason)] if path.up is False else []
            path.up, path.reason = True, ""
        return changes + self._choose(now)

    def miss(self, key, now, reason):
        """@returns list of (what, path, reason): `down`, `active`"""
        path = self.find(key)
        if path is None:
            return []
        path.goods = 0
        if path.misses == 0 or now - path.last_miss >= self.gap:
            path.misses += 1
            path.last_miss = now
        changes = []
        if path.up is not False:
            path.reason = reason
            if path.misses >= self.misses:
                path.up = False
                changes = [("down", path, reason)]
        else:
            path.reason = reason
        return changes + self._choose(now)

    def order(self):
        """Paths to try for a request: the active one, others that may work, then those that are down."""
        rest = [path for path in self.paths if path is not self.active]
        return ([self.active] if self.active else []) + sorted(rest, key=lambda path: path.up is False)

    def reachable(self):
        return any(path.up is not False for path in self.paths)

    def spare(self):
        """How many paths, the active one among them, are known to work."""
        return sum(path.up is True for path in self.paths)

    def _choose(self, now):
        before = self.active
        better = self._best(now)
        if better is None or better is before:
            return []
        self.active = better
        if before.up is False:
            why = "%s is down: %s" % (before.key, before.reason)
        else:
            why = "%s %s" % (better.key, "works" if better.last_miss is None else "is back")
        return [("active", better, why)]

    def _best(self, now):
        active = self.active
        if active is None:
            return None
        if active.up is False:
            living = [path for path in self.paths if path.up is True]
            untried = [path for path in self.paths if path.up is None]
            # A path that only might work is better than one that does not.
            return next(iter(living or untried), active)
        for path in self.paths:
            if path is active:
                return active
            if path.up is True and active.up is True and self._settled(path, now):
                return path
        return active

    def _settled(self, path, now):
        return path.last_miss is None or (path.goods >= self.returns and now - path.last_miss >= self.settle)
