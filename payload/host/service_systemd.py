"""The daemon, or what runs beside it, as a systemd unit."""
import files, ports
from inspection import stat_of
from paths import SERVICE
from shell import must, run

SHOW = "LoadState,ActiveState,SubState,Result,MainPID,NRestarts,UnitFileState,ExecMainStatus"


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
        if now.get("LoadState") != "loaded":
            return None
        active, sub = now["ActiveState"], now["SubState"]
        names = {"active": "running", "failed": "failed", "inactive": "stopped", "deactivating": "stopped"}
        state = "restarting" if sub.startswith("auto-restart") else names.get(active, "starting")
        pid = int(now["MainPID"]) or None
        detail = "%s (%s)" % (active, sub)
        if now["Result"] != "success":
            detail += ", %s, status %s" % (now["Result"], now["ExecMainStatus"])
        fact = {"manager": "systemd", "state": state, "enabled": now["UnitFileState"] == "enabled", "pid": pid}
        fact.update(startedAt=stat_of(pid)[1] if pid else None, restarts=int(now["NRestarts"]), detail=detail, boot=self.path)
        return fact

    def owns(self, pid):
        return pid is not None and ports.unit_of(pid) == self.unit

    def install(self, text):
        changed = files.put(self.path, text)
        enabled = self.show().get("UnitFileState")
        if changed:
            must(["systemctl", "daemon-reload"])
        if enabled != "enabled" or changed:
            must(["systemctl", "enable", self.unit])
        return changed or (None if enabled == "enabled" else (enabled or "not enabled", "enabled"))

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
