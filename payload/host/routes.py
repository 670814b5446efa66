"""What the path forwarder says about its paths; None where there is none on the host."""
import http.client, json, os
import files
from paths import BASE

FOLDER = BASE + "/paths"
LARGEST = 1 << 20
# What does not keep it from its work, and a person should know of.
TROUBLES = (("tailnetProblem", "tailscaled does not say where nodes are"), ("tokenProblem", "nobody gets the cluster token"), ("eventsProblem", "events cannot be written"))


def fact():
    if not os.path.exists(FOLDER + "/forwarder.py"):
        return None
    why = "no settings that can be read"
    for port in _ports():
        try:
            told = _ask(port)
            watched = {name: {"active": peer["active"], "up": peer["up"], "down": peer["down"], "daemon": peer["daemon"]} for name, peer in told["watched"].items()}
            waiting = list(told["waiting"]) + sorted("%s: %s" % item for item in told["notListening"].items())[:8]
            troubles = [("%s: %s" % (what, told[key]))[:300] for key, what in TROUBLES if told.get(key)]
            return {
                "watched": watched, "cutOff": told["cutOff"], "waiting": waiting, "mistake": told["mistake"], "troubles": troubles,
                "error": None, "lendsToken": told.get("lendsToken") is True,
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, http.client.HTTPException) as error:
            why = "%s: %s" % (type(error).__name__, error)
    return {"watched": {}, "cutOff": [], "waiting": [], "mistake": None, "troubles": [], "error": why, "lendsToken": False}


def _ports():
    """Where it may say how it stands: settings that it refuses are not those it runs with."""
    found = []
    for name in ("settings.json", "state/last-own.json"):
        try:
            port = int(json.loads(files.text_of("%s/%s" % (FOLDER, name)))["adminPort"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if 0 < port < 65536 and port not in found:
            found.append(port)
    return found


def _ask(port):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        link.request("GET", "/summary")
        return json.loads(link.getresponse().read(LARGEST).decode("utf-8", "replace"))
    finally:
        link.close()
