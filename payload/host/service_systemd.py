"""The daemon, or what runs beside it, as a systemd unit."""
import glob, os
import contents, files, ports
from inspection import stat_of
from journal import say
from paths import SERVICE
from shell import must, run

SHOW = "LoadState,ActiveState,SubState,Result,MainPID,NRestarts,UnitFileState,ExecMainStatus,NeedDaemonReload"
# Where people change units: by hand or `systemctl edit`, and by `systemctl set-property`.
PLACES = ["/etc/systemd/system", "/etc/systemd/system.control", "/run/systemd/system", "/run/systemd/system.control"]


class Systemd:
    manager = "systemd"

    def __init__(self, name=SERVICE):
        self.unit = name + ".service"
        self.path = "/etc/systemd/system/" + self.unit

    def show(self):
        code, output = run(["systemctl", "show", self.unit, "-p", SHOW], quiet=True, timeout=15)
        return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)

    def fact(self):
        now = self.show()
        # A masked one may run on until it is stopped.
        if now.get("LoadState") not in ("loaded", "masked"):
            return None
        active, sub = now["ActiveState"], now["SubState"]
        names = {"active": "running", "failed": "failed", "inactive": "stopped", "deactivating": "stopped"}
        state = "restarting" if sub.startswith("auto-restart") else names.get(active, "starting")
        pid = int(now["MainPID"]) or None
        detail = "%s%s (%s)" % ("masked, " if now["LoadState"] == "masked" else "", active, sub)
        if now["Result"] != "success":
            detail += ", %s, status %s" % (now["Result"], now["ExecMainStatus"])
        fact = {"manager": "systemd", "state": state, "enabled": now["UnitFileState"] == "enabled", "pid": pid}
        fact.update(startedAt=stat_of(pid)[1] if pid else None, restarts=int(now["NRestarts"]), detail=detail, boot=self.path)
        fact.update(alterations=[self.override(path) for path in self.overrides()][:8])
        return dict(fact, stale=now.get("NeedDaemonReload") == "yes")

    def overrides(self):
        """Drop-ins of this very unit, read by systemd or not yet. Those for all units are the machine's own matter."""
        return sorted(path for place in PLACES for path in glob.glob("%s/%s.d/*.conf" % (place, self.unit)))

    def override(self, path):
        return {"what": path, "want": "absent", "is": "overrides the unit", "detail": contents.edits(files.text_of(path), "")}

    def drop_overrides(self):
        found = self.overrides()
        for path in found:
            say("removing the drop-in", path, files.text_of(path)[:2048])
            os.unlink(path)
            if not os.listdir(os.path.dirname(path)):
                os.rmdir(os.path.dirname(path))
        return (", ".join(found), "removed") if found else None

    def owns(self, pid):
        return pid is not None and ports.unit_of(pid) == self.unit

    def install(self, text):
        changed = [result for result in (files.put(self.path, text), self.drop_overrides()) if result]
        now = self.show()
        enabled, stale = now.get("UnitFileState"), now.get("NeedDaemonReload") == "yes"
        if changed or stale:
            must(["systemctl", "daemon-reload"])
        if enabled != "enabled" or changed:
            must(["systemctl", "enable", self.unit])
        if changed:
            return changed[0]
        if stale:
            return "not read since it was changed", "read"
        return None if enabled == "enabled" else (enabled or "not enabled", "enabled")

    def restart(self):
        run(["systemctl", "reset-failed", self.unit], quiet=True)
        must(["systemctl", "restart", self.unit], timeout=120)

    def stop(self):
        must(["systemctl", "disable", "--now", self.unit], timeout=120)

    def restart_text(self):
        return "systemctl daemon-reload; systemctl reset-failed %s; systemctl restart %s" % (self.unit, self.unit)

    def stop_text(self):
        return "systemctl disable --now %s" % self.unit

    def forget_text(self):
        return "systemctl daemon-reload; systemctl reset-failed %s" % self.unit

    def remove(self):
        if files.read(self.path) is None:
            return None
        self.stop()
        files.put_back(self.path) or files.remove_tree(self.path)
        must(["systemctl", "daemon-reload"])
        run(["systemctl", "reset-failed", self.unit], quiet=True)
        return "present", "absent"

    def tail(self, lines=60):
        return run(["journalctl", "-u", self.unit, "-n", str(lines), "-o", "cat", "--no-pager", "-q"], quiet=True, timeout=15)[1]
