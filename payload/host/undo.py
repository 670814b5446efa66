"""How a support service that may cut the controller off gets back to what it was: copies, and sh text for the timer."""
import os, shlex, shutil
import files
from paths import BIN, STATE, SUPPORT

# Longer than the controller goes on trying to get in again (components/disarm.ts).
SECONDS = 120


def place(name):
    return "%s/undo/%s" % (STATE, name)


def snapshot(name, service, spec):
    """Keeps what the service is made of now; returns the text that puts it back and starts it anew."""
    folder = place(name)
    shutil.rmtree(folder, ignore_errors=True)
    files.make_dirs(STATE + "/undo")
    os.mkdir(folder, 0o700)
    had = service.path and os.path.lexists(service.path)
    paths = ["%s/%s/%s" % (SUPPORT, name, part) for part in ("run", "service.json", "started.json")]
    paths += ([service.path] if service.path else []) + spec["files"] + sorted(spec["secrets"]) + ["%s/%s" % (BIN, tool) for tool in spec["tools"]]
    lines = [] if had else [service.stop_text()]
    for number, path in enumerate(paths):
        lines.append(keep(path, "%s/%d" % (folder, number)))
    lines.append(service.restart_text() if had else service.forget_text())
    return "\n".join(lines)


def keep(path, copy):
    quoted = shlex.quote(path)
    if os.path.islink(path):
        return "ln -sfn %s %s" % (shlex.quote(os.readlink(path)), quoted)
    if not os.path.isfile(path):
        return "rm -f %s" % quoted
    shutil.copy2(path, copy)
    info = os.stat(path)
    os.chown(copy, info.st_uid, info.st_gid)
    return "cp -p %s %s.p2p-new && mv -f %s.p2p-new %s" % (shlex.quote(copy), quoted, quoted, quoted)
