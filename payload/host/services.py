"""Services of ours, by the name of their manager."""
import re, time
import inspection
from journal import Failed
from paths import SERVICE
from service_own import Own
from service_supervisord import Supervisord
from service_systemd import Systemd

KINDS = {"systemd": Systemd, "supervisord": Supervisord, "own": Own}
NEEDS = {"systemd": "systemd", "supervisord": "supervisord"}


def of(manager, start_script=None, name=SERVICE):
    """The daemon's service, or that of the given name."""
    if manager not in KINDS:
        raise Failed("%s is rendered, not yet run by this agent" % manager)
    if NEEDS.get(manager) not in (None, inspection.init()):
        raise Failed("the plan says %s, but %s runs this host" % (manager, inspection.init()))
    return Own(start_script, name) if manager == "own" else KINDS[manager](name)


def here(name=SERVICE):
    """Every manager that could hold a service of ours on this host, the wanted or not."""
    kinds = {"systemd": [Systemd, Own], "supervisord": [Supervisord, Own], "none": [Own]}
    return [kind(name=name) for kind in kinds.get(inspection.init(), [])]


def last_error(text):
    """The last line that names an error, which after a traceback is the exception itself."""
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if re.match(r"^(\w+\.)*\w*(Error|Exception|Interrupt|Exit)\b", line) or re.search(r"(?i)\b(error|fatal|exiting)\b:", line)]
    return told[-1][:500] if told else None


class Patience:
    """How long a service that was just started is waited for. A crash loop ends that early: waiting mends none."""

    def __init__(self, service, seconds, wanted):
        """`wanted`: the word for what it is to become, for the error."""
        self.service, self.seconds, self.wanted = service, seconds, wanted
        self.end, self.restarts, self.pids = time.monotonic() + seconds, None, set()

    def spend(self, why, pause):
        """Waits a moment; raises Failed with the reason when there is nothing left to wait for."""
        fact = self.service.fact() or {}
        self.restarts = fact.get("restarts", 0) if self.restarts is None else self.restarts
        if fact.get("pid"):
            self.pids.add(fact["pid"])
        looping = fact.get("state") == "failed" or fact.get("restarts", 0) - self.restarts >= 3 or len(self.pids) > 3
        if looping or time.monotonic() > self.end:
            told = last_error(self.service.tail())
            end = "crash loop" if looping else "not %s within %d s" % (self.wanted, self.seconds)
            raise Failed("%s: %s%s" % (end, why, "; last error: " + told if told else ""))
        time.sleep(pause)
