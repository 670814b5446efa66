"""Support services: what runs beside the daemon, under the same manager, and is started before it."""
import http.client, json, os, re, shlex, time, urllib.parse
import contents, deadman, files, inspection, services, state, undo
from journal import Failed
from paths import BIN, MARK, SUPPORT
from shell import run as run_program

PREFIX = "ringrift-p2p-"


def folder_of(name):
    return "%s/%s" % (SUPPORT, name)


def known():
    """Names of those that are on the host."""
    return sorted(os.listdir(SUPPORT)) if os.path.isdir(SUPPORT) else []


def load(name, part="service"):
    """What was wanted of it when it was put there; None when that is gone or unreadable."""
    try:
        return json.loads(files.text_of("%s/%s.json" % (folder_of(name), part)))
    except ValueError:
        return None


def service_for(spec):
    return services.of(spec["manager"], spec["startScript"], PREFIX + spec["name"])


def runner(spec):
    """
    `run`, which the manager starts. Values are quoted for sh, so that none of them is anything but data. It
    is sh and not Python: the way into a host must not hang on the daemon's venv.
    """
    lines = ["#!/bin/sh", "# %s: edits are overwritten by the next run." % MARK]
    environment = {"LANG": "C.UTF-8", "PATH": BIN + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    environment.update({"LOGNAME": spec["user"], "USER": spec["user"], "HOME": files.account(spec["user"]).pw_dir})
    environment.update(spec["environment"], RINGRIFT_P2P_SERVICE=PREFIX + spec["name"])
    for name, value in sorted(environment.items()):
        if not re.match(r"^[A-Za-z_][A-Za-z0-9_]*$", name):
            raise Failed("%r is no variable name" % name)
        lines.append("export %s=%s" % (name, shlex.quote(value)))
    lines.append('ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"')
    return "\n".join(lines + ["cd /", "exec " + " ".join(map(shlex.quote, spec["argv"])), ""])


def missing_secrets(spec):
    """Secret files that are not there with the wanted content."""
    told = state.load()["secrets"]
    lacking = []
    for path, digest in sorted(spec["secrets"].items()):
        have, record = files.look(path), told.get(path, {})
        if not have or record.get("digest") != digest or record.get("sha256") != have["digest"]:
            lacking.append(path)
    return lacking


def get(url):
    """None when the URL answers 200, else why not."""
    parts = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=3)
    try:
        link.request("GET", (parts.path or "/") + ("?" + parts.query if parts.query else ""))
        answer = link.getresponse()
        answer.read(1 << 16)
        return None if answer.status == 200 else "%s: status %d" % (url, answer.status)
    except (OSError, http.client.HTTPException) as error:
        return "%s: %s" % (url, str(error) or type(error).__name__)
    finally:
        link.close()


def unready(ready):
    """None when the service does its work, else why not."""
    if ready is None:
        return None
    if "url" in ready:
        return get(ready["url"])
    code, output = run_program(ready["argv"], timeout=5, quiet=True)
    words = " ".join(output.split())[-200:]
    return None if code == 0 else "%s: exit %d%s" % (os.path.basename(ready["argv"][0]), code, ": " + words if words else "")


def fault(service, spec):
    """Why it does not do its work, or None."""
    fact = service.fact()
    if not fact or fact["state"] != "running":
        return "it is %s" % (fact["detail"] if fact else "absent")
    return unready(spec["ready"])


def wait(service, spec):
    patience, well = services.Patience(service, spec["readySeconds"], "ready"), None
    while True:
        seen = fault(service, spec)
        if seen is not None:
            well = None
            patience.spend(seen, 0.3)
            continue
        pid = (service.fact() or {}).get("pid")
        # One that ends right after its start has run for a moment too.
        if pid == well:
            return
        well, patience.end = pid, max(patience.end, time.monotonic() + 2)
        time.sleep(1)


def put_in_place(service, spec):
    """Everything but the start. None when all was as wanted."""
    folder = folder_of(spec["name"])
    results = [
        files.put(folder + "/run", runner(spec), "0755"),
        service.install(spec["service"]),
    ]
    # What it is made of; how it is asked whether it is ready may change without a word.
    files.put(folder + "/service.json", json.dumps(spec, sort_keys=True, indent=1) + "\n")
    return next((result for result in results if result), None)


def started(name):
    return (load(name, "started") or {}).get("digest")


