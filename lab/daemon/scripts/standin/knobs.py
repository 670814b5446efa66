"""The stand-in's own switches: what tests turn to get a fault or a shorter wait."""

import os
from dataclasses import dataclass

PREFIX = "RINGRIFT_STANDIN_"

# Name after the prefix -> (default, meaning). `--help` prints this table.
KNOBS: dict[str, tuple[str, str]] = {
    "START_SECONDS": ("0", "sleep this long before binding (slow start)"),
    "READY_SECONDS": ("30", "uptime at which GET port+2/ready turns from 503 to 200"),
    "STOP_SECONDS": ("40", "time between the first SIGTERM and exit 0"),
    "IGNORE_SIGTERM": ("0", "1: SIGTERM does nothing at all"),
    "HANG_AFTER_SECONDS": ("", "block the event loop for good after this uptime"),
    "CRASH_AFTER_SECONDS": ("", "die of an exception (exit 1) after this uptime"),
    "EXIT_137_AFTER_SECONDS": ("", "leave with exit code 137 after this uptime"),
    "HEALTHY": ("true", "false: /health says healthy:false, still with HTTP 200"),
    "TRUE_QUORUM": ("0", "1: voter_quorum_ok is a true majority, not the real formula"),
    "GOSSIP": ("on", "off: send no POST /gossip (the route stays)"),
    "TAILNET_SECONDS": ("45", "age at which a LAN advertise address is replaced"),
    "BIND_BACKOFF_SECONDS": ("2", "first wait between the five attempts to bind"),
    "RELAY_TTL_SECONDS": ("1800", "how long a relay command waits for its node"),
    "WATCHDOG_GRACE_SECONDS": ("300", "uptime before the internal watchdog looks"),
    "WATCHDOG_INTERVAL_SECONDS": ("30", "time between its probes; five misses: exit 1"),
    "WATCHDOG_TIMEOUT_SECONDS": ("20", "time that one of its probes may take"),
    "ETC": ("/etc", "folder read instead of /etc for the node id"),
}


def text(name: str) -> str:
    """Returns the knob's value; an unset or empty variable means the default."""
    default, _ = KNOBS[name]
    return os.environ.get(PREFIX + name) or default


def seconds(name: str) -> float:
    """Returns a knob as seconds. Raises ValueError when it is not a number."""
    return float(text(name))


def optional_seconds(name: str) -> float | None:
    """Returns a knob as seconds, or None when it is not set."""
    value = text(name)
    return float(value) if value else None


def is_on(name: str) -> bool:
    """Returns whether a knob is switched on (1, true, yes, on)."""
    return text(name).lower() in ("1", "true", "yes", "on")


def help_table() -> str:
    """Returns the knobs as lines for `--help`."""
    lines = [
        f"  {PREFIX}{name} (default {default or 'off'}): {meaning}"
        for name, (default, meaning) in KNOBS.items()
    ]
    return "\n".join(["stand-in knobs (environment):", *lines])


@dataclass(frozen=True)
class TimedFault:
    """A fault that strikes once, at a given uptime in seconds."""

    name: str
    after: float


def timed_faults() -> list[TimedFault]:
    """Returns the timed faults that are asked for, in no particular order."""
    names = ("HANG_AFTER_SECONDS", "CRASH_AFTER_SECONDS", "EXIT_137_AFTER_SECONDS")
    wanted = ((name, optional_seconds(name)) for name in names)
    return [TimedFault(name, after) for name, after in wanted if after is not None]
