"""Everything that restarts nothing."""
import os, shutil
import competitors, contents, source, venv
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
    if spec["source"]:
        run.step("source", source.converge, spec["source"], spec["aptMirror"])
    python, mirror = spec["python"], spec["aptMirror"]
    if run.step("venv", venv.create, python, mirror):
        venv.converge(run, python, mirror)
    if not os.path.isdir(spec["aiServicePath"]):
        run.step("ai-service", missing_service, spec["aiServicePath"])
        return
    for one in spec["files"]:
        run.step(one["path"], contents.put, one)
    if run.error is None:
        run.step("old contents", contents.prune, spec["files"])
    for one in competitors.find():
        run.note("competes: %(kind)s %(id)s (%(detail)s)" % one)


def missing_service(path):
    raise Failed("%s does not exist: p2p:source can bring it, or the inventory names another path" % path)
