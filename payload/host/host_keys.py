"""
SSH host keys of a container, kept on its persistent volume (D7): the disk may be another one after the next start,
and a host that shows a new key is refused. A script beside them puts them back; the container's start script calls
it, and so may whatever else the provider runs at the start. Machines with an init of their own keep their disk.
"""
import os
import files, inspection
from paths import MARK, START_SCRIPTS

# Where providers mount what outlives the disk: Vast.ai and RunPod, RunPod serverless.
VOLUMES = ["/workspace", "/runpod-volume"]
FOLDER = ".ringrift-p2p"
SSH = "/etc/ssh"
OPEN, CLOSE = "# >>> ringrift-p2p host keys >>>", "# <<< ringrift-p2p host keys <<<"
RESTORE = "\n".join([
    "#!/bin/sh",
    "# %s: puts the SSH host keys back that this container had on an earlier disk." % MARK,
    'changed=""',
    'for key in "${0%/*}"/ssh/ssh_host_*_key "${0%/*}"/ssh/ssh_host_*_key.pub; do',
    '  [ -f "$key" ] || continue',
    '  mine="/etc/ssh/${key##*/}"',
    '  [ ! -f "$mine" ] || [ "$(cat "$mine")" != "$(cat "$key")" ] || continue',
    '  cp -p "$key" "$mine.p2p-new" && mv "$mine.p2p-new" "$mine" && changed=1',
    "done",
    "# sshd reads them at its start; after SIGHUP it starts anew, and sessions stay.",
    '[ -z "$changed" ] || [ ! -s /run/sshd.pid ] || kill -HUP "$(cat /run/sshd.pid)"',
    "",
])


def volume():
    """
    The container's volume: a mount of its own at one of the usual places. None: there is none, or this is a machine,
    which has an init of its own. (What marks a container differs from runtime to runtime, and may be missing.)
    """
    if inspection.init() not in ("none", "supervisord"):
        return None
    fields = [line.split() for line in files.text_of("/proc/self/mountinfo").splitlines()]
    mounts = [field[4] for field in fields if len(field) > 4]
    return next((place for place in VOLUMES if place in mounts), None)


def keys(where):
    """{file name: content} of host keys."""
    try:
        names = [name for name in os.listdir(where) if name.startswith("ssh_host_") and name.endswith(("_key", "_key.pub"))]
    except OSError:
        return {}
    return {name: files.read("%s/%s" % (where, name)) for name in sorted(names)}


def block(folder):
    return "\n".join([OPEN, "[ -x %s/start ] && %s/start || true" % (folder, folder), CLOSE, ""])


def without_block(text):
    head, found, rest = text.partition(OPEN + "\n")
    return head + rest.partition(CLOSE + "\n")[2] if found and CLOSE + "\n" in rest else text


def with_block(text, folder):
    """Behind the first line, before anything that takes its time: sshd may be waiting to be asked."""
    text = without_block(text)
    if not text.startswith("#!"):
        return block(folder) + text
    first, _, rest = text.partition("\n")
    return first + "\n" + block(folder) + rest


def rewrite(script, text):
    have = files.look(script)
    files.write(script, text.encode(), int(have["mode"], 8), have["owner"])


def fault(node, folder):
    """Why the keys would not come back; None when they would, or when they are another node's to keep."""
    owner = files.text_of(folder + "/node").strip()
    if owner not in ("", node):
        return None
    if keys(folder + "/ssh") != keys(SSH):
        return "not kept" if not keys(folder + "/ssh") else "another set is kept"
    modes = {path: (files.look(path) or {}).get("mode") for path in [folder + "/ssh/" + name for name in keys(SSH)]}
    if any(mode != ("0644" if path.endswith(".pub") else "0600") for path, mode in modes.items()):
        return "kept with other modes"
    if files.text_of(folder + "/start") != RESTORE or not os.access(folder + "/start", os.X_OK):
        return "nothing puts them back"
    scripts = [script for script in START_SCRIPTS if os.path.exists(script)]
    return None if all(block(folder) in files.text_of(script) for script in scripts) else "the start script does not ask for them"


def fact(node):
    """None where there is nothing to keep, or nobody may look."""
    place = volume() if os.geteuid() == 0 else None
    if place is None or not keys(SSH):
        return None
    folder = "%s/%s" % (place, FOLDER)
    return {"folder": folder, "fault": fault(node, folder)}


def keep(node):
    """(before, after), or None when they are kept."""
    now = fact(node)
    if now is None or now["fault"] is None:
        return None
    folder = now["folder"]
    for path in (folder, folder + "/ssh"):
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chmod(path, 0o700)
    files.write(folder + "/node", (node + "\n").encode())
    mine = keys(SSH)
    for name in set(keys(folder + "/ssh")) - set(mine):
        os.unlink("%s/ssh/%s" % (folder, name))
    for name, data in mine.items():
        files.write("%s/ssh/%s" % (folder, name), data, 0o644 if name.endswith(".pub") else 0o600)
    files.write(folder + "/start", RESTORE.encode(), 0o755)
    for script in START_SCRIPTS:
        text = files.text_of(script)
        if os.path.exists(script) and block(folder) not in text:
            rewrite(script, with_block(text, folder))
    return now["fault"], "kept in " + folder


def traces():
    """What leaving has to remove."""
    found = ["%s/%s" % (place, FOLDER) for place in VOLUMES]
    return [path for path in found if os.path.isdir(path)] + [path for path in START_SCRIPTS if OPEN in files.text_of(path)]


def forget(node):
    """Removes what keep() made; what another node keeps on a shared volume stays."""
    gone = None
    for path in traces():
        if path in START_SCRIPTS:
            rewrite(path, without_block(files.text_of(path)))
        elif files.text_of(path + "/node").strip() in ("", node):
            for name in ("ssh", "start", "node"):
                files.remove_tree("%s/%s" % (path, name))
            # What else of ours is on the volume is for its own part to remove.
            if not os.listdir(path):
                os.rmdir(path)
        else:
            continue
        gone = "present", "absent"
    return gone
