"""What the path forwarder says about its paths; None where there is none on the host."""
import http.client, json
import files
from paths import BASE

SETTINGS = BASE + "/paths/settings.json"
LARGEST = 1 << 20


def fact():
    try:
        port = int(json.loads(files.text_of(SETTINGS))["adminPort"])
    except (ValueError, KeyError, TypeError):
        return None
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        link.request("GET", "/summary")
        told = json.loads(link.getresponse().read(LARGEST).decode("utf-8", "replace"))
        watched = {name: {"active": peer["active"], "up": peer["up"], "down": peer["down"], "daemon": peer["daemon"]} for name, peer in told["watched"].items()}
        waiting = list(told["waiting"]) + sorted("%s: %s" % item for item in told["notListening"].items())[:8]
        return {"watched": watched, "cutOff": told["cutOff"], "waiting": waiting, "mistake": told["mistake"], "error": None, "lendsToken": told.get("lendsToken") is True}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, http.client.HTTPException) as error:
        return {"watched": {}, "cutOff": [], "waiting": [], "mistake": None, "error": "%s: %s" % (type(error).__name__, error), "lendsToken": False}
    finally:
        link.close()
