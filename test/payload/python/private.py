"""Gives the agent's modules a private place: the same `paths`, under a temporary directory."""
import os
import sys
import tempfile

HOST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "payload", "host")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.abspath(HOST))

import paths  # noqa: E402

ROOT = tempfile.mkdtemp(prefix="p2p-agent-test-")
for name, value in list(vars(paths).items()):
    if isinstance(value, str) and value.startswith(("/opt/", "/var/", "/etc/")):
        setattr(paths, name, ROOT + value)
