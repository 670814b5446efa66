"""Downloads against a real HTTP server that breaks off, refuses, and lies. Run by agentUnits.test.ts."""
import hashlib
import http.server
import io
import os
import platform
import pwd
import tarfile
import threading
import unittest

import private
from private import ROOT

import files
import journal
import support
import tools

ME = pwd.getpwuid(os.geteuid()).pw_name
BINARY = b"#!/bin/sh\necho 1\n" + bytes(range(256)) * 4096


def archive(binary, member="t_1/t"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        entry = tarfile.TarInfo(member)
        entry.size = len(binary)
        tar.addfile(entry, io.BytesIO(binary))
        link = tarfile.TarInfo("t_1/link")
        link.type, link.linkname = tarfile.DIRTYPE, ""
        tar.addfile(link)
    return out.getvalue()


class Server:
    """Gives `body`; each of the first `faults` breaks off one answer after that many bytes, or is a status."""

    def __init__(self, body, faults=(), ranges=True):
        self.requests, self.faults, server = [], list(faults), self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def do_GET(self):
                given = self.headers.get("Range")
                server.requests.append(given)
                fault = server.faults.pop(0) if server.faults else None
                if fault and fault[0] == "status":
                    self.send_error(fault[1])
                    return
                begin = int(given[6:-1]) if given and ranges else 0
                self.send_response(206 if begin else 200)
                self.send_header("Content-Length", str(len(body) - begin))
                self.end_headers()
                self.wfile.write(body[begin:][: fault[1] if fault else len(body)])

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/t.tgz" % self.http.server_address[1]

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.http.shutdown()
        self.http.server_close()


def tool(server, body, version="1", member="t_1/t"):
    source = {"url": server.url, "sha256": hashlib.sha256(body).hexdigest(), "member": member}
    return {"name": "t", "version": version, "sources": {platform.machine(): source}}


class Tools(unittest.TestCase):
    def setUp(self):
        for folder in (tools.TOOLS, tools.BIN, tools.DOWNLOADS):
            files.remove_tree(folder)
        self.sleep, tools.time.sleep = tools.time.sleep, lambda seconds: None

    def tearDown(self):
        tools.time.sleep = self.sleep

    def test_installs_what_the_archive_holds_and_then_rests(self):
        body = archive(BINARY)
        with Server(body) as server:
            self.assertEqual(tools.install(tool(server, body)), ("absent", "1"))
            self.assertIsNone(tools.install(tool(server, body)))
            self.assertEqual(len(server.requests), 1)
        path = tools.BIN + "/t"
        self.assertEqual((files.read(path), os.stat(path).st_mode & 0o777), (BINARY, 0o755))
        self.assertEqual(tools.facts(), {"t": {"version": "1", "digest": hashlib.sha256(body).hexdigest(), "intact": True}})

    def test_goes_on_where_it_broke_off(self):
        body = archive(BINARY)
        with Server(body, [("cut", 3000), ("status", 503), ("cut", 10)]) as server:
            tools.install(tool(server, body))
            self.assertEqual(server.requests, [None, "bytes=3000-", "bytes=3000-", "bytes=3010-"])
        self.assertEqual(files.read(tools.BIN + "/t"), BINARY)

    def test_starts_anew_where_the_server_knows_no_ranges(self):
        with Server(BINARY, [("cut", 100)], ranges=False) as server:
            tools.install(tool(server, BINARY, member=None))
            self.assertEqual(server.requests, [None, "bytes=100-"])
        self.assertEqual(files.read(tools.BIN + "/t"), BINARY)

    def test_refuses_another_content_and_leaves_the_old_version_in_use(self):
        body = archive(BINARY)
        with Server(body) as server:
            tools.install(tool(server, body))
            other = dict(tool(server, body, "2"))
            other["sources"][platform.machine()]["sha256"] = "0" * 64
            with self.assertRaisesRegex(journal.Failed, "has sha256 %s, but 0{64} is wanted" % hashlib.sha256(body).hexdigest()):
                tools.install(other)
        self.assertEqual(tools.linked("t"), "1")
        self.assertEqual(sorted(os.listdir(tools.TOOLS)), ["t-1"])

    def test_a_refusal_is_not_asked_again(self):
        with Server(b"", [("status", 404)]) as server:
            with self.assertRaisesRegex(journal.Failed, "HTTP status 404"):
                tools.install(tool(server, BINARY))
            self.assertEqual(len(server.requests), 1)

    def test_what_keeps_breaking_off_is_said(self):
        with Server(BINARY, [("cut", 10)] * 9) as server:
            with self.assertRaisesRegex(journal.Failed, "the connection broke off at"):
                tools.install(tool(server, BINARY))

    def test_names_a_member_that_is_not_there(self):
        body = archive(BINARY)
        with Server(body) as server:
            with self.assertRaisesRegex(journal.Failed, "the archive does not give x/y"):
                tools.install(tool(server, body, member="x/y"))
            with self.assertRaisesRegex(journal.Failed, "t_1/link is not a file"):
                tools.install(tool(server, body, member="t_1/link"))
        self.assertIsNone(tools.linked("t"))

    def test_a_changed_binary_is_seen_and_mended(self):
        with Server(BINARY) as server:
            one = tool(server, BINARY, member=None)
            tools.install(one)
            with open(tools.BIN + "/t", "ab") as stream:
                stream.write(b"evil")
            self.assertEqual(tools.facts(), {"t": {"version": "1", "digest": None, "intact": False}})
            self.assertEqual(tools.install(one), ("1", "1"))
        self.assertEqual(files.read(tools.BIN + "/t"), BINARY)

    def test_a_touched_but_equal_binary_is_intact(self):
        with Server(BINARY) as server:
            tools.install(tool(server, BINARY, member=None))
        os.utime(tools.BIN + "/t", (1, 1))
        self.assertTrue(tools.facts()["t"]["intact"])

    def test_the_version_before_stays_and_older_ones_go(self):
        with Server(BINARY) as server:
            for version in ("1", "2", "3"):
                before = {"t": tools.linked("t")}
                tools.install(tool(server, BINARY, version, None))
                tools.prune({"t": version}, before)
        self.assertEqual(sorted(os.listdir(tools.TOOLS)), ["t-2", "t-3"])
        self.assertEqual(os.readlink(tools.BIN + "/t"), "../tools/t-3/t")
        self.assertFalse(os.path.exists(tools.DOWNLOADS))
        self.assertEqual(tools.prune({}, {})[1], "removed")
        self.assertEqual((os.listdir(tools.TOOLS), os.listdir(tools.BIN)), ([], []))


class Runner(unittest.TestCase):
    def test_values_are_data(self):
        out = ROOT + "/out"
        hostile = "a'b\"c $(touch %s/planted) `id` %%h\nx\\" % ROOT
        spec = {"name": "web", "user": ME, "environment": {"HOSTILE": hostile}, "argv": ["/bin/sh", "-c", 'printf "%s|%s" "$HOSTILE" "$1" > ' + out, "sh", hostile]}
        files.make_dirs(os.path.dirname(out))
        path = ROOT + "/runner"
        files.write(path, support.runner(spec).encode(), 0o755, ME)
        self.assertEqual(os.spawnv(os.P_WAIT, path, [path]), 0)
        self.assertEqual(files.text_of(out), hostile + "|" + hostile)
        self.assertFalse(os.path.exists(ROOT + "/planted"))

    def test_a_name_that_is_no_variable_is_refused(self):
        spec = {"name": "web", "user": ME, "environment": {"A;id": "x"}, "argv": ["/bin/true"]}
        with self.assertRaisesRegex(journal.Failed, "'A;id' is no variable name"):
            support.runner(spec)
