"""Services where nothing supervises: a supervisord in our venv, begun by the container's start script."""
import os, time
import contents, files, inspection
from journal import Failed
from paths import LOG_DIR, PYTHON, SERVICE, START_SCRIPTS, SUPERVISOR
from service_supervisord import Supervisord, log_of
from shell import environment, must

CONF = SUPERVISOR + "/supervisord.conf"
START = SUPERVISOR + "/start"
OPEN, CLOSE = "# >>> ringrift-p2p >>>", "# <<< ringrift-p2p <<<"
SETTINGS = "\n".join([
    "; Managed by p2p-fleet",
    "[supervisord]",
    "logfile=%s/supervisord.log" % LOG_DIR,
    "logfile_maxbytes=1MB",
    "logfile_backups=1",
    "pidfile=%s/supervisord.pid" % SUPERVISOR,
    "identifier=ringrift-p2p",
    "user=root",
    "[unix_http_server]",
    "file=%s/socket" % SUPERVISOR,
    "chmod=0700",
    "[supervisorctl]",
    "serverurl=unix://%s/socket" % SUPERVISOR,
    "[rpcinterface:supervisor]",
    "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    "[include]",
    "files=%s/conf.d/*.conf" % SUPERVISOR,
    "",
])
STARTER = "\n".join([
    "#!/bin/sh",
    "# Managed by p2p-fleet: begins our supervisord, unless it runs.",
    "%s -m supervisor.supervisorctl -c %s pid >/dev/null 2>&1 && exit 0" % (PYTHON, CONF),
    "rm -f %s/socket %s/supervisord.pid" % (SUPERVISOR, SUPERVISOR),
    "mkdir -p %s" % LOG_DIR,
    "exec env -u SUPERVISOR_ENABLED %s -m supervisor.supervisord -c %s </dev/null" % (PYTHON, CONF),
    "",
])
BLOCK = "\n".join([OPEN, "[ -x %s ] && %s >/dev/null 2>&1 || true" % (START, START), CLOSE, ""])


def start_script(usual=None):
    """
    The script that the container runs at its start: one that is there, else the provider's usual one,
    which may be made. None where nothing would run it.
    """
    return next((path for path in START_SCRIPTS if os.path.exists(path)), usual)


def without_block(text):
    head, found, rest = text.partition(OPEN + "\n")
    return head + rest.partition(CLOSE + "\n")[2] if found and CLOSE + "\n" in rest else text


def with_block(text):
    """Just behind the first line: a start script often ends in a program that never returns."""
    text = without_block(text) or "#!/bin/sh\n"
    if not text.startswith("#!"):
        return BLOCK + text
    first, _, rest = text.partition("\n")
    return first + "\n" + BLOCK + rest


class Own(Supervisord):
    manager = "own"

    def __init__(self, usual=None, name=SERVICE):
        self.name, self.log = name, log_of(name)
        self.conf = CONF
        self.path = "%s/conf.d/%s.conf" % (SUPERVISOR, name)
        self.boot = start_script(usual)
        self.ctl = [PYTHON, "-m", "supervisor.supervisorctl", "-c", CONF]

    def fact(self):
        fact = super().fact()
        if fact or not os.path.exists(self.path):
            return fact and dict(fact, alterations=self.alterations())
        fact = {"manager": "own", "state": "stopped", "enabled": self.enabled(), "pid": None, "startedAt": None}
        fact.update(restarts=0, detail="our supervisord does not run", boot=self.boot, stale=False)
        return dict(fact, alterations=self.alterations())

    def alterations(self):
        """What of our supervisord's own files is not as written."""
        found = [contents.alteration(CONF, SETTINGS), contents.alteration(START, STARTER, "0755")]
        return [one for one in found if one]

    def enabled(self):
        return bool(self.boot) and BLOCK in files.text_of(self.boot)

    def install(self, text):
        results = [files.put(CONF, SETTINGS), files.put(START, STARTER, "0755"), super().install(text), self.install_boot()]
        return next((result for result in results if result), None)

    def install_boot(self):
        if not self.boot or self.enabled():
            return None
        have = files.look(self.boot)
        text = with_block(files.text_of(self.boot))
        mode, owner = (have["mode"], have["owner"]) if have else ("0755", "root")
        if have:
            # Others may edit the script later: leaving takes our block out and nothing else.
            files.write(self.boot, text.encode(), int(mode, 8), owner)
        else:
            files.put(self.boot, text, mode, owner)
        return "not started at boot", "started by " + self.boot

    def owns(self, pid):
        """Nobody else runs anything with our interpreter; the rest are children of such a process."""
        for _ in range(64):
            if not pid:
                return False
            if inspection.argv_of(pid)[0] == PYTHON:
                return True
            pid = inspection.stat_of(pid)[0]
        return False

    def processes(self):
        """Our supervisord first, then what it ran; without asking supervisord, which may be broken."""
        mine = [(pid, argv) for pid, argv in inspection.processes() if argv[0] == PYTHON or inspection.service_of(pid)]
        return [pid for pid, argv in mine if CONF in argv] + [pid for pid, argv in mine if CONF not in argv]

    def running(self):
        return self.call("pid", quiet=True, timeout=15)[0] == 0

    def restart(self):
        if self.running():
            self.call("reread")
            return super().restart()
        # A daemon that outlived its supervisord would keep the port from the next one.
        for pid in self.processes():
            inspection.end(pid, 20)
        must([START], env=environment(), timeout=30)
        for _ in range(50):
            if self.running():
                return None
            time.sleep(0.1)
        raise Failed("our supervisord did not start; see %s/supervisord.log" % LOG_DIR)

    def remove(self):
        if self.name != SERVICE:
            return self.remove_program()
        result = None
        for pid in self.processes() if os.path.exists(CONF) else []:
            inspection.end(pid, 30)
            result = "running", "stopped"
        for script in START_SCRIPTS:
            text = files.text_of(script)
            if OPEN in text:
                have = files.look(script)
                if files.put_back(script) is None:
                    files.write(script, without_block(text).encode(), int(have["mode"], 8), have["owner"])
                result = "present", "absent"
        return files.remove_tree(SUPERVISOR) or result

    def remove_program(self):
        """One program; the others and their supervisord stay."""
        result = super().remove()
        for pid, _ in list(inspection.processes()):
            if inspection.service_of(pid) == self.name:
                inspection.end(pid, 20)
                result = "running", "stopped"
        return result
