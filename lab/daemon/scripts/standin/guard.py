"""What may keep a second copy from starting: port, port owner, supervisor file, lock."""

import fcntl
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psutil

from scripts.standin.arguments import has_raw_flag

COORDINATION = Path("data") / "coordination"
LOCK_FILE = COORDINATION / "ringrift_p2p_orchestrator.lock"
SUPERVISOR_FILE = COORDINATION / "p2p_supervisor.json"
SUPERVISOR_STALE_SECONDS = 600.0


def is_healthy_daemon_on(port: int) -> bool:
    """Returns whether GET /health on this machine's port answers 200 within 20 s."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError, ValueError):
        return False


def find_port_owner(port: int) -> list[int]:
    """Returns the pids that listen on a port.

    Raises FileNotFoundError where lsof is not installed, and nobody catches it: the
    real daemon dies of it at start, too.
    """
    command = ["lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN"]
    answer = subprocess.run(command, capture_output=True, text=True)
    return [int(pid) for pid in answer.stdout.split()]


def _read_supervisor() -> dict:
    try:
        data = json.loads(SUPERVISOR_FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def is_other_manager_active(now: float) -> bool:
    """Returns whether a live process holds the supervisor file.

    A recycled pid counts as alive within ten minutes, as in the real daemon.
    """
    entry = _read_supervisor()
    pid = entry.get("pid")
    if not isinstance(pid, int) or pid == os.getpid():
        return False
    age = now - float(entry.get("last_health_check") or 0)
    return age < SUPERVISOR_STALE_SECONDS and psutil.pid_exists(pid)


class Guard:
    """Holds the supervisor file and the lock for as long as the process lives."""

    def __init__(self, managed_by: str) -> None:
        self._managed_by = managed_by
        self._started_at = time.time()
        self._lock: int | None = None
        self._is_supervisor = False

    def refresh_supervisor(self) -> None:
        """Renews the time of the last check, where this process is the supervisor."""
        if self._is_supervisor:
            self.claim_supervisor()

    def claim_supervisor(self) -> None:
        """Writes the supervisor file in this process's name."""
        self._is_supervisor = True
        SUPERVISOR_FILE.parent.mkdir(parents=True, exist_ok=True)
        entry = {
            "managed_by": self._managed_by,
            "pid": os.getpid(),
            "started_at": self._started_at,
            "last_health_check": time.time(),
        }
        temporary = SUPERVISOR_FILE.with_suffix(".tmp")
        temporary.write_text(json.dumps(entry), encoding="utf-8")
        temporary.replace(SUPERVISOR_FILE)

    def take_lock(self) -> bool:
        """Takes the lock, which the kernel frees at death. False if it is held."""
        LOCK_FILE.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor
        return True

    def release(self) -> None:
        """Gives lock and supervisor file back at an orderly stop."""
        if _read_supervisor().get("pid") == os.getpid():
            SUPERVISOR_FILE.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def pass_guards(argv: Sequence[str], port: int) -> Guard:
    """Runs the start checks in the real daemon's order, before any argument is parsed.

    Exits 0 when a healthy daemon has the port or another manager is active, 1 when
    the lock is held.
    """
    if not has_raw_flag(argv, "--skip-port-check") and is_healthy_daemon_on(port):
        print(f"Exiting: healthy_p2p_running (port {port})", flush=True)
        sys.exit(0)
    if not has_raw_flag(argv, "--no-zombie-check"):
        for pid in find_port_owner(port):
            print(f"Port {port} is held by pid {pid}; left alone", flush=True)
    managed_by_loop = has_raw_flag(argv, "--managed-by-master-loop")
    guard = Guard("master_loop" if managed_by_loop else "p2p_orchestrator")
    is_forced = has_raw_flag(argv, "--force-supervisor")
    if not has_raw_flag(argv, "--ignore-supervisor"):
        if is_other_manager_active(time.time()) and not is_forced:
            print("Another manager is active (other_manager)", flush=True)
            sys.exit(0)
        guard.claim_supervisor()
    if not guard.take_lock():
        print("Another copy holds the lock", file=sys.stderr, flush=True)
        sys.exit(1)
    return guard
