"""Switches the release, restarts if anything that the process was made of changed, and waits for health."""
import os, time
import competitors, files, health, host_keys, ports, release, services, state
from journal import Failed, say
from paths import CURRENT


class Blocked(Failed):
    """Somebody else holds the port."""


def port_is_free_or_ours(service, port):
    # A daemon that its manager is starting this moment belongs to nobody until the manager says its pid.
    for pause in (1, 2, 0):
        foreign = health.foreign_holders(service, port)
        if not foreign:
            return
        time.sleep(pause)
    raise Blocked("port %d: blocked by %s" % (port, ", ".join(map(ports.name_of, foreign))))


def put_in_place(digest, content, service):
    """Link, files and service text. (changed, detail)."""
    say("switching to", digest)
    results = [release.switch(digest), release.put_files(content), service.install(content["service"])]
    return next((result for result in results if result), None)


def bring_up(run, name, digest, content, spec, service, force):
    """One attempt; True when the daemon got healthy. What is in order is not restarted."""
    where = (service, spec["node"], spec["health"]["address"], spec["health"]["port"])
    was = service.fact() or {}
    again = force or release.current() != digest or release.runs(digest, was.get("pid")) is False
    again = again or tampered_since(was.get("startedAt"), service, content)
    if not run.step(name + " files", put_in_place, digest, content, service):
        return False

    def restart():
        if not again and health.lasting_fault(*where) is None:
            return None
        was = service.fact()
        service.restart()
        return (was["detail"] if was else "absent"), "restarted"

    if not run.step(name + " restart", restart):
        return False
    return run.steps[-1]["status"] == "ok" or run.step(name + " health", health.wait, *where, spec["health"]["deadlineSeconds"])


def tampered_since(begun, service, content):
    """True when the process may have been started from a file that somebody had changed."""
    if not begun:
        return False
    own = [(service.path, content["service"])] + [("%s/%s" % (CURRENT, name), data) for name, (data, _) in release.content(content).items()]
    for path, text in own:
        if path and files.text_of(path) != text and os.path.exists(path) and os.path.getmtime(path) <= begun:
            return True
    return any(os.lstat(path).st_mtime <= begun for path in service.overrides())


def activate(run, spec):
    digest, content = spec["digest"], spec["release"]
    run.more["release"] = release.current() or ""
    service = services.of(content["manager"], content["startScript"])
    if spec["takeover"]:
        run.step("old managers", competitors.take_over)
    else:
        for one in competitors.find():
            run.note("competes: %(kind)s %(id)s (%(detail)s)" % one)
    if not run.step("port", port_is_free_or_ours, service, spec["health"]["port"]):
        run.outcome = "blocked"
        return
    if not run.step("release", release.store, digest, content):
        return
    before, good = release.current(), state.load()["good"]
    fallback = next((one for one in (good, before) if one and one != digest and release.intact(one)), None)
    if bring_up(run, "service", digest, content, spec, service, False):
        state.update(good=digest)
        run.step("old releases", release.prune, {digest, before, good})
        run.step("old tokens", release.forget_tokens, content)
    elif before != digest and fallback:
        roll_back(run, fallback, spec, service)
    run.more["release"] = release.current() or ""
    # A start script that this run has made has to ask for them too.
    run.step("ssh host keys", host_keys.keep, spec["node"])
    fact = service.fact()
    if fact and not fact["enabled"]:
        run.note("not started at boot: " + (fact["boot"] or "this container runs no start script that we know of"))


def roll_back(run, digest, spec, service):
    """The release before this one; its error, if any, stands beside the first."""
    first, run.error = run.error, None
    content = release.load(digest)
    done = bring_up(run, "rollback", digest, content, spec, service, True)
    run.more["rollback"] = {"to": digest, "ok": done}
    if not done:
        run.more["rollback"]["error"] = run.error
    run.error, run.outcome = first, "rolled-back" if done else "failed"
