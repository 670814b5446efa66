"""The node's database in p2p_state. Written only: a restart begins with no peers."""

import json
import sqlite3
from pathlib import Path

from scripts.standin.members import Members


def save_state(path: Path, members: Members) -> None:
    """Writes the peers on record."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(key, json.dumps(i.to_json())) for key, i in list(members.peers.items())]
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS peers (id TEXT PRIMARY KEY, info TEXT)"
            )
            connection.executemany("INSERT OR REPLACE INTO peers VALUES (?, ?)", rows)
    finally:
        connection.close()
