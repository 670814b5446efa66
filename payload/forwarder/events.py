"""The last thousand things that happened, in memory and in a file that is replaced as a whole."""
import collections, json, os, time

MOST = 1000
LONGEST = 400


class Events:
    """`save` never raises: what could not be written is written the next time."""

    def __init__(self, path=None, say=print):
        self.path, self.say = path, say
        self.list = collections.deque(maxlen=MOST)
        self.problem = None
        self._dirty = False
        self._load()

    def add(self, what, **fields):
        event = {"at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + "Z", "what": what}
        event.update((name, str(value)[:LONGEST]) for name, value in fields.items())
        self.list.append(event)
        self._dirty = True
        self.say(" ".join([what, *("%s=%s" % (name, value) for name, value in fields.items())]))

    def save(self):
        if not self._dirty or self.path is None:
            return
        try:
            write_whole(self.path, "".join(json.dumps(event) + "\n" for event in self.list).encode())
            self._dirty, self.problem = False, None
        except OSError as error:
            if self.problem is None:
                self.say("events cannot be written: %s" % error)
            self.problem = str(error)

    def _load(self):
        try:
            with open(self.path or os.devnull, "rb") as stream:
                lines = stream.read(MOST * 4096).decode("utf-8", "replace").splitlines()
        except OSError:
            return
        for line in lines[-MOST:]:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("what"), str):
                self.list.append(event)


def write_whole(path, data, mode=0o644):
    """Readers see the old or the new content, also on a full disk. @raises OSError"""
    aside = path + ".new"
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
        os.replace(aside, path)
    except BaseException:
        try:
            os.unlink(aside)
        except OSError:
            pass
        raise
