"""The daemon, or what runs beside it, as a program of the supervisord that the container runs."""
import configparser, os, re, shlex
import files, inspection
from journal import Failed
from packages import which
from paths import DAEMON_LOG, LOG_DIR, SERVICE
from shell import run

STATES = {"RUNNING": "running", "STARTING": "starting", "BACKOFF": "restarting", "FATAL": "failed"}


def log_of(name):
    return DAEMON_LOG if name == SERVICE else "%s/%s.log" % (LOG_DIR, name[len("ringrift-p2p-"):])


class Supervisord:
    manager, pid = "supervisord", None

    def __init__(self, name=SERVICE):
        self.name, self.log = name, log_of(name)
        self.conf = inspection.supervisord_conf()
        self.boot = self.path = self.include()
        self.ctl = [which("supervisorctl") or "supervisorctl", "-c", self.conf or "/nonexistent"]

    def include(self):
        """Where its configuration looks for further programs."""
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(self.conf or [])
            pattern = parser.get("include", "files").split()[0]
        except (configparser.Error, IndexError):
            return None
        pattern = os.path.join(os.path.dirname(self.conf), pattern.replace("%(here)s", os.path.dirname(self.conf)))
        return os.path.join(os.path.dirname(pattern), self.name + (os.path.splitext(pattern)[1] or ".conf"))

    def call(self, *words, **options):
        return run(self.ctl + list(words), **options)

    def fact(self):
        code, output = self.call("status", self.name, quiet=True, timeout=15)
        found = re.search(r"^%s\s+([A-Z]+)\s*(.*)$" % re.escape(self.name), output, re.M)
        if not found:
            return None
        pid = re.search(r"pid (\d+)", found.group(2))
        pid = self.pid = int(pid.group(1)) if pid else self.pid_of_start(found.group(1))
        fact = {"manager": self.manager, "state": STATES.get(found.group(1), "stopped"), "enabled": self.enabled()}
        fact.update(pid=pid, startedAt=inspection.stat_of(pid)[1] if pid else None, restarts=0)
        fact.update(detail=" ".join(found.groups()), boot=self.boot, alterations=[], stale=False)
        return fact

    def overrides(self):
        """Nothing but its own file tells supervisord what a program is."""
        return []

    def pid_of_start(self, state):
        """`status` keeps a program's pid back until it has run for a while, and by then it has long had its port."""
        if state != "STARTING":
            return None
        output = self.call("pid", self.name, quiet=True, timeout=15)[1].strip()
        return int(output) or None if output.isdigit() else None

    def enabled(self):
        return bool(self.path and os.path.exists(self.path))

    def owns(self, pid):
        """Ours is the program's process and what it started."""
        self.pid = self.pid if self.pid and inspection.stat_of(self.pid)[0] else (self.fact() or {}).get("pid")
        for _ in range(64):
            if not pid or not self.pid:
                return False
            if pid == self.pid:
                return True
            pid = inspection.stat_of(pid)[0]
        return False

    def install(self, text):
        if not self.path:
            raise Failed("supervisord's configuration includes no further files: %s" % self.conf)
        os.makedirs(LOG_DIR, exist_ok=True)
        return files.put(self.path, text)

    def restart(self):
        # `update` also starts a program that is new or whose text changed; it does not touch others of the same text.
        code, output = self.call("update", self.name, timeout=60)
        if "added process group" not in output and "updated process group" not in output:
            self.call("restart", self.name, timeout=60)

    def stop(self):
        self.call("stop", self.name, timeout=60)

    def control(self, *words):
        return " ".join(map(shlex.quote, self.ctl + list(words)))

    def restart_text(self):
        return "%s; %s" % (self.control("update", self.name), self.control("restart", self.name))

    def stop_text(self):
        return self.control("stop", self.name)

    def forget_text(self):
        return self.control("update", self.name)

    def remove(self):
        if not self.path or not os.path.exists(self.path):
            return None
        self.stop()
        files.put_back(self.path) or files.remove_tree(self.path)
        self.call("update", self.name)
        return "present", "absent"

    def tail(self, lines=60):
        try:
            with open(self.log, "rb") as stream:
                stream.seek(max(0, os.path.getsize(self.log) - 16384))
                return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return ""
