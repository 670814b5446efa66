"""What the agent has to remember on the host: what was there before us, above all."""
import fcntl, json, os, time
from journal import Failed
from paths import BASE, STATE

FILE = STATE + "/state.json"
EMPTY = {"originals": {}, "dirs": [], "packages": [], "secrets": {}, "placed": {}, "takeover": [], "tailnet": {}, "good": None, "lastRun": None}


def load():
    try:
        with open(FILE) as stream:
            return dict(json.loads(json.dumps(EMPTY)), **json.load(stream))
    except (OSError, ValueError):
        return json.loads(json.dumps(EMPTY))


def save(state):
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    aside = FILE + ".new"
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(state, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, FILE)


def update(**values):
    state = load()
    state.update(values)
    save(state)


def lock(seconds=120):
    """One run at a time on a host. The lock ends with the process, however that ends."""
    above = os.path.dirname(BASE)
    made = not os.path.isdir(above)
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    if made:
        update(dirs=[above])
    handle = os.open(STATE + "/lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(seconds * 5):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError:
            time.sleep(0.2)
    raise Failed("another run on this host has not ended within %d s" % seconds)
