"""Decisions of the agent that need no host: run by agentUnits.test.ts, or `python3 -m unittest discover`."""
import http.server
import os
import pwd
import tempfile
import threading
import time
import unittest
import unittest.mock

import private
from private import ROOT

import competitors
import contents
import deadman
import facts
import files
import health
import host_keys
import journal
import ports
import release
import secrets_files
import service_own
import service_systemd
import services
import state
import tools
import venv

ME = pwd.getpwuid(os.geteuid()).pw_name


class StartScript(unittest.TestCase):
    def test_block_comes_before_what_may_never_return(self):
        text = service_own.with_block("#!/bin/bash\nexec /usr/sbin/sshd -D\n")
        self.assertEqual(text, "#!/bin/bash\n" + service_own.BLOCK + "exec /usr/sbin/sshd -D\n")

    def test_twice_is_once_and_removal_gives_the_original(self):
        for original in ("#!/bin/bash\nsleep 1\n", "sleep 1\n", "#!/bin/sh\n"):
            once = service_own.with_block(original)
            self.assertEqual(service_own.with_block(once), once)
            self.assertEqual(service_own.without_block(once), original)

    def test_half_a_block_is_not_taken_for_ours(self):
        text = "#!/bin/sh\n%s\nrm -rf everything\n" % service_own.OPEN
        self.assertEqual(service_own.without_block(text), text)


class SecretFiles(unittest.TestCase):
    def test_one_that_is_no_longer_given_goes(self):
        run = unittest.mock.Mock(steps=[{"status": "ok"}])
        run.step = lambda name, doing, *args: done.append((name, doing(*args)))
        one = lambda name: {"path": "%s/etc/%s" % (ROOT, name), "content": "x", "digest": "d", "owner": ME}
        both, rest = {"files": [one("a"), one("b")]}, {"files": [one("a")]}
        for spec in (both, rest, rest):
            done = []
            secrets_files.write_all(run, spec)
        self.assertEqual(done, [(one("a")["path"], None)])
        self.assertFalse(os.path.exists(one("b")["path"]))
        self.assertEqual(sorted(facts.secret_facts([])), [one("a")["path"]])

    def test_a_token_that_the_release_names_stays_until_that_one_is_replaced(self):
        run = unittest.mock.Mock(steps=[{"status": "ok"}])
        run.step = lambda name, doing, *args: doing(*args)
        tokens = ROOT + "/etc/cluster-token"
        one = lambda name: {"path": tokens + name, "content": name, "digest": name, "owner": ME}
        named = {"secrets": {tokens + "-old": "old"}}
        with unittest.mock.patch.object(release, "TOKENS", tokens), \
                unittest.mock.patch.object(release, "current", lambda: "r"), \
                unittest.mock.patch.object(release, "load", lambda digest: named):
            secrets_files.write_all(run, {"files": [one("-old")]})
            secrets_files.write_all(run, {"files": [one("-new")]})
            self.assertEqual(files.text_of(tokens + "-old"), "-old")
            named = {"secrets": {tokens + "-new": "new"}}
            release.forget_tokens(named)
            self.assertFalse(os.path.exists(tokens + "-old"))
            self.assertEqual(files.text_of(tokens + "-new"), "-new")
            secrets_files.drop(run, set())
            self.assertEqual(files.text_of(tokens + "-new"), "-new")
            release.forget_tokens({"secrets": {}})
        self.assertFalse(os.path.exists(tokens + "-new"))

    def test_what_is_written_is_what_was_sent_whatever_reads_it(self):
        path = "%s/etc/read" % ROOT
        run = unittest.mock.Mock(steps=[{"status": "changed"}])
        run.step = lambda name, doing, *args: doing(*args)
        reader = {"manager": "own", "startScript": None, "files": ["/elsewhere"], "name": "reader"}
        support = secrets_files.support
        with unittest.mock.patch.object(support, "of_secrets", lambda: [reader]), \
                unittest.mock.patch.object(support, "before_change", lambda *_: {}), \
                unittest.mock.patch.object(support, "converge") as converge:
            secrets_files.write_all(run, {"files": [{"path": path, "content": "x", "digest": "d", "owner": ME}]})
        self.assertEqual(files.text_of(path), "x")
        converge.assert_called_once_with(run, reader, {path}, {})


