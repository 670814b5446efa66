"""One phase: JSON on stdin, one line of JSON on stdout. Exits 0 whenever that line could be given."""
import json, os, signal, sys, traceback
import absent, activate, contents, deadman, facts, files, firewall, join, prepare, secrets_files, stage, state, undo
from journal import OutOfTime, MOST_OF_VERDICT, Run, now, open_log, reply_with


def run(phase, modules, packed):
    sys.dont_write_bytecode = True
    os.umask(0o022)
    request = json.loads(sys.stdin.read() or "{}")
    modules = [(name, source) for name, source in modules] if modules else None
    if phase == "facts":
        reply = os.fdopen(os.dup(1), "w")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return reply_with(reply, facts.collect(request, modules, packed))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, out_of_time)
    reply = open_log()
    if phase == "activate" and request.get("state") == "absent":
        phase = "absent"
    doing = Run(phase, str(request.get("node", "")))
    try:
        perform(doing, request, modules, packed)
    except OutOfTime:
        doing.error = doing.error or "out of time"
    reply_with(reply, doing.verdict(), MOST_OF_VERDICT)


def out_of_time(number, frame):
    raise OutOfTime()


def perform(doing, request, modules, packed):
    if not doing.step("lock", take_lock, doing):
        return
    if doing.phase == "stage":
        doing.step("agent", stage.install, request["digest"], modules, packed)
        for digest, packed in request["contents"].items():
            doing.step("content " + digest[:12], contents.keep, digest, packed)
        return
    if doing.phase == "prepare":
        guard(doing, prepare.prepare, request)
    elif doing.phase == "secrets":
        guard(doing, secrets_files.write_all, request)
    elif doing.phase == "join":
        guard(doing, join.join, request)
    elif doing.phase == "activate":
        guard(doing, activate.activate, request)
    elif doing.phase == "absent":
        guard(doing, lambda run, spec: absent.absent(run), request)
        return
    elif doing.phase == "disarm":
        for name in deadman.armed() if request["names"] == ["*"] else request["names"]:
            doing.step(name, deadman.disarm, name)
            files.remove_tree(undo.place(name))
            if name == firewall.TIMER and doing.error is None:
                firewall.confirm()
    try:
        state.update(lastRun={"id": doing.id, "phase": doing.phase, "at": now(), "ok": doing.error is None, "error": doing.error})
    except OSError as error:
        doing.error = doing.error or "the run could not be recorded: %s" % error


def guard(doing, action, request):
    """An error outside the steps is one of the run."""
    try:
        action(doing, request)
    except Exception as error:
        traceback.print_exc()
        doing.error = doing.error or "%s: %s" % (type(error).__name__, error)


held = []


def take_lock(doing):
    held.append(state.lock())
