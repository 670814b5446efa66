"""STAND-IN for the P2P orchestrator daemon, for the lab and the tests.

It keeps the process and HTTP contract of the real daemon (flags, exit codes, files,
ports, endpoints, peers, relay) and plays no games. Nothing shown with it is shown of
the real one: see README.md.
"""

import asyncio
import logging
import logging.handlers
import os
import sys
from pathlib import Path

# Unguarded, as in the real daemon: a missing one ends the process with a traceback.
import aiohttp  # noqa: F401
import psutil  # noqa: F401
import pydantic  # noqa: F401
import yaml  # noqa: F401

# Found only with PYTHONPATH=<ai-service>, as in the real daemon.
from scripts.standin.arguments import build_parser
from scripts.standin.daemon import run
from scripts.standin.environment import check_port, load_env_file
from scripts.standin.guard import pass_guards
from scripts.standin.settings import read_settings

LOG_FILE = Path("logs") / "p2p_orchestrator.log"
LOG_BYTES = 10 * 1024 * 1024


def set_up_logging() -> None:
    """Logs the same lines to standard output and to logs/ under the working folder."""
    LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
    rotating = logging.handlers.RotatingFileHandler(
        LOG_FILE, maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8"
    )
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        handlers=[logging.StreamHandler(sys.stdout), rotating],
    )


def main(argv: list[str]) -> None:
    """Starts the node. The order of the steps is the real daemon's."""
    here = Path(__file__).resolve().parent.parent
    for folder in (here, Path(os.getcwd())):
        load_env_file(folder / ".env.local")
    guard = pass_guards(argv, check_port())
    arguments = build_parser().parse_args(argv)
    set_up_logging()
    asyncio.run(run(read_settings(arguments), guard))


if __name__ == "__main__":
    main(sys.argv[1:])
