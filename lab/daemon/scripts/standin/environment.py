"""The process environment, with `.env.local` under it."""

import os
from pathlib import Path

# A copied .env.local would otherwise make every node a coordinator.
NEVER_FROM_FILE = "RINGRIFT_IS_COORDINATOR"


def load_env_file(path: Path) -> None:
    """Adds `KEY=value` lines to the environment. Set variables are never overridden."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        key, separator, value = line.strip().partition("=")
        key = key.removeprefix("export ").strip()
        if not separator or key.startswith("#") or key == NEVER_FROM_FILE:
            continue
        os.environ.setdefault(key, value.strip().strip("\"'"))


def number(name: str, default: float) -> float:
    """Returns a variable as a number; unset or empty means the default."""
    return float(os.environ.get(name) or default)


def is_true(name: str) -> bool:
    """Returns whether a variable is set to 1, true, yes or on."""
    return os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on")


def comma_list(name: str) -> list[str]:
    """Returns the non-empty elements of a comma list."""
    elements = (part.strip() for part in os.environ.get(name, "").split(","))
    return [element for element in elements if element]


def check_port() -> int:
    """Returns the port that the start checks look at: not the one of `--port`."""
    return int(os.environ.get("RINGRIFT_P2P_PORT") or 8770)


def cluster_token(argument: str | None) -> str | None:
    """Returns the cluster token: flag, then variable, then file; None without one."""
    token = argument or os.environ.get("RINGRIFT_CLUSTER_AUTH_TOKEN", "")
    file = os.environ.get("RINGRIFT_CLUSTER_AUTH_TOKEN_FILE", "")
    if not token and file:
        token = Path(file).expanduser().read_text(encoding="utf-8")
    return token.strip() or None
