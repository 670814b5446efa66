"""Old managers of the daemon: found, reported, and with takeover disabled so that leaving can restore them."""
import glob, os, re
import files, inspection, ports, services, state
from journal import say
from paths import PYTHON, SERVICE, START_SCRIPTS
from shell import must, run

OLD = re.compile(
    r"(?<![\w.-])(p2p_orchestrator(\.py)?|ensure_p2p_running\.sh|p2p_keepalive\.(sh|py)|p2p_supervisor\.(py|sh)|p2p_watchdog\.py|"
    r"node_resilience\.py|universal_keepalive\.py|vast_keepalive\.py|p2p_recovery_cron\.sh|vast_orchestrator_cron\.sh|"
    r"cluster_watchdog\.py|cluster_supervisor\.py|start_p2p_\w+\.(sh|py)|start_coordinator\.sh|launch_local_p2p\.py|"
    r"ringrift-p2p-start(\.sh)?|unified_node_health\.py|cluster_join\.sh)(?![\w-])"
)
UNITS = re.compile(r"^(ringrift-(p2p|p2p-orchestrator|p2p-universal|supervisor|keepalive|keepalive-vast|resilience)|unified-node-health)\.(service|timer)$")
TAKEN = "# p2p-fleet took over: "
UNIT_DIRS = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"]
CRONTABS = ["/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/crontabs/*", "/var/spool/cron/*"]
STARTERS = ["/etc/rc.local", "/root/.bashrc", "/root/.profile", "/root/.bash_profile", "/home/*/.bashrc", "/home/*/.profile", "/home/*/.bash_profile"] + START_SCRIPTS


def units():
    """Units that are enabled or active."""
    if inspection.init() != "systemd":
        return []
    names = set()
    for folder in UNIT_DIRS:
        for path in glob.glob(folder + "/*.service") + glob.glob(folder + "/*.timer"):
            name = os.path.basename(path)
            if "@." in name:
                continue
            if name != SERVICE + ".service" and (UNITS.match(name) or folder.startswith(("/etc", "/usr/local")) and OLD.search(files.text_of(path))):
                names.add(name)
    if not names:
        return []
    code, output = run(["systemctl", "show", "-p", "Id,ActiveState,UnitFileState"] + sorted(names), quiet=True, timeout=15)
    found = []
    for block in output.strip().split("\n\n"):
        now = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name = now.get("Id")
        active, enabled = now.get("ActiveState") in ("active", "activating"), now.get("UnitFileState") == "enabled"
        if active or enabled:
            found.append({"kind": "unit", "id": name, "detail": "%s, %s" % (now["ActiveState"], now["UnitFileState"])})
    return found


def lines(kind, patterns):
    """Lines of crontabs and start scripts that start the daemon or a watcher of it."""
    found = []
    for path in sorted({path for pattern in patterns for path in glob.glob(pattern) if os.path.isfile(path)}):
        for number, line in enumerate(files.text_of(path).splitlines(), 1):
            if not line.lstrip().startswith("#") and OLD.search(line):
                # The whole line may hold tokens: what it starts is enough.
                found.append({"kind": kind, "id": "%s:%d" % (path, number), "detail": "starts " + OLD.search(line).group(1)})
    return found


def programs():
    service = services.Supervisord()
    folder = service.path and os.path.dirname(service.path)
    found = []
    for path in sorted(glob.glob(folder + "/*")) if folder else []:
        if path != service.path and os.path.isfile(path) and path.endswith(os.path.splitext(service.path)[1]):
            match = OLD.search(re.sub(r"(?m)^\s*[;#].*$", "", files.text_of(path)))
            if match:
                found.append({"kind": "program", "id": path, "detail": "starts " + match.group(1)})
    return found


def runs_old(argv):
    """An element of the command line is one of the scripts; text that only mentions one is not."""
    return any(OLD.fullmatch(os.path.basename(word)) for word in argv[:4])


def lone_processes(units_found):
    """Daemons and watchers that no unit of the list and no service of ours answers for."""
    ours, found = services.here(), []
    listed = {unit["id"] for unit in units_found}
    for pid, argv in inspection.processes():
        if pid == os.getpid() or argv[0] == PYTHON or not runs_old(argv):
            continue
        unit = ports.unit_of(pid)
        if unit in listed or any(service.owns(pid) for service in ours):
            continue
        parent = inspection.stat_of(pid)[0]
        above = os.path.basename((inspection.quiet_read("/proc/%d/comm" % (parent or 0)) or b"?").decode().strip())
        found.append({"kind": "process", "id": str(pid), "detail": "%s, started by %s" % (ports.name_of(pid), above)})
    return found


def find():
    by_unit = units()
    return by_unit + lines("cron", CRONTABS) + lines("starter", STARTERS) + programs() + lone_processes(by_unit)


def edit_line(path, change):
    """Rewrites a file of somebody else's line by line, keeping its mode and owner."""
    have = files.look(path)
    if have:
        text = "".join(change(line) for line in files.text_of(path).splitlines(keepends=True))
        files.write(path, text.encode(), int(have["mode"], 8), have["owner"])


def disable(one):
    """Turns one off; returns what is needed to turn it on again."""
    kind, name = one["kind"], one["id"]
    if kind == "unit":
        must(["systemctl", "disable", "--now", name], timeout=120)
    elif kind in ("cron", "starter"):
        edit_line(name.rsplit(":", 1)[0], lambda line: TAKEN + line if not line.lstrip().startswith("#") and OLD.search(line) else line)
    elif kind == "program":
        os.replace(name, name + ".p2p-fleet-disabled")
        run(services.Supervisord().ctl + ["update"], timeout=60)
    else:
        inspection.end(int(name), 10)


def take_over():
    found = find()
    for one in sorted(found, key=lambda one: one["kind"] == "process"):
        # Recorded first: a run that is cut off here must still be undone by leaving.
        memory = state.load()
        if one not in memory["takeover"]:
            memory["takeover"].append(one)
            state.save(memory)
        if one["kind"] != "process" or inspection.stat_of(int(one["id"]))[1] is not None:
            disable(one)
    return ("%d old managers" % len(found), "disabled: " + ", ".join(one["id"] for one in found)) if found else None


def give_back():
    """Turns on again what take_over turned off; processes without a manager cannot be."""
    memory = state.load()
    for one in memory["takeover"]:
        kind, name, detail = one["kind"], one["id"], one["detail"]
        if kind == "unit":
            if "enabled" in detail.split(", ")[1:]:
                run(["systemctl", "enable", name])
            if detail.startswith("activ"):
                run(["systemctl", "start", "--no-block", name])
        elif kind in ("cron", "starter"):
            edit_line(name.rsplit(":", 1)[0], lambda line: line[len(TAKEN):] if line.startswith(TAKEN) else line)
        elif kind == "program" and os.path.exists(name + ".p2p-fleet-disabled"):
            os.replace(name + ".p2p-fleet-disabled", name)
            run(services.Supervisord().ctl + ["update"], timeout=60)
        else:
            say("not restored:", one)
    result = ("%d old managers disabled" % len(memory["takeover"]), "restored") if memory["takeover"] else None
    memory["takeover"] = []
    state.save(memory)
    return result
