"""tailscaled on this host, by its own word: what a probe tells, and what leaving undoes."""
import json, os
import files, state
from journal import Failed
from packages import which
from paths import BASE, TAILNET_VOLUME
from shell import last_words, run

# tailscaled's default, so that `tailscale status` works for people too, and a tailscaled of the system is seen.
SOCKET = "/run/tailscale/tailscaled.sock"
OURS = BASE + "/bin/tailscaled"


def cli():
    ours = BASE + "/bin/tailscale"
    return ours if os.path.exists(ours) else which("tailscale")


def ask(*words):
    """JSON that the client prints, or Failed with its last words."""
    code, output = run([cli() or "tailscale", "--socket=" + SOCKET] + list(words), timeout=10, quiet=True)
    begin, end = output.find("{"), output.rfind("}")
    if code or begin < 0:
        raise Failed(last_words(output) or "exit %d" % code)
    return json.loads(output[begin:end + 1])


def fact():
    """None where there is no tailscale."""
    memory = state.load()["tailnet"]
    if not cli():
        return None
    told = {
        "ours": os.path.exists(OURS), "joined": bool(memory), "loggedIn": bool(memory.get("login")), "backend": None, "version": None, "nodeId": memory.get("nodeId"),
        "name": None, "hostname": None, "addresses": [], "tags": [], "keyExpiry": None, "tun": None, "online": None,
        "loginServer": None, "acceptDns": None, "health": [], "error": None,
    }
    try:
        status = ask("status", "--json", "--peers=false")
        own = status.get("Self") or {}
        told.update(backend=status.get("BackendState"), version=(status.get("Version") or "").split("-")[0], tun=status.get("TUN"))
        told.update(health=[str(line) for line in status.get("Health") or []][:8])
        prefs = ask("debug", "prefs")
        told.update(loginServer=prefs.get("ControlURL"), acceptDns=prefs.get("CorpDNS"))
        if told["backend"] in ("Running", "Starting", "Stopped"):
            told.update(
                nodeId=own.get("ID") or told["nodeId"], name=(own.get("DNSName") or "").rstrip(".") or None, hostname=prefs.get("Hostname") or own.get("HostName"),
                addresses=status.get("TailscaleIPs") or [], tags=sorted(own.get("Tags") or []), keyExpiry=own.get("KeyExpiry"), online=own.get("Online"),
            )
    except (Failed, ValueError) as error:
        told["error"] = str(error)[:500]
    return told


def leave(for_good=False):
    """Logs the device out, if it was we who joined it; a tailscaled of the system's only for good."""
    memory = state.load()["tailnet"]
    if not memory:
        return None
    found = fact()
    if not found or found["backend"] in ("NeedsLogin", "NoState"):
        return None
    if not found["ours"] and not (for_good and memory.get("login")):
        return None
    if found["backend"] is None:
        # The controller deletes the device all the same.
        return "joined", "its tailscaled does not answer; not logged out"
    code, output = run([cli(), "--socket=" + SOCKET, "logout"], timeout=40)
    if code:
        raise Failed("tailscale logout: %s" % last_words(output))
    return "joined as %s" % (found["name"] or found["nodeId"]), "logged out"


def forget():
    """After the logout, on a host that goes on without: its identity, and what we remember of it."""
    if not state.load()["tailnet"] or not os.path.exists(OURS):
        return None
    clean()
    files.remove_tree(BASE + "/tailscale")
    state.update(tailnet={})
    return "joined", "forgotten"


def clean():
    """What a tailscaled that was killed leaves in the host's network, and its state outside of our directory."""
    if os.path.exists(OURS):
        run([OURS, "--cleanup", "--socket=" + SOCKET], timeout=20)
    return files.remove_tree(TAILNET_VOLUME)
