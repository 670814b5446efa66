"""Nothing of ours stays; what was there before us comes back; data and foreign files are left alone."""
import os
import competitors, deadman, files, firewall, host_keys, packages, services, state, support, tailnet
from paths import BASE, LOG_DIR


def absent(run):
    run.step("timers", deadman.disarm_all)
    # Connectors first, and last what may be the way by which the controller came.
    support.remove_all(run, only=lambda spec: not spec.get("cutsOff"))
    # While its tailscaled still runs.
    run.step("tailnet", tailnet.leave, True)
    run.step("ssh host keys", host_keys.forget, run.node)
    for service in services.here():
        run.step(service.manager, service.remove)
    run.step("firewall", firewall.remove)
    support.remove_all(run)
    run.step("tailnet state", tailnet.clean)
    for path in state.load()["originals"]:
        run.step(path, files.put_back, path)
    run.step("old managers", competitors.give_back)
    run.step("packages", packages.remove_ours)
    dirs = state.load()["dirs"]
    run.step("directories", remove_dirs, dirs)
    # What could not be undone must not lose its record.
    if run.error is None:
        run.step(LOG_DIR, files.remove_tree, LOG_DIR)
        run.step(BASE, files.remove_tree, BASE)
        remove_dirs(dirs)
    run.outcome = "absent" if run.error is None else "failed"


def remove_dirs(dirs):
    """Directories that we made, as far as they are empty."""
    gone = []
    for path in reversed(dirs):
        try:
            os.rmdir(path)
            gone.append(path)
        except OSError:
            continue
    return ("%d of ours" % len(gone), "removed") if gone else None
