"""Files: written aside and renamed; what was there before us is kept for the day we leave."""
import hashlib, os, pwd, shutil, stat
import state
from journal import Failed
from paths import BASE, LOG_DIR, MARK, STATE
from shell import account


def sha(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    """Content, or None when there is no such file."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def text_of(path):
    return (read(path) or b"").decode("utf-8", "replace")


def write(path, data, mode=0o644, owner="root"):
    """Atomic: readers see the old or the new content."""
    aside = "%s.p2p-new" % path
    entry = account(owner)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL if not os.path.lexists(aside) else os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            os.fchown(stream.fileno(), entry.pw_uid, entry.pw_gid)
            os.fchmod(stream.fileno(), mode)
        os.replace(aside, path)
    except BaseException:
        if os.path.lexists(aside):
            os.unlink(aside)
        raise


def owner_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def look(path, wanted=None):
    """What a file is; with its text where the digest is not the wanted one. None: there is none."""
    try:
        info = os.lstat(path)
    except OSError:
        return None
    kinds = {stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFDIR: "directory"}
    fact = {"kind": kinds.get(stat.S_IFMT(info.st_mode), "other"), "digest": None}
    fact.update(mode="%04o" % stat.S_IMODE(info.st_mode), owner=owner_name(info.st_uid))
    if fact["kind"] == "file":
        try:
            data = read(path) or b""
        except OSError:
            return fact
        fact["digest"] = sha(data)
        if wanted and wanted != fact["digest"]:
            fact["text"] = data[:4096].decode("utf-8", "replace")
    return fact


def make_dirs(path, owner="root"):
    """Like mkdir -p; remembers which ones are ours."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for path in reversed(missing):
        if not path.startswith((BASE, LOG_DIR)):
            memory = state.load()
            memory["dirs"].append(path)
            state.save(memory)
        if not os.path.isdir(path):
            os.mkdir(path)
        entry = account(owner)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def remember(path):
    """Before the first change of a file that may be somebody else's: keep it aside."""
    memory = state.load()
    if path in memory["originals"]:
        return
    original = None
    if os.path.lexists(path):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Failed("%s is not a plain file" % path)
        if MARK not in text_of(path)[:300]:
            os.makedirs(STATE + "/originals", mode=0o700, exist_ok=True)
            original = "%s/originals/%s" % (STATE, sha(path.encode())[:16])
            shutil.copy2(path, original)
            info = os.lstat(path)
            os.chown(original, info.st_uid, info.st_gid)
    memory["originals"][path] = original
    state.save(memory)


def put(path, data, mode="0644", owner="root"):
    """Converges one managed file. None when it was in order, else (before, after)."""
    if isinstance(data, str):
        data = data.encode()
    have = look(path)
    if have and (have["digest"], have["mode"], have["owner"]) == (sha(data), mode, owner):
        return None
    make_dirs(os.path.dirname(path), owner)
    if not path.startswith(BASE):
        remember(path)
    write(path, data, int(mode, 8), owner)
    before = "%s %s %s" % ((have["digest"] or have["kind"])[:12], have["mode"], have["owner"]) if have else "absent"
    return before, "%s %s %s" % (sha(data)[:12], mode, owner)


def in_order(spec):
    have = look(spec["path"])
    return bool(have) and (have["digest"], have["mode"], have["owner"]) == (spec["digest"], spec["mode"], spec["owner"])


def put_spec(spec, data):
    if sha(data) != spec["digest"]:
        raise Failed("content and digest of %s do not agree" % spec["path"])
    return put(spec["path"], data, spec["mode"], spec["owner"])


def put_back(path):
    """Restores what was there before us, or removes what is ours."""
    memory = state.load()
    if path not in memory["originals"]:
        return None
    original = memory["originals"][path]
    if not os.path.isdir(os.path.dirname(path)):
        # Somebody has taken the whole directory away: what stood in it is not wanted any more.
        result = None
    elif original and os.path.exists(original):
        info = os.lstat(original)
        aside = path + ".p2p-new"
        shutil.copy2(original, aside)
        os.chown(aside, info.st_uid, info.st_gid)
        os.replace(aside, path)
        result = "ours", "the one from before"
    elif os.path.lexists(path):
        os.unlink(path)
        result = "present", "absent"
    else:
        result = None
    del memory["originals"][path]
    state.save(memory)
    return result


def remove_tree(path):
    if not os.path.lexists(path):
        return None
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
    return "present", "absent"