def before_change(specs, manager, start_script):
    """
    Name -> how to undo, for those whose restart may cut the controller off and is due. Taken before the
    first of their files, tools or secrets changes.
    """
    undos = {}
    for spec in (dict(spec, manager=manager, startScript=start_script) for spec in specs if spec["cutsOff"]):
        service, name = service_for(spec), spec["name"]
        if started(name) != spec["digest"] or fault(service, spec) is not None:
            undos[name] = undo.snapshot(name, service, spec)
    return undos


def converge(run, spec, touched=(), undos={}):
    """
    Puts one in place, and starts it anew if what it was started with changed or it does not work.
    `touched`: paths and tools that were mended, so that it may have been started with something else.
    """
    name = spec["name"]
    service = service_for(spec)
    if not run.step(name + " files", put_in_place, service, spec):
        return False
    edited = run.steps[-1]["status"] == "changed" or not set(touched).isdisjoint(spec["files"] + spec["tools"] + list(spec["secrets"]))
    lacking = missing_secrets(spec)
    if lacking:
        # The secrets phase follows, and starts it. One that runs goes on with what it has.
        run.note("%s waits for %s" % (name, ", ".join(lacking)))
        return True
    began = started(name)
    if began == spec["digest"] and not edited and settled(service, spec):
        return True

    def restart():
        was = service.fact()
        if spec["cutsOff"]:
            deadman.arm(name, undos.get(name) or undo.snapshot(name, service, spec), undo.SECONDS)
            run.more.setdefault("armed", []).append(name)
        service.restart()
        files.put(folder_of(name) + "/started.json", json.dumps({"digest": spec["digest"]}) + "\n")
        return (was["detail"] if was else "absent"), "restarted"

    return run.step(name + " restart", restart) and run.step(name + " ready", wait, service, spec)


def settled(service, spec):
    """It works, or does after the moments that one needs which its manager is starting just now."""
    for pause in (1, 2, 0):
        if fault(service, spec) is None:
            return True
        time.sleep(pause)
    return False


def converge_all(run, specs, manager, start_script, touched=(), undos={}):
    """`specs` in the order of their start; what is not among them goes."""
    wanted = [dict(spec, manager=manager, startScript=start_script, order=number) for number, spec in enumerate(specs)]
    remove_all(run, {spec["name"] for spec in wanted})
    for spec in wanted:
        converge(run, spec, touched, undos)


def of_secrets():
    """Those that read secret files, with what the host was told about them."""
    specs = [spec for spec in map(load, known()) if spec and spec["secrets"]]
    return sorted(specs, key=lambda spec: spec["order"])


def forget(run, undos):
    """Copies for an undo that is not needed: old secrets may be among them."""
    for name in undos:
        if name not in run.more.get("armed", []):
            files.remove_tree(undo.place(name))


def remove(name):
    result = None
    for service in services.here(PREFIX + name):
        result = service.remove() or result
    return files.remove_tree(folder_of(name)) or result


def remove_all(run, keep=(), only=lambda spec: True):
    """The last that was started goes first."""
    gone = [(load(name) or {}, name) for name in known() if name not in keep]
    for spec, name in sorted(gone, key=lambda one: -one[0].get("order", 0)):
        if only(spec):
            run.step(name + " removal", remove, name)


def facts(manager, start_script, requests):
    """Of every one on the host, wanted or not."""
    asked = {request["name"]: request for request in requests}
    found = {}
    for name in known():
        spec, request = load(name) or {}, asked.get(name, {})
        service = services.of(spec.get("manager") or manager, spec.get("startScript") or start_script, PREFIX + name)
        fact = service.fact() or {"state": "absent", "enabled": None, "pid": None, "startedAt": None, "restarts": 0, "detail": "no service", "alterations": [], "stale": False}
        fact = {key: fact[key] for key in ("state", "enabled", "pid", "startedAt", "restarts", "detail", "alterations", "stale")}
        why = unready(request.get("ready")) if request and fact["state"] == "running" else None
        fact["ready"] = why is None if request and fact["state"] == "running" else None
        altered = contents.alteration(folder_of(name) + "/run", runner(spec), "0755") if spec else None
        fact["alterations"] = fact["alterations"] + [altered] * bool(altered)
        fact["digest"] = started(name) if spec and not altered else None
        fact["file"] = files.look(service.path, request.get("service")) if service.path else None
        fact["lastError"] = why or (None if fact["state"] == "running" else services.last_error(service.tail()))
        found[name] = fact
    return found
