"""What a run did: steps for the verdict, everything else for the log."""
import datetime, json, os, time, traceback
from paths import AGENT_LOG, LOG_DIR


class Failed(Exception):
    """Stops a step; its text is for a person."""


class Held(Exception):
    """A step that must not be done now."""


class OutOfTime(BaseException):
    """The command's time limit, as SIGTERM."""


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def open_log():
    """Sends stdout and stderr to the log; returns a stream to the controller, for one line."""
    reply = os.fdopen(os.dup(1), "w")
    try:
        os.makedirs(LOG_DIR, exist_ok=True)
        if os.path.exists(AGENT_LOG) and os.path.getsize(AGENT_LOG) > 1 << 20:
            os.replace(AGENT_LOG, AGENT_LOG + ".1")
        log = os.open(AGENT_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return reply


def say(*words):
    try:
        print(now(), *words, flush=True)
    except OSError:
        # A full disk must not stop what may be about to free it.
        pass


class Run:
    def __init__(self, phase, node):
        self.phase, self.node, self.at = phase, node, now()
        self.id = "%s-%d" % (datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%f"), os.getpid())
        self.steps, self.notes, self.more = [], [], {}
        self.error = None
        self.outcome = None
        say("---", phase, node, self.id)

    def step(self, name, action, *args):
        """
        Runs one step. `action` returns None when all was in order, (before, after) when it changed
        something. True unless it failed or was held.
        """
        began, step = time.monotonic(), {"name": name, "status": "ok"}
        try:
            result = action(*args)
            if result is not None:
                step["status"] = "changed"
                step["before"], step["after"] = (str(part)[:500] for part in result)
        except Held as error:
            step.update(status="held", error=str(error)[:1000])
        except OutOfTime:
            step.update(status="failed", error="out of time")
            raise
        except Exception as error:
            if not isinstance(error, (Failed, OSError)):
                traceback.print_exc()
            text = str(error) if isinstance(error, (Failed, OSError)) else "%s: %s" % (type(error).__name__, error)
            step.update(status="failed", error=text[:1000])
        finally:
            step["ms"] = int((time.monotonic() - began) * 1000)
            self.steps.append(step)
            say(json.dumps(step))
        if "error" in step and self.error is None:
            self.error = "%s: %s" % (name, step["error"])
        return step["status"] in ("ok", "changed")

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text[:400])

    def verdict(self):
        ok = self.error is None
        verdict = {"phase": self.phase, "node": self.node, "ok": ok}
        verdict["outcome"] = self.outcome or ("ok" if ok else "failed")
        verdict.update(steps=self.steps[:80], notes=self.notes[:40], runId=self.id, at=self.at)
        verdict.update(self.more)
        if not ok:
            verdict["error"] = self.error[:1000]
        if self.phase != "absent":
            verdict["log"] = AGENT_LOG
        return verdict


def shortened(value, limit):
    if isinstance(value, str):
        return value if len(value) <= limit else value[:limit - 1] + "\u2026"
    if isinstance(value, dict):
        return {key: shortened(item, limit) for key, item in value.items()}
    return [shortened(item, limit) for item in value] if isinstance(value, list) else value


# The engine keeps a verdict in its state, which is rewritten as a whole: details are in the log here.
MOST_OF_VERDICT = 4000


def reply_with(stream, value, most=60000):
    """One line of at most `most` bytes: one of 64 KiB or more would hang its reader."""
    line = json.dumps(value)
    if len(line) > most and "steps" in value:
        # What was in order is the least of it, and stands in the log.
        value = dict(value, steps=[step for step in value["steps"] if step["status"] != "ok"])
        line = json.dumps(value)
    for limit in (1000, 300, 100, 40, 12):
        if len(line) > most:
            line = json.dumps(shortened(value, limit))
    try:
        stream.write(line + "\n")
        stream.flush()
    except OSError:
        say("nobody reads the verdict any more")
