"""The command line: every flag of the real daemon, most of them accepted only."""

import argparse
from collections.abc import Sequence

from scripts.standin import knobs

DEFAULT_PORT = 8770

# The real daemon looks for these in the raw arguments, before it parses them.
RAW_FLAGS = (
    "--no-zombie-check",
    "--skip-port-check",
    "--ignore-supervisor",
    "--force-supervisor",
    "--managed-by-master-loop",
)


def has_raw_flag(argv: Sequence[str], flag: str) -> bool:
    """Returns whether a flag stands literally among the raw arguments."""
    return flag in argv


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser. A flag it does not know ends the process with exit 2."""
    parser = argparse.ArgumentParser(
        prog="p2p_orchestrator.py",
        description=(
            "STAND-IN for the P2P orchestrator, for tests. It keeps the real daemon's"
            " process and HTTP contract, and runs no jobs."
        ),
        epilog=knobs.help_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--node-id", help="node id (default: found out, see README.md)")
    add("--host", default="0.0.0.0", help="listen address; [::] too if 0.0.0.0")
    add("--port", type=int, default=DEFAULT_PORT, help="listen port; port+2 as well")
    add("--advertise-host", help="address that other nodes are told")
    add("--advertise-port", type=int, help="port that other nodes are told")
    add("--peers", default="", help="comma list: host[:port], http(s)://host[:port]")
    add("--relay-peers", default="", help="relays; effective only if also in --peers")
    add("--ringrift-path", help="ai-service folder (or the repository root)")
    add("--auth-token", help="cluster token")
    add("--require-auth", action="store_true", help="refuse to start without a token")
    add("--storage-type", default="auto", choices=("auto", "disk", "ramdrive"))
    add("--sync-to-disk-interval", type=int, default=300)
    for flag in ("--supervised", "--training-only"):
        add(flag, action="store_true", help="accepted, does nothing here")
    for flag in ("--kill-duplicates", "--force-takeover"):
        add(flag, action="store_true", help="accepted; the stand-in kills nobody")
    for flag in RAW_FLAGS:
        add(flag, action="store_true", help="read before the parser runs")
    return parser
