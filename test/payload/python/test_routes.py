"""What the agent reads of a path forwarder's page, whatever its settings look like. Run by agentUnits.test.ts."""
import http.server
import json
import os
import threading
import unittest

import private
from private import ROOT

import routes

FOLDER = ROOT + "/opt/ringrift-p2p/paths"
SUMMARY = {
    "watched": {"h1": {"active": "tailscale", "up": ["tailscale"], "down": {}, "daemon": "up", "more": 1}},
    "cutOff": ["h3"], "waiting": [], "notListening": {"127.64.0.1:8770": "in use"}, "mistake": "the settings: no object", "lendsToken": True,
    "tailnetProblem": "No such file or directory", "tokenProblem": None,
}


class Page(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def do_GET(self):
        body = json.dumps(SUMMARY).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def write(name, text):
    os.makedirs(os.path.dirname("%s/%s" % (FOLDER, name)), exist_ok=True)
    with open("%s/%s" % (FOLDER, name), "w") as stream:
        stream.write(text)


class AForwarder(unittest.TestCase):
    def setUp(self):
        self.page = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.page.serve_forever, daemon=True).start()
        self.port = self.page.server_address[1]
        write("forwarder.py", "")

    def tearDown(self):
        self.page.shutdown()
        self.page.server_close()
        for name in ("forwarder.py", "settings.json", "state/last-own.json"):
            if os.path.exists("%s/%s" % (FOLDER, name)):
                os.remove("%s/%s" % (FOLDER, name))

    def test_that_is_not_there_says_nothing(self):
        os.remove(FOLDER + "/forwarder.py")
        write("settings.json", json.dumps({"adminPort": self.port}))
        self.assertIsNone(routes.fact())

    def test_is_asked_where_its_settings_say(self):
        write("settings.json", json.dumps({"adminPort": self.port}))
        self.assertEqual(routes.fact(), {
            "watched": {"h1": {"active": "tailscale", "up": ["tailscale"], "down": {}, "daemon": "up"}},
            "cutOff": ["h3"], "waiting": ["127.64.0.1:8770: in use"], "mistake": "the settings: no object",
            "troubles": ["tailscaled does not say where nodes are: No such file or directory"], "error": None, "lendsToken": True,
        })

    def test_that_refuses_its_settings_is_asked_where_the_last_good_ones_say(self):
        write("state/last-own.json", json.dumps({"adminPort": self.port}))
        for text in (None, "", '{"node": 7', "[]", "[" * 200000, '{"adminPort": "x"}', '{"adminPort": 1}'):
            if text is not None:
                write("settings.json", text)
            self.assertEqual(routes.fact()["mistake"], "the settings: no object", text and text[:20])

    def test_that_does_not_answer_is_said(self):
        self.assertEqual(routes.fact()["error"], "no settings that can be read")
        write("settings.json", '{"adminPort": 1}')
        self.assertRegex(routes.fact()["error"], "^ConnectionRefusedError: ")


if __name__ == "__main__":
    unittest.main()
