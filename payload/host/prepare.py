"""Everything that does not restart the daemon."""
import os, shutil
import competitors, contents, firewall, host_keys, secrets_files, source, state, support, tailnet, tools, venv
from journal import Failed


def room(path):
    """A full disk is named at once, instead of failing anywhere."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    free = shutil.disk_usage(path).free
    if free < 64 << 20:
        raise Failed("only %d MiB are free in %s" % (free >> 20, path))


def prepare(run, spec):
    if spec["state"] == "absent":
        return
    if not run.step("disk", room, "/opt"):
        return
    run.step("ssh host keys", host_keys.keep, spec["node"])
    if spec["source"]:
        run.step("source", source.converge, spec["source"], spec["aptMirror"])
    python, mirror = spec["python"], spec["aptMirror"]
    if run.step("venv", venv.create, python, mirror):
        venv.converge(run, python, mirror)
    here = spec["manager"], spec["startScript"]
    undos = support.before_change(spec["services"], *here)
    touched = put_files(run, spec)
    if run.error is None:
        run.step("old contents", contents.prune, spec["files"])
    before = {tool["name"]: tools.linked(tool["name"]) for tool in spec["tools"]}
    for tool in spec["tools"]:
        run.step("%(name)s %(version)s" % tool, tools.install, tool)
        touched |= {tool["name"]} if run.steps[-1]["status"] == "changed" else set()
    is_leaving = state.load()["tailnet"] and "tailscaled" not in [one["name"] for one in spec["services"]]
    # While its tailscaled still runs; one that could not log out stays.
    if is_leaving and not run.step("tailnet", tailnet.leave):
        return
    support.converge_all(run, spec["services"], *here, touched, undos)
    if is_leaving:
        run.step("tailnet state", tailnet.forget)
    support.forget(run, undos)
    if spec.get("dropsSecrets"):
        secrets_files.drop(run, set())
    # Last, so that its timer starts when we are about to come back.
    firewall.converge(run, spec["firewall"], *here, mirror)
    run.step("old tools", tools.prune, {tool["name"]: tool["version"] for tool in spec["tools"]}, before)
    for one in competitors.find():
        run.note("competes: %(kind)s %(id)s (%(detail)s)" % one)


def put_files(run, spec):
    """Paths of those that were not in order."""
    service, touched = spec["aiServicePath"], set()
    is_there = os.path.isdir(service) or run.step("ai-service", missing_service, service)
    for one in spec["files"]:
        if is_there or not one["path"].startswith(service + "/"):
            run.step(one["path"], contents.put, one)
            touched |= {one["path"]} if run.steps[-1]["status"] == "changed" else set()
    return touched


def missing_service(path):
    raise Failed("%s does not exist: p2p:source can bring it, or the inventory names another path" % path)
