"""The cluster token that this host's own daemon asks for: whoever is let in here gets it, whatever the sender's is."""
import json, os, re

# What the daemon of another host asks for is nobody's business here.
HEADERS = {b"authorization", b"x-ringrift-auth"}
VARIABLE = "RINGRIFT_CLUSTER_AUTH_TOKEN_FILE"
TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
LARGEST = 1 << 20
MOST = 8


class Badge:
    """`named` is the token of the release that `current` leads to; None: it asks for none."""

    def __init__(self):
        self.release = self.prefix = None
        self.named = None
        # What the daemon took last: it may still be the one from before, that is about to be stopped.
        self.taken = None
        self.problem = "nobody has looked yet"
        self._seen = None

    def point(self, release, prefix):
        if (release, prefix) != (self.release, self.prefix):
            self.release, self.prefix, self._seen = release, prefix, None
        self.look()

    def look(self):
        """Reads what changed: a release is switched by its link, and a token's file never changes."""
        if self.release is None:
            self.named = self.taken = self.problem = None
            return
        named, self.problem = None, None
        try:
            # Before the first release there is no daemon that could ask for anything.
            text = _read(self.release) if os.path.exists(self.release) else "{}"
            path = (json.loads(text).get("launch") or {}).get("environment", {}).get(VARIABLE)
            if path:
                named = _token(path)
        except (OSError, ValueError, AttributeError) as error:
            self.problem = "the daemon's token: %s" % error
        # The link is made anew with each switch, also with one back to what was there before.
        seen = (stamp(os.path.dirname(self.release)), named)
        if seen != self._seen:
            self._seen, self.named, self.taken = seen, named, named

    def others(self, tried):
        """Tokens on this host that may be the daemon's after all, in the order in which they are worth trying."""
        self.look()
        found = [self.taken, self.named]
        folder, start = os.path.split(self.prefix or "")
        try:
            names = sorted(name for name in os.listdir(folder) if name.startswith(start)) if start else []
        except OSError:
            names = []
        for name in names[:MOST]:
            try:
                found.append(_token(os.path.join(folder, name)))
            except (OSError, ValueError):
                continue
        return [token for token in dict.fromkeys(found) if token is not None and token not in tried]

    def lines(self, token):
        return [] if token is None else [b"Authorization: Bearer " + token.encode()]


def stamp(link):
    try:
        info = os.lstat(link)
        return info.st_ino, info.st_mtime_ns
    except OSError:
        return None


def _read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read(LARGEST)


def _token(path):
    token = _read(path).strip()
    if not TOKEN.fullmatch(token):
        raise ValueError("%s cannot be a header" % path)
    return token
