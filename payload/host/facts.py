"""Everything a probe tells. Reads only: it runs from memory and leaves nothing behind."""
import importlib.util, os, platform, shutil, sys, sysconfig
import competitors, contents, files, firewall, health, host_keys, inspection, ports, release, routes, services, stage, state, support, tailnet, tools, venv
from journal import now
from packages import which
from paths import BASE, LOG_DIR, MARK, PYTHON, START_SCRIPTS, TAILNET_VOLUME, UNIT
from service_own import OPEN


def guarded(facts, name, look):
    """One failing look must not hide the others."""
    try:
        facts[name] = look()
    except Exception as error:
        facts["error"] = ("%s: %s: %s" % (name, type(error).__name__, error))[:500]


def python():
    """The system's interpreter, which is the one that runs this."""
    stdlib = sysconfig.get_path("stdlib")
    return {
        "path": which("python3") or sys.executable, "version": platform.python_version(),
        "externallyManaged": os.path.exists(stdlib + "/EXTERNALLY-MANAGED"), "pip": importlib.util.find_spec("pip") is not None,
    }


def up(facts):
    health, status = facts["health"], facts["status"]
    return bool(health and status and facts["node"] == health["nodeId"] == status["nodeId"])


def imports(facts, request):
    """Packages, with the interpreter that runs the daemon; the plan's, as long as there is no venv of ours."""
    facts["runner"] = PYTHON if os.path.exists(PYTHON) else venv.resolve(request["interpreter"])
    if facts["runner"]:
        facts["missing"] = venv.missing(facts["runner"], request["imports"], request["user"], "find" if up(facts) else "import")


def disk(paths):
    found, seen = [], set()
    for path in paths:
        while path and not os.path.exists(path):
            path = os.path.dirname(path)
        device = os.stat(path).st_dev
        if path and device not in seen:
            seen.add(device)
            usage = shutil.disk_usage(path)
            found.append({"path": path, "freeBytes": usage.free, "totalBytes": usage.total})
    return found


def listening():
    """The loopback's come last: a path forwarder has one for each node, and a reader may stop before the end."""
    found = {(address, port) for address, port, _ in ports.listeners()}
    return sorted(found, key=lambda one: (one[0].startswith("127."), one))


def traces():
    """What leaving has to remove."""
    places = [BASE, LOG_DIR, UNIT, TAILNET_VOLUME] + list(state.load()["originals"])
    program = services.Supervisord().path
    if program:
        places.append(program)
    found = [path for path in places if os.path.lexists(path)]
    found += [path for path in ("/etc/ringrift/node.conf",) if path not in found and MARK in files.text_of(path)[:200]]
    found += [path for path in START_SCRIPTS if path not in found and OPEN in files.text_of(path)]
    return sorted(set(found + host_keys.traces()))


def secret_facts(paths):
    known, facts = state.load()["secrets"], {}
    # Those that are no longer asked for too: they have to go.
    for path in sorted(set(paths) | set(known)):
        have = files.look(path)
        if have:
            told = known.get(path, {})
            whole = have["digest"] is not None and told.get("sha256") == have["digest"]
            facts[path] = {"digest": told.get("digest") if whole else None, "mode": have["mode"], "owner": have["owner"]}
    return facts


def wanted_files(request, service):
    looked = {spec["path"]: (contents if spec["staged"] else files).look(spec["path"], spec["digest"]) for spec in request["files"]}
    if service and service.path and request["service"]:
        looked["service"] = files.look(service.path, request["service"])
    return {path: fact for path, fact in looked.items() if fact}


def uptime():
    return float(files.text_of("/proc/uptime").split()[0])


def collect(request, modules, packed):
    uid = os.geteuid()
    facts = {
        "at": now(), "node": request["node"], "agent": request["agent"], "elevated": uid == 0, "user": files.owner_name(uid),
        "hostname": platform.node(), "os": inspection.os_name(), "arch": platform.machine(), "cores": os.cpu_count() or 0,
        "bootId": "", "uptimeSeconds": 0, "init": "none", "container": False, "tun": False, "python": None, "runner": None,
        "missing": {}, "disk": [], "installedAgent": None, "lastRun": state.load()["lastRun"], "files": {}, "secrets": {},
        "release": {"current": None, "good": None, "kept": [], "intact": True, "requires": None}, "service": None, "port": [], "health": None,
        "status": None, "lastError": None, "source": None, "competitors": [], "tools": {}, "services": {}, "firewall": None,
        "tailnet": None, "paths": None, "listening": [],
        "traces": [], "hostKeys": None, "error": None,
    }
    guarded(facts, "bootId", lambda: files.text_of("/proc/sys/kernel/random/boot_id").strip())
    guarded(facts, "uptimeSeconds", uptime)
    guarded(facts, "init", inspection.init)
    guarded(facts, "container", inspection.is_container)
    guarded(facts, "tun", inspection.tun_opens)
    guarded(facts, "python", python)
    guarded(facts, "disk", lambda: disk(["/", BASE, request["aiServicePath"] or "/"]))
    guarded(facts, "installedAgent", lambda: request["agent"] if stage.installed(request["agent"], modules, packed) else None)
    guarded(facts, "release", release.fact)
    service = None
    try:
        service = services.of(request["manager"], request["startScript"]) if request["manager"] else None
    except Exception as error:
        facts["error"] = str(error)[:500]
    guarded(facts, "files", lambda: wanted_files(request, service))
    guarded(facts, "secrets", lambda: secret_facts(request["secrets"]))
    if service:
        guarded(facts, "service", service.fact)
        pid = (facts["service"] or {}).get("pid")
        guarded(facts, "release", lambda: dict(facts["release"], runs=release.runs(facts["release"]["current"], pid)))
        if not (facts["service"] and facts["service"]["state"] == "running"):
            guarded(facts, "lastError", lambda: services.last_error(service.tail()))
        guarded(facts, "port", lambda: [{"pid": pid, "ours": bool(service.owns(pid) or inspection.service_of(pid)), "name": ports.name_of(pid)} for pid in ports.holders(request["port"])])
        if facts["port"]:
            # In this order: a peer heard of since the start then never looks older than the process.
            guarded(facts, "status", lambda: health.status_fact(request["address"], request["port"]))
            guarded(facts, "health", lambda: health.health_fact(request["address"], request["port"]))
    guarded(facts, "tools", tools.facts)
    guarded(facts, "services", lambda: support.facts(request["manager"] or inspection.init(), request["startScript"], request["services"]))
    guarded(facts, "firewall", lambda: firewall.facts(request["manager"], request["startScript"], request["firewall"]))
    try:
        imports(facts, request)
    except Exception as error:
        facts["error"] = "imports: %s" % error
    guarded(facts, "source", lambda: inspection.commit(request["source"] or request["aiServicePath"]))
    # One that is to leave is asked too.
    if request.get("tailnet") or state.load()["tailnet"]:
        guarded(facts, "tailnet", tailnet.fact)
    guarded(facts, "paths", routes.fact)
    guarded(facts, "competitors", competitors.find)
    guarded(facts, "listening", lambda: [{"address": address, "port": port} for address, port in listening()])
    guarded(facts, "traces", traces)
    guarded(facts, "hostKeys", lambda: host_keys.fact(request["node"]))
    return facts
