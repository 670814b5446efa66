"""Joins the tailnet: logs in where that is needed, sets what is wished, and waits until the device is there."""
import base64, json, os, time
import state, tailnet
from journal import Failed, Held, say
from shell import must, run

READY_SECONDS = 60
LOGGED_OUT = (None, "NoState", "NeedsLogin")


def join(run_, request):
    """`spec` in base64, so that none of its words is taken for a secret; the key as it is, or null."""
    spec = dict(json.loads(base64.b64decode(request["spec"])), key=request["key"])
    run_.node = spec["node"]
    found = []
    if not run_.step("tailscaled", lambda: found.append(wait(answers, READY_SECONDS))):
        return
    before = found[0]
    needs_login = before["backend"] in LOGGED_OUT or wrong(before, spec)
    if needs_login or differs(before, spec):
        if not run_.step("login" if needs_login else "settings", log_in, spec, before, needs_login):
            return
    run_.step("device", confirm, spec, run_, needs_login)


def answers():
    """Facts once tailscaled has made up its mind."""
    told = tailnet.fact()
    settled = told and told["backend"] not in (None, "NoState", "Starting")
    return told if settled else None


def wrong(told, spec):
    """What only a new login changes."""
    server = spec["loginServer"]
    return told["backend"] == "Running" and (told["tags"] != sorted(spec["tags"]) or (server is not None and told["loginServer"] != server))


def differs(told, spec):
    return told["backend"] != "Running" or told["hostname"] != spec["hostname"] or told["acceptDns"] != spec["acceptDns"]


def wait(look, seconds):
    """What `look` gives, as soon as it gives something."""
    end, told = time.monotonic() + seconds, None
    while True:
        told = look()
        if told:
            return told
        if time.monotonic() >= end:
            now = tailnet.fact()
            raise Failed("tailscaled %s" % ("is not installed" if not now else now["error"] or "stays %s" % now["backend"]))
        time.sleep(0.5)


def log_in(spec, before, needs_login):
    key = spec.get("key")
    if needs_login and not key:
        raise Held("logged out, and there is no auth key for it")
    client = [tailnet.cli(), "--socket=" + tailnet.SOCKET]
    names = ["--hostname=" + spec["hostname"], "--accept-dns=" + ("true" if spec["acceptDns"] else "false")]
    if not needs_login and before["backend"] == "Running":
        # Whatever else is set there stays: the tailscaled may be somebody's own.
        must(client + ["set"] + names, timeout=30)
        return "other settings", " ".join(names)
    argv = client + ["up", "--reset", "--timeout=60s"] + names + ["--advertise-tags=" + ",".join(spec["tags"])]
    argv += ["--login-server=" + spec["loginServer"]] if spec["loginServer"] else []
    argv += ["--force-reauth"] if needs_login and before["backend"] == "Running" else []
    handle = key_handle(key) if needs_login else None
    try:
        if handle is not None:
            argv.append("--auth-key=file:/dev/fd/%d" % handle)
        code, output = run(argv, timeout=90, quiet=True, pass_fds=[] if handle is None else [handle])
    finally:
        if handle is not None:
            os.close(handle)
    output = output.replace(key, "[key]") if key else output
    say("tailscale up ->", code, "\n" + output[-2000:])
    if code:
        raise Failed(reason(output, code))
    return before["backend"] or "none", "Running"


def reason(output, code):
    """One line of what `tailscale up` said."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line.replace("backend error: ", "") for line in lines if "backend error" in line or "invalid" in line or "limit" in line]
    if code == 124 or any("timeout" in line.lower() or "deadline" in line for line in lines[-1:]):
        return "the control server did not let it in within 60 s: %s" % (told or lines or ["no answer"])[-1][:300]
    return (told or lines or ["tailscale up ended with %d" % code])[-1][:400]


def key_handle(key):
    """A file that is in no directory: whoever kills us, and whenever, leaves no key behind."""
    try:
        handle = os.memfd_create("key")
    except (AttributeError, OSError):
        # An old Python or kernel; a pipe can be read once only, which is enough.
        handle, end = os.pipe()
        os.write(end, key.encode())
        os.close(end)
    else:
        os.write(handle, key.encode())
    return handle


def confirm(spec, run_, is_new):
    """The device is in the tailnet, online, and has its tags."""
    def there():
        told = tailnet.fact()
        return told if told and told["backend"] in ("Running", "NeedsMachineAuth") and (told["online"] or told["backend"] == "NeedsMachineAuth") else None
    told = wait(there, READY_SECONDS)
    if told["backend"] == "NeedsMachineAuth":
        raise Failed("the device waits for approval in the tailnet's admin console")
    memory = {"nodeId": told["nodeId"], "login": is_new or state.load()["tailnet"].get("login", False)}
    state.update(tailnet=memory)
    told.update(joined=True, loggedIn=memory["login"])
    run_.more["tailnet"] = told
    if told["tags"] != sorted(spec["tags"]):
        raise Failed("the device has the tags %s instead of %s" % (",".join(told["tags"]) or "none", ",".join(sorted(spec["tags"]))))
    return None
