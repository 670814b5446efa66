"""port+2: a thread that answers even when the main loop is stuck."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scripts.standin import knobs
from scripts.standin.members import Members

LOG = logging.getLogger("p2p")


def start_side_port(members: Members, main_port: int) -> None:
    """Serves /health and /ready on main_port+2, on every address whatever --host says.

    Where the port is taken the daemon goes on without it.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            uptime = members.uptime()
            if self.path == "/health":
                role = "leader" if members.is_leader() else "follower"
                body = {
                    "alive": True,
                    "node_id": members.own.node_id,
                    "role": role,
                    "uptime_seconds": round(uptime, 3),
                    "main_port": main_port,
                }
                self._answer(200, body)
            elif self.path == "/ready":
                is_ready = uptime >= knobs.seconds("READY_SECONDS")
                self._answer(200 if is_ready else 503, {"ready": is_ready})
            else:
                self._answer(404, {"error": "not_found"})

        def _answer(self, code: int, body: dict) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            pass

    try:
        server = ThreadingHTTPServer(("0.0.0.0", main_port + 2), Handler)
    except OSError as error:
        LOG.warning("no port %d: %s", main_port + 2, error)
        return
    threading.Thread(target=server.serve_forever, daemon=True).start()