class HostKeys(unittest.TestCase):
    def test_block_comes_first_once_and_goes_without_a_trace(self):
        for original in ("#!/bin/bash\nsleep 1\n", "sleep 1\n", "#!/bin/sh\n"):
            once = host_keys.with_block(original, "/v/.ringrift-p2p")
            self.assertEqual(host_keys.with_block(once, "/v/.ringrift-p2p"), once)
            self.assertEqual(host_keys.without_block(once), original)
        self.assertEqual(
            host_keys.with_block("#!/bin/sh\nexec sshd -D\n", "/v"),
            "#!/bin/sh\n%s\n[ -x /v/start ] && /v/start || true\n%s\nexec sshd -D\n" % (host_keys.OPEN, host_keys.CLOSE),
        )

    def test_both_blocks_live_in_one_script(self):
        both = service_own.with_block(host_keys.with_block("#!/bin/sh\n", "/v"))
        self.assertEqual(service_own.without_block(host_keys.without_block(both)), "#!/bin/sh\n")

    def test_keys_are_those_of_the_host_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as place:
            for name in ("ssh_host_ed25519_key", "ssh_host_ed25519_key.pub", "sshd_config", "ssh_host_ed25519_key.old"):
                with open("%s/%s" % (place, name), "w") as stream:
                    stream.write(name)
            self.assertEqual(sorted(host_keys.keys(place)), ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"])
        self.assertEqual(host_keys.keys(place), {})

    def test_what_another_node_keeps_on_a_shared_volume_is_its_own(self):
        with tempfile.TemporaryDirectory() as place:
            with open(place + "/node", "w") as stream:
                stream.write("c9\n")
            self.assertIsNone(host_keys.fault("c1", place))
            self.assertIsNotNone(host_keys.fault("c9", place))


class OldManagers(unittest.TestCase):
    def test_a_command_line_counts_by_its_words(self):
        self.assertTrue(competitors.runs_old(["python3", "/x/scripts/p2p_orchestrator.py", "--port", "1"]))
        self.assertTrue(competitors.runs_old(["/bin/bash", "/opt/p2p_keepalive.sh"]))
        self.assertFalse(competitors.runs_old(["pgrep", "-f", "p2p_orchestrator.py|x"]))
        self.assertFalse(competitors.runs_old(["sh", "-c", "pgrep -f p2p_orchestrator.py || start"]))
        self.assertFalse(competitors.runs_old(["vi", "notes_p2p_orchestrator.py.txt"]))

    def test_unit_names(self):
        names = ["ringrift-p2p.service", "ringrift-keepalive-vast.timer", "unified-node-health.service"]
        self.assertTrue(all(competitors.UNITS.match(name) for name in names))
        for name in ("ringrift-p2p-node.service", "ringrift-website.service", "my-ringrift-p2p.service"):
            self.assertFalse(competitors.UNITS.match(name))


class LastError(unittest.TestCase):
    def test_is_the_exception_of_the_traceback(self):
        text = "INFO up\nTraceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'psutil'\nINFO bye\n"
        self.assertEqual(services.last_error(text), "ModuleNotFoundError: No module named 'psutil'")

    def test_is_nothing_when_nothing_was_said(self):
        self.assertIsNone(services.last_error("INFO listens\nINFO errors=0\n"))


class Ports(unittest.TestCase):
    def test_addresses_as_the_kernel_writes_them(self):
        self.assertEqual(ports.address_of("0100007F:2242"), ("127.0.0.1", 8770))
        self.assertEqual(ports.address_of("00000000000000000000000001000000:0016"), ("::1", 22))

    def test_finds_the_holder(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        port = server.server_address[1]
        self.assertIn(("127.0.0.1", port), [row[:2] for row in ports.listeners()])
        self.assertEqual(ports.holders(port), [os.getpid()])
        server.server_close()
        self.assertEqual(ports.holders(port), [])


class Architecture(unittest.TestCase):
    tool = {"name": "tailscaled", "sources": {"x86_64": {"url": "x"}, "aarch64": {"url": "a"}}}

    def source_on(self, machine):
        with unittest.mock.patch("platform.machine", return_value=machine):
            return tools.source_of(self.tool)

    def test_every_name_of_the_two_gets_its_own_binary(self):
        found = {machine: self.source_on(machine)["url"] for machine in ("x86_64", "amd64", "aarch64", "arm64")}
        self.assertEqual(found, {"x86_64": "x", "amd64": "x", "aarch64": "a", "arm64": "a"})

    def test_another_one_is_refused_by_name(self):
        with self.assertRaisesRegex(journal.Failed, "there is no tailscaled for riscv64"):
            self.source_on("riscv64")


class Edits(unittest.TestCase):
    def test_shows_lines_without_context(self):
        self.assertEqual(contents.edits("a\nb\nc\n", "a\nx\nc\n"), "-b\n+x")
        self.assertEqual(contents.edits("a\nb\n", "a\n"), "-b")
        self.assertEqual(contents.edits("a\na\n", "a\na\na\n"), "+a")
        self.assertEqual(contents.edits("", "a\n"), "+a")

    def test_is_bounded_in_lines_length_and_time(self):
        many = "".join("line %d\n" % number for number in range(20000))
        edited = many.replace("line 9000\n", "line 9000 by hand\n").replace("line 9009\n", "")
        self.assertEqual(contents.edits(edited, many), "-line 9000 by hand\n+line 9000\n+line 9009")
        self.assertEqual(contents.edits("x\n" * 3000, many), "3000 lines in place of 20000")
        cut = contents.edits("y\n" * 100, "z" * 5000 + "\n").split("\n")
        self.assertEqual((len(cut), cut[-1]), (41, "\u2026 61 more lines"))
        self.assertEqual(contents.edits("", "z" * 5000), "+" + "z" * 200)


class Files(unittest.TestCase):
    def setUp(self):
        self.path = ROOT + "/foreign/file"
        os.makedirs(os.path.dirname(self.path), exist_ok=True)

    def test_a_foreign_file_comes_back_as_it_was(self):
        files.write(self.path, b"theirs", 0o640, ME)
        self.assertEqual(files.put(self.path, "ours", "0644", ME)[1][-4 - len(ME) - 1:], "0644 " + ME)
        self.assertIsNone(files.put(self.path, "ours", "0644", ME))
        files.put(self.path, "ours again", "0644", ME)
        files.put_back(self.path)
        self.assertEqual((files.read(self.path), files.look(self.path)["mode"]), (b"theirs", "0640"))
        self.assertIsNone(files.put_back(self.path))

    def test_a_file_of_ours_goes_and_so_does_its_directory(self):
        path = ROOT + "/made/here/file"
        files.put(path, "ours", "0600", ME)
        self.assertEqual(files.look(path)["mode"], "0600")
        files.put_back(path)
        self.assertEqual(state.load()["dirs"][-2:], [ROOT + "/made", ROOT + "/made/here"])

    def test_a_link_is_not_written_through(self):
        target = ROOT + "/foreign/target"
        files.write(target, b"x", 0o600, ME)
        os.symlink(target, ROOT + "/foreign/link")
        with self.assertRaisesRegex(journal.Failed, "is not a plain file"):
            files.put(ROOT + "/foreign/link", "ours", "0644", ME)
        self.assertEqual(files.read(target), b"x")

    def test_content_must_have_the_digest_it_is_said_to_have(self):
        spec = {"path": self.path, "text": "a", "digest": "0" * 64, "mode": "0644", "owner": ME}
        with self.assertRaisesRegex(journal.Failed, "do not agree"):
            contents.put(spec)


class Releases(unittest.TestCase):
    content = {"manager": "own", "user": ME, "launch": {"argv": ["é\n"]}, "files": [], "service": "s", "secrets": {}}
    digest = files.sha('{"files":[],"launch":{"argv":["é\\n"]},"manager":"own","secrets":{},"service":"s","user":"%s"}'.replace("%s", ME).encode())[:16]

    def test_stored_once_and_repaired_when_edited(self):
        self.assertEqual(release.store(self.digest, self.content), ("absent", self.digest))
        self.assertIsNone(release.store(self.digest, self.content))
        with open("%s/%s/release.json" % (private.paths.RELEASES, self.digest), "a") as stream:
            stream.write(" edited")
        self.assertFalse(release.intact(self.digest))
        self.assertEqual(release.store(self.digest, self.content), ("edited", self.digest))
        self.assertTrue(release.intact(self.digest))

    def test_a_program_that_may_not_be_run_is_an_edit(self):
        self.addCleanup(files.remove_tree, "%s/%s" % (private.paths.RELEASES, self.digest))
        release.store(self.digest, self.content)
        program = "%s/%s/run" % (private.paths.RELEASES, self.digest)
        release.switch(self.digest)
        self.addCleanup(os.unlink, release.CURRENT)
        os.chmod(program, 0o644)
        told = release.fact()
        self.assertEqual((told["intact"], told["text"], told["altered"]), (False, None, [{"what": program + " mode", "want": "0755 root", "is": "0644 " + ME}]))
        release.store(self.digest, self.content)
        self.assertEqual((release.fact()["intact"], release.fact()["altered"]), (True, []))
        os.chmod(private.paths.RELEASES, 0o700)
        self.assertEqual(release.fact()["altered"], [{"what": private.paths.RELEASES + " mode", "want": "0755", "is": "0700"}])
        self.assertEqual(release.store(self.digest, self.content), ("edited", self.digest))
        self.assertEqual(release.fact()["altered"], [])
        with open("%s/%s/release.json" % (private.paths.RELEASES, self.digest), "a") as stream:
            stream.write("# by hand")
        told = release.fact()
        self.assertEqual((told["intact"], told["altered"], told["text"][-9:]), (False, [], "# by hand"))
        release.store(self.digest, self.content)

    def test_a_process_of_another_release_is_told_from_one_of_this(self):
        launch = {"argv": ["/venv/python", "daemon.py", "--peers", "a"], "environment": {"PEERS": "a", "NAME": "é"}}
        look = {"cmdline": launch["argv"], "environ": {"PEERS": "a", "NAME": "?", "MORE": "1"}}

        def runs():
            answers = {"cmdline": look["cmdline"] + [""], "environ": ["%s=%s" % item for item in look["environ"].items()]}
            give = lambda path: "\0".join(answers[path.rpartition("/")[2]]).encode()
            with unittest.mock.patch.object(release, "load", lambda digest: {"launch": launch}), \
                    unittest.mock.patch.object(release, "PYTHON", "/venv/python"), \
                    unittest.mock.patch.object(release.inspection, "quiet_read", give):
                return release.runs("digest", 7)

        self.assertIs(runs(), True)
        look["environ"] = {"PEERS": "b", "NAME": "é"}
        self.assertIs(runs(), False)
        look.update(cmdline=launch["argv"][:3] + ["b"], environ={"PEERS": "a"})
        self.assertIs(runs(), False)
        look["cmdline"] = ["/venv/python", "-IB", "/base/current/run"]
        self.assertIsNone(runs())
        look["cmdline"] = ["p2p daemon: leader"]
        self.assertIsNone(runs())
        self.assertIsNone(release.runs("digest", None))

    def test_a_wrong_digest_is_refused(self):
        with self.assertRaisesRegex(journal.Failed, "do not agree"):
            release.store("0" * 16, self.content)


class Health(unittest.TestCase):
    def test_hostile_answers_become_facts_of_the_right_kind(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = b'{"node_id": 7, "healthy": "yes", "peers": {"a": {"is_alive": true, "seconds_since_heartbeat": 3.5}, "b": 1, "c": {"is_alive": true, "seconds_since_heartbeat": "x"}}, "voters_alive": true, "voter_node_ids": ["a", 2]}'
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        said = health.health_fact("127.0.0.1", port)
        self.assertEqual((said["status"], said["nodeId"], said["healthy"], said["error"]), (200, None, None, None))
        said = health.status_fact("127.0.0.1", port)
        self.assertEqual((said["alive"], said["voters"], said["votersAlive"], said["heard"]), (["a", "c"], ["a"], None, {"a": 3.5}))
        server.shutdown()
        server.server_close()
        self.assertEqual(health.health_fact("127.0.0.1", port)["status"], 0)


class PipWheel(unittest.TestCase):
    def test_the_newest_that_this_interpreter_can_run(self):
        page = (
            b'<a href="../w/pip-20.3.4-py3-none-any.whl" data-requires-python="&gt;=3.5">pip-20.3.4-py3-none-any.whl</a>'
            b'<a href="../w/pip-24.0-py3-none-any.whl" data-requires-python="&gt;=3.7">pip-24.0-py3-none-any.whl</a>'
            b'<a href="../w/pip-99.0-py3-none-any.whl#sha256=%s" data-requires-python="&gt;=3.99">pip-99.0-py3-none-any.whl</a>'
        ) % (b"0" * 64)
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page if self.path == "/simple/pip/" else b"wheel")

            def log_message(self, *words):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        index = {"kind": "index", "url": "http://127.0.0.1:%d/simple" % server.server_address[1]}
        os.makedirs(private.paths.CACHE, exist_ok=True)
        self.assertEqual(os.path.basename(venv.pip_wheel(index, "3.8.10")), "pip-24.0-py3-none-any.whl")
        with self.assertRaisesRegex(journal.Failed, "does not have the digest"):
            venv.pip_wheel(index, "3.99.0")
        self.assertEqual(asked[:2], ["/simple/pip/", "/simple/w/pip-24.0-py3-none-any.whl"])
        server.shutdown()
        server.server_close()


class DeadMan(unittest.TestCase):
    def wait(self, condition):
        end = time.time() + 60
        while not condition() and time.time() < end:
            time.sleep(0.05)
        return condition()

    def test_undoes_unless_it_is_disarmed(self):
        deadman.inspection.init = lambda: "none"
        fired = ROOT + "/fired"
        deadman.arm("first", "touch '%s'" % fired, 3600)
        self.assertEqual(deadman.disarm("first"), ("armed", "off"))
        self.assertIsNone(deadman.disarm("first"))
        deadman.arm("second", "touch '%s'" % fired, 3600)
        deadman.arm("second", "touch '%s'" % fired, 0)
        self.assertTrue(self.wait(lambda: os.path.exists(fired)))
        with self.assertRaisesRegex(journal.Failed, "second had already been undone"):
            deadman.disarm("second")
        self.assertIsNone(deadman.disarm("second"))

    def test_does_not_mind_a_clock_that_jumps(self):
        deadman.inspection.init = lambda: "none"
        fired = ROOT + "/fired by a jump"
        deadman.arm("jump", "touch '%s'" % fired, 3600)
        later = "btime %d\n" % (time.time() + 86400)
        with unittest.mock.patch.object(deadman.inspection, "text_of", lambda path: later):
            self.assertEqual(deadman.disarm("jump"), ("armed", "off"))
        self.assertFalse(os.path.exists(fired))


class SystemdUnit(unittest.TestCase):
    WRITTEN = "[Service]\n"

    def setUp(self):
        self.places = [ROOT + "/units/etc", ROOT + "/units/run"]
        self.commands, self.shown = [], {"UnitFileState": "enabled", "NeedDaemonReload": "no"}
        for change in (
            unittest.mock.patch.object(service_systemd, "PLACES", self.places),
            unittest.mock.patch.object(service_systemd, "must", lambda argv, **options: self.commands.append(argv[1])),
            unittest.mock.patch.object(service_systemd.Systemd, "show", lambda service: self.shown),
            unittest.mock.patch.object(service_systemd.files, "put", lambda path, text: None),
        ):
            change.start()
            self.addCleanup(change.stop)
        self.service = service_systemd.Systemd("one")

    def drop_in(self, place, folder, name):
        path = "%s/%s/%s" % (self.places[place], folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        files.write(path, b"[Service]\nNice=5\n", 0o644, ME)
        return path

    def test_drop_ins_of_the_unit_are_told_and_removed_with_their_folder(self):
        mine = [self.drop_in(0, "one.service.d", "a.conf"), self.drop_in(1, "one.service.d", "b.conf")]
        others = [self.drop_in(0, "service.d", "a.conf"), self.drop_in(0, "one.service.d", "a.txt"), self.drop_in(0, "two.service.d", "a.conf")]
        self.assertEqual(self.service.overrides(), mine)
        self.assertEqual(self.service.override(mine[0]), {"what": mine[0], "want": "absent", "is": "overrides the unit", "detail": "-[Service]\n-Nice=5"})
        self.assertEqual(self.service.install(self.WRITTEN), (", ".join(mine), "removed"))
        self.assertEqual(self.commands, ["daemon-reload", "enable"])
        self.assertEqual((self.service.overrides(), [os.path.exists(path) for path in others]), ([], [True, True, True]))
        self.assertFalse(os.path.exists(os.path.dirname(mine[1])))

    def test_what_systemd_has_not_read_is_read(self):
        self.assertIsNone(self.service.install(self.WRITTEN))
        self.shown = dict(self.shown, NeedDaemonReload="yes")
        self.assertEqual(self.service.install(self.WRITTEN), ("not read since it was changed", "read"))
        self.assertEqual(self.commands, ["daemon-reload"])

    def test_a_masked_one_says_so(self):
        self.shown = {"LoadState": "masked", "ActiveState": "active", "SubState": "running", "Result": "success", "MainPID": "0", "NRestarts": "0", "UnitFileState": "masked"}
        fact = self.service.fact()
        self.assertEqual((fact["state"], fact["enabled"], fact["detail"], fact["stale"]), ("running", False, "masked, active (running)", False))


class Listening(unittest.TestCase):
    def test_what_others_can_reach_comes_before_the_loopback(self):
        nodes = [("127.64.0.%d" % number, 8770, str(number)) for number in range(3)]
        found = nodes + [("::", 22, "8"), ("127.0.0.1", 8770, "7"), ("192.0.2.14", 8770, "5"), ("192.0.2.14", 8770, "6")]
        with unittest.mock.patch.object(facts.ports, "listeners", lambda: found):
            self.assertEqual(
                facts.listening(),
                [("192.0.2.14", 8770), ("::", 22), ("127.0.0.1", 8770)] + [node[:2] for node in nodes],
            )


class SupervisordProgram(unittest.TestCase):
    def test_one_that_is_being_started_owns_its_process(self):
        service = services.Supervisord()
        answers = {"status": (3, "ringrift-p2p-node   STARTING  \n"), "pid": (0, "%d\n" % os.getpid())}
        service.call = lambda *words, **options: answers[words[0]]
        self.assertEqual((service.fact()["state"], service.fact()["pid"]), ("starting", os.getpid()))
        self.assertTrue(service.owns(os.getpid()))
        self.assertFalse(service.owns(os.getppid()))

    def test_one_that_does_not_run_owns_none(self):
        service = services.Supervisord()
        answers = {"status": (3, "ringrift-p2p-node   BACKOFF   Exited too quickly\n"), "pid": (7, "0\n")}
        service.call = lambda *words, **options: answers[words[0]]
        self.assertEqual((service.fact()["state"], service.fact()["pid"]), ("restarting", None))
        self.assertFalse(service.owns(os.getpid()))
        answers["status"] = (3, "ringrift-p2p-node   STARTING  \n")
        self.assertIsNone(service.fact()["pid"])


class Patience(unittest.TestCase):
    def service(self, *facts):
        left = list(facts)
        fact = lambda: left.pop(0) if len(left) > 1 else left[0]
        return unittest.mock.Mock(fact=fact, tail=lambda: "OSError: no room")

    def test_three_restarts_are_a_crash_loop(self):
        patience = services.Patience(self.service(*({"state": "running", "restarts": n} for n in range(4))), 60, "ready")
        for _ in range(3):
            patience.spend("it is down", 0)
        with self.assertRaisesRegex(journal.Failed, "^crash loop: it is down; last error: OSError: no room$"):
            patience.spend("it is down", 0)

    def test_so_are_four_processes(self):
        patience = services.Patience(self.service(*({"state": "running", "pid": n} for n in range(1, 5))), 60, "ready")
        for _ in range(3):
            patience.spend("it is down", 0)
        with self.assertRaisesRegex(journal.Failed, "^crash loop: "):
            patience.spend("it is down", 0)

    def test_time_ends_it(self):
        patience = services.Patience(self.service({"state": "running"}), 0, "healthy")
        patience.end -= 1
        with self.assertRaisesRegex(journal.Failed, "^not healthy within 0 s: it is down; "):
            patience.spend("it is down", 0)


class LastingFault(unittest.TestCase):
    def test_only_a_daemon_that_runs_and_does_not_answer_is_asked_again(self):
        slow, dead = "/health: timed out", "the service is dead"
        for looks, told in (([None], None), ([dead], dead), ([slow, None], None), ([slow, slow], slow), ([slow, dead], dead)):
            left = list(looks)
            with unittest.mock.patch.object(health, "fault", lambda *_: left.pop(0)):
                self.assertEqual(health.lasting_fault(None, "h1", "127.0.0.1", 8770), told)
            self.assertEqual(left, [])


class Verdict(unittest.TestCase):
    def test_steps_and_the_first_error(self):
        def fail():
            raise journal.Failed("no room")

        def hold():
            raise journal.Held("local changes")

        run = journal.Run("prepare", "h4")
        results = [run.step("a", lambda: None), run.step("b", lambda: ("x", "y")), run.step("c", fail), run.step("d", hold)]
        self.assertEqual(results, [True, True, False, False])
        verdict = run.verdict()
        self.assertEqual([step["status"] for step in verdict["steps"]], ["ok", "changed", "failed", "held"])
        self.assertEqual((verdict["ok"], verdict["outcome"], verdict["error"]), (False, "failed", "c: no room"))

    def test_one_line_under_60_kib(self):
        class Stream(list):
            write = list.append

            def flush(self):
                pass

        run = journal.Run("prepare", "h4")
        for number in range(80):
            run.step("s%d" % number, lambda: ("é" * 900, "é" * 900))
        stream = Stream()
        journal.reply_with(stream, run.verdict())
        self.assertEqual(len(stream), 1)
        self.assertLess(len(stream[0]), 60 << 10)
        journal.reply_with(stream, run.verdict(), journal.MOST_OF_VERDICT)
        self.assertLess(len(stream[1]), 20000)
        run.steps = run.steps[:10]
        run.steps += [{"name": "fine", "status": "ok", "ms": 1}] * 70
        journal.reply_with(stream, run.verdict(), journal.MOST_OF_VERDICT)
        self.assertLess(len(stream[2]), journal.MOST_OF_VERDICT)
        self.assertNotIn("fine", stream[2])


if __name__ == "__main__":
    unittest.main()
