"""A timer that undoes a change unless the controller comes back: before anything that may cut it off."""
import json, os, signal, subprocess, sys
import files, inspection
from inspection import quiet_read
from journal import Failed
from paths import STATE
from shell import environment, must, run

FOLDER = STATE + "/deadman"
WAIT = "import subprocess,sys,time;time.sleep(float(sys.argv[1]));subprocess.call(['/bin/sh',sys.argv[2]])"


def unit(name):
    return "ringrift-p2p-deadman-%s" % name


def arm(name, undo, seconds):
    """`undo` is sh text. Armed again it starts anew. Nothing of the SSH session keeps or ends it."""
    try:
        disarm(name)
    except Failed:
        # What fired before is over; this is a new one.
        pass
    files.make_dirs(FOLDER)
    script = "%s/%s.sh" % (FOLDER, name)
    # The mark comes first: whoever disarms while it runs must learn that it is too late.
    files.write(script, ("#!/bin/sh\n: > %s/%s.fired\n%s\n" % (FOLDER, name, undo)).encode(), 0o700)
    if inspection.init() == "systemd":
        must(["systemd-run", "--quiet", "--collect", "--unit=" + unit(name), "--on-active=%d" % seconds, "--timer-property=AccuracySec=1s", "/bin/sh", script])
        return "off", "undoes %s in %d s" % (name, seconds)
    child = subprocess.Popen(
        [sys.executable, "-IBc", WAIT, str(seconds), script], start_new_session=True, cwd="/", env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    files.write("%s/%s.json" % (FOLDER, name), json.dumps([child.pid, born(child.pid)]).encode(), 0o600)
    return "off", "undoes %s in %d s" % (name, seconds)


def born(pid):
    """When it began, in ticks of a clock that nobody sets; None when it is gone, or dead and not yet reaped."""
    fields = (quiet_read("/proc/%d/stat" % pid) or b"").decode("utf-8", "replace").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] != "Z" else None


def disarm(name):
    """None when it was not armed. Raises Failed when it had already fired, or was lost in a restart."""
    script = "%s/%s.sh" % (FOLDER, name)
    if not os.path.exists(script):
        return None
    if inspection.init() == "systemd":
        waiting = run(["systemctl", "is-active", unit(name) + ".timer"], quiet=True)[0] == 0
        run(["systemctl", "stop", unit(name) + ".timer"])
    else:
        try:
            pid, began = json.loads(files.text_of("%s/%s.json" % (FOLDER, name)))
        except ValueError:
            pid, began = 0, None
        waiting = bool(pid) and began is not None and born(pid) == began
        if waiting:
            os.killpg(pid, signal.SIGKILL)
    fired = os.path.exists("%s/%s.fired" % (FOLDER, name))
    for end in ("sh", "json", "fired"):
        files.remove_tree("%s/%s.%s" % (FOLDER, name, end))
    if fired:
        raise Failed("%s had already been undone" % name)
    if not waiting:
        raise Failed("%s: the timer is gone and did not fire: the host was started anew" % name)
    return "armed", "off"


def armed():
    """Names of the timers that wait or have fired, and were not yet taken note of."""
    return sorted(name[:-3] for name in os.listdir(FOLDER) if name.endswith(".sh")) if os.path.isdir(FOLDER) else []


def disarm_all():
    """For leaving."""
    names = armed()
    for name in names:
        try:
            disarm(name)
        except Failed:
            continue
    return ("armed", "off") if names else None
