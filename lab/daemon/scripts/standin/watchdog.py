"""Watchdogs: systemd's, if sdnotify is installed, and the daemon's own thread."""

import logging
import os
import threading
import time
import urllib.request

from scripts.standin import knobs

LOG = logging.getLogger("p2p")
MISSES_BEFORE_EXIT = 5


def notify(message: str) -> None:
    """Tells systemd READY=1 or WATCHDOG=1. Without sdnotify nothing is ever told."""
    try:
        from sdnotify import SystemdNotifier
    except ImportError:
        return
    SystemdNotifier().notify(message)


def _is_answering(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(
            url, timeout=knobs.seconds("WATCHDOG_TIMEOUT_SECONDS")
        ) as answer:
            return answer.status == 200
    except OSError:
        return False


def start_watchdog(host: str, port: int) -> None:
    """Ends the process with exit 1 when its own /health is gone five times in a row."""
    local = "127.0.0.1" if host in ("0.0.0.0", "localhost") else host
    url = (
        f"http://[{local}]:{port}/health"
        if ":" in local
        else f"http://{local}:{port}/health"
    )

    def watch() -> None:
        time.sleep(knobs.seconds("WATCHDOG_GRACE_SECONDS"))
        misses = 0
        while misses < MISSES_BEFORE_EXIT:
            misses = 0 if _is_answering(url) else misses + 1
            time.sleep(knobs.seconds("WATCHDOG_INTERVAL_SECONDS"))
        LOG.error("watchdog: /health gone %d times", misses)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
