"""The forwarder's decisions that need no network: run by units.test.ts, or `python3 -m unittest discover`."""
import json
import os
import random
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "payload", "forwarder")))

import events
import places
import settings
from choice import Choice
from http1 import Chunked, Length, Malformed, read_request, read_response
from identity import AHEAD, MOST_NONCES, WINDOW, Gate, Refused, answer_line, read_answer, sign


def changes(found):
    return [(what, path.key, reason) for what, path, reason in found]


def status(*peers, state="Running"):
    """What tailscaled says of these devices."""
    told = [
        {
            "HostName": host, "DNSName": host + ".tailnet.example.", "Tags": [tag] if tag else None,
            "TailscaleIPs": [address, "fd7a:115c:a1e0::9"] if address else None, "Online": online, "Created": created,
        }
        for host, tag, address, online, created in peers
    ]
    return json.dumps({"BackendState": state, "Peer": {str(index): one for index, one in enumerate(told)} or None}).encode()


class FindingADevice(unittest.TestCase):
    def find(self, *peers):
        return places.place(places.read(status(*peers)), "h1", "tag:nodes")

    def test_takes_name_and_tag(self):
        right = ("H1", "tag:nodes", "100.64.0.1", True, "2026-01-01T00:00:00Z")
        self.assertEqual(self.find(right), "100.64.0.1")
        self.assertIsNone(self.find())
        for wrong in (("h10", "tag:nodes"), ("h1", "tag:others"), ("h1", None)):
            self.assertIsNone(self.find((*wrong, "100.64.0.1", True, "")))
        self.assertIsNone(self.find(("h1", "tag:nodes", None, True, "")))
        self.assertIsNone(self.find(("h1", "tag:nodes", "no address", True, "")))

    def test_takes_the_one_that_is_online_then_the_newest(self):
        old = ("h1", "tag:nodes", "100.64.0.1", False, "2026-01-01T00:00:00Z")
        new = ("h1", "tag:nodes", "100.64.0.2", False, "2026-02-01T00:00:00Z")
        self.assertEqual(self.find(old, new), "100.64.0.2")
        self.assertEqual(self.find((*old[:3], True, old[4]), new), "100.64.0.1")

    def test_knows_a_device_by_either_of_its_names(self):
        told = json.loads(status(("renamed", "tag:nodes", "100.64.0.1", True, "")))
        told["Peer"]["0"]["DNSName"] = "h1.tailnet.example."
        self.assertEqual(places.place(places.read(json.dumps(told).encode()), "h1", "tag:nodes"), "100.64.0.1")

    def test_says_nothing_where_tailscaled_knows_nothing(self):
        for data in (b"", b"[]", b"7", b"{}", b"\xff", status(state="NeedsLogin"), status(state="Starting")):
            with self.assertRaises(ValueError):
                places.read(data)
        self.assertEqual(places.read(b'{"BackendState": "Running", "Peer": [1]}'), [])
        self.assertEqual(places.read(b'{"BackendState": "Running", "Peer": {"a": 1}}'), [])

    def test_is_only_done_for_nodes_that_the_tailnet_leads_to(self):
        own = {"node": "a", "inboundPort": 8779, "adminPort": 8778, "secretFile": "/secret"}
        device = {"number": 2, "device": "h1", "deviceTag": "tag:nodes", "tailscale": "100.64.0.9"}
        nodes = {"a": {"number": 1}, "b": device, "c": {"number": 3, "methods": ["direct"], "device": "h1", "deviceTag": "tag:nodes"}}
        devices = places.read(status(("h1", "tag:nodes", "100.64.0.1", True, "")))

        def parsed(tailnet, known):
            found = settings.parse(json.dumps({**own, "tailnet": tailnet}).encode(), json.dumps({"nodes": nodes}).encode(), known)
            return found.places, [way.shown for node in found.nodes.values() for way in node.ways]

        self.assertEqual(parsed("tun", devices), ({"b": "100.64.0.1"}, ["100.64.0.1:8779"]))
        self.assertEqual(parsed("userspace", []), ({"b": None}, ["100.64.0.9:8779"]))
        self.assertEqual(parsed("none", devices), ({}, []))
        del device["deviceTag"]
        with self.assertRaisesRegex(settings.Mistake, "nodes.b.deviceTag: None is no word"):
            parsed("tun", devices)


class ChoosingAPath(unittest.TestCase):
    def test_leaves_after_so_many_misses_in_a_row(self):
        choice = Choice(["tailscale", "cloudflare"])
        choice.good("tailscale", 0)
        choice.good("cloudflare", 0)
        self.assertEqual(choice.miss("tailscale", 1, "timeout"), [])
        self.assertEqual(choice.good("tailscale", 2), [])
        self.assertEqual(choice.miss("tailscale", 3, "timeout"), [])
        self.assertEqual(
            changes(choice.miss("tailscale", 4, "timeout")),
            [("down", "tailscale", "timeout"), ("active", "cloudflare", "tailscale is down: timeout")],
        )

    def test_returns_after_good_ones_and_a_quiet_time(self):
        choice = Choice(["tailscale", "cloudflare"], misses=1, returns=2, settle=60)
        choice.good("cloudflare", 0)
        choice.miss("tailscale", 10, "refused")
        self.assertEqual(choice.active.key, "cloudflare")
        self.assertEqual(choice.good("tailscale", 20), [])
        self.assertEqual(changes(choice.good("tailscale", 25)), [("up", "tailscale", "refused")])
        self.assertEqual(choice.good("tailscale", 69), [])
        self.assertEqual(changes(choice.good("tailscale", 70)), [("active", "tailscale", "tailscale is back")])

    def test_the_first_sign_of_life_counts_where_nothing_lives(self):
        choice = Choice(["tailscale", "cloudflare"], misses=1)
        choice.miss("tailscale", 0, "refused")
        choice.miss("cloudflare", 0, "530")
        self.assertFalse(choice.reachable())
        self.assertEqual(
            changes(choice.good("tailscale", 5)), [("up", "tailscale", "refused"), ("active", "tailscale", "cloudflare is down: 530")]
        )
        self.assertTrue(choice.reachable())

    def test_many_requests_that_meet_one_hiccup_are_one_miss(self):
        choice = Choice(["direct"], misses=2, gap=0.5)
        choice.good("direct", 0)
        for at in (1.0, 1.1, 1.2, 1.4):
            choice.miss("direct", at, "refused")
        self.assertIsNot(choice.active.up, False)
        self.assertEqual(changes(choice.miss("direct", 1.6, "refused")), [("down", "direct", "refused")])

    def test_ten_flaps_in_a_minute_cause_at_most_one_change(self):
        for seed in range(200):
            dice = random.Random(seed)
            choice, moves, at, phase = Choice(["tailscale", "cloudflare"], gap=0.5), 0, 0.0, dice.uniform(0, 6)
            choice.good("tailscale", 0)
            choice.good("cloudflare", 0)
            while at < 60:
                up = (at + phase) % 6 < dice.choice([2, 3, 4])
                found = choice.good("tailscale", at) if up else choice.miss("tailscale", at, "cut")
                found += choice.good("cloudflare", at)
                moves += sum(what == "active" for what, _, _ in found)
                at += dice.choice([0.3, 1, 4, 5, 6])
            self.assertLessEqual(moves, 1, "seed %d" % seed)

    def test_new_settings_keep_what_is_known(self):
        choice = Choice(["tailscale", "direct"])
        choice.good("direct", 0, 8.0)
        choice.arrange(["cloudflare", "direct"])
        self.assertEqual([path.key for path in choice.paths], ["cloudflare", "direct"])
        self.assertEqual((choice.find("direct").up, choice.find("direct").milliseconds), (True, 8.0))
        self.assertEqual(choice.active.key, "cloudflare")

    def test_requests_try_what_may_work_before_what_is_down(self):
        choice = Choice(["tailscale", "cloudflare", "direct"], misses=1)
        choice.miss("cloudflare", 0, "530")
        self.assertEqual([path.key for path in choice.order()], ["tailscale", "direct", "cloudflare"])


class Heads(unittest.TestCase):
    def request(self, *lines):
        return read_request("\r\n".join([*lines, "", ""]).encode())

    def refused(self, *lines):
        with self.assertRaises(Malformed) as caught:
            self.request(*lines).body()
        return caught.exception.status

    def test_reads_a_request(self):
        request = self.request("POST /a?b=c HTTP/1.1", "Host: x", "Content-Length: 5", "X-One:  two ")
        self.assertEqual((request.method, request.target, request.body().left, request.keeps()), (b"POST", b"/a?b=c", 5, True))
        self.assertEqual(request.value(b"x-one"), b"two")

    def test_drops_what_belongs_to_one_connection(self):
        request = self.request("GET / HTTP/1.1", "Connection: close, X-Mine", "X-Mine: 1", "Keep-Alive: 5", "X-P2P-Identity: forged", "A: b")
        self.assertEqual(request.lines(), [b"A: b"])
        self.assertFalse(request.keeps())

    def test_what_frames_a_body_belongs_to_the_message_whatever_the_connection_says(self):
        for framing in ("Content-Length: 5", "Transfer-Encoding: chunked"):
            request = self.request("POST / HTTP/1.1", "Connection: content-length, Transfer-Encoding, b", framing, "B: c")
            self.assertEqual(request.lines(), [framing.encode()])

    def test_refuses_what_two_readers_could_read_differently(self):
        self.assertEqual(self.refused("POST / HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"), 400)
        self.assertEqual(self.refused("POST / HTTP/1.1", "Content-Length: 5", "Content-Length: 6"), 400)
        self.assertEqual(self.refused("POST / HTTP/1.1", "Content-Length: +5"), 400)
        self.assertEqual(self.refused("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 400)
        self.assertEqual(self.refused("POST / HTTP/1.0", "Transfer-Encoding: chunked"), 400)
        self.assertEqual(self.refused("POST / HTTP/1.1", "Content-Length : 5"), 400)
        self.assertEqual(self.refused("POST / HTTP/1.1", "A: b", " folded"), 400)
        self.assertEqual(self.refused("POST / HTTP/1.1", "A: b\nContent-Length: 3"), 400)
        self.assertEqual(self.refused("GET  / HTTP/1.1"), 400)
        self.assertEqual(self.refused("GET http://other/ HTTP/1.1"), 405)
        self.assertEqual(self.refused("CONNECT a:1 HTTP/1.1"), 405)
        self.assertEqual(self.refused("GET / HTTP/2.0"), 505)
        self.assertEqual(self.refused("GET /%s HTTP/1.1" % ("a" * 9000)), 414)
        self.assertEqual(self.refused("GET / HTTP/1.1", *["A: b"] * 129), 431)

    def test_leaves_room_for_what_is_added_on_the_way(self):
        self.assertTrue(self.request("GET / HTTP/1.1", *["A: b"] * 100).has_room())
        self.assertFalse(self.request("GET / HTTP/1.1", *["A: b"] * 101).has_room())
        first = "GET / HTTP/1.1"
        fits = 14336 - len(first) - len("A: ") - 6
        self.assertTrue(self.request(first, "A: " + "x" * fits).has_room())
        self.assertFalse(self.request(first, "A: " + "x" * (fits + 1)).has_room())

    def test_answers_without_a_body(self):
        head = b"HTTP/1.1 %d X\r\nContent-Length: 9\r\n\r\n"
        self.assertTrue(read_response(head % 304).body(b"GET").done)
        self.assertTrue(read_response(head % 200).body(b"HEAD").done)
        self.assertFalse(read_response(head % 200).body(b"GET").done)
        self.assertFalse(read_response(b"HTTP/1.1 200\r\n\r\n").body(b"GET").done)


class Chunks(unittest.TestCase):
    BODY = b"4;name=value\r\nWiki\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n"

    def test_ends_at_the_same_byte_however_it_is_cut(self):
        data = self.BODY + b"GET /next"
        for seed in range(200):
            dice, chunked, at = random.Random(seed), Chunked(), 0
            while at < len(data) and not chunked.done:
                piece = data[at: at + dice.randint(1, 7)]
                at += chunked.take(memoryview(piece))
            self.assertEqual((at, chunked.done), (len(self.BODY), True))

    def test_refuses_what_is_no_chunk(self):
        for bad in (b"x\r\n", b"-1\r\n", b" 1\r\n", b"3\r\nabcX\r\n", b"3\nabc\r\n", b"1" * 300, b"10000000000000000\r\n", b"0\r\nA: \x00\r\n\r\n"):
            with self.assertRaises(Malformed, msg=bad):
                chunked = Chunked()
                chunked.take(bad)

    def test_trailers_are_bounded(self):
        chunked = Chunked()
        chunked.take(b"0\r\n")
        with self.assertRaises(Malformed):
            for _ in range(100):
                chunked.take(b"A: %s\r\n" % (b"b" * 200))


class Identities(unittest.TestCase):
    KEY, OTHER, NOW = b"k" * 20, b"o" * 20, 1_800_000_000_000

    def line(self, receiver=b"b", method=b"GET", target=b"/x", body=0, now=NOW, key=KEY, sender=b"a"):
        return sign(key, sender, 7, receiver, method, target, Length(body), now)[0].decode()

    def check(self, gate, line, first="GET /x HTTP/1.1", now=NOW, more=(), entry=False):
        request = read_request("\r\n".join([first, line, *more, "", ""]).encode())
        try:
            return gate.check(request, request.body(), now, entry).sender
        except Refused as refused:
            return refused.fault

    def gate(self, keys=(KEY,)):
        return Gate(b"b", self.NOW - AHEAD - 1000, list(keys))

    def test_lets_in_once(self):
        gate, line = self.gate(), self.line()
        self.assertEqual([self.check(gate, line), self.check(gate, line)], ["a", "replay"])

    def test_everything_is_signed(self):
        gate = self.gate()
        self.assertEqual(self.check(gate, self.line(), "GET /y HTTP/1.1"), "signature")
        self.assertEqual(self.check(gate, self.line(), "POST /x HTTP/1.1"), "signature")
        self.assertEqual(self.check(gate, self.line(body=3), "GET /x HTTP/1.1", more=["Content-Length: 4"]), "body")
        self.assertEqual(self.check(gate, self.line(key=self.OTHER)), "signature")
        self.assertEqual(self.check(gate, self.line(receiver=b"c")), "receiver")
        self.assertEqual(self.check(gate, self.line(sender=b"b")), "sender")
        for before, after in ((" a ", " c "), (" 7 ", " 8 "), (str(self.NOW), str(self.NOW + 1))):
            self.assertEqual(self.check(gate, self.line().replace(before, after, 1)), "signature", before)
        self.assertEqual(self.check(gate, "X-P2P-Identity: p2p1 a b"), "identity")
        self.assertEqual(self.check(gate, "A: b"), "identity")
        self.assertEqual(self.check(gate, self.line() + "\r\n" + self.line()), "identity")

    def test_a_second_secret_is_known_during_a_rotation(self):
        self.assertEqual(self.check(self.gate([self.OTHER, self.KEY]), self.line()), "a")

    def test_only_who_serves_the_entry_answers_for_anybody(self):
        gate = self.gate()
        for target in (b"/.p2p/ping", b"/.p2p/nodes"):
            line, first = self.line(receiver=b"*", target=target), "GET %s HTTP/1.1" % target.decode()
            self.assertEqual(self.check(gate, line, first), "receiver")
            self.assertEqual(self.check(gate, line, first, entry=True), "a")

    def test_nothing_that_reaches_a_daemon_is_for_anybody(self):
        # It could be replayed to every other voter once.
        self.assertEqual(self.check(self.gate(), self.line(receiver=b"*"), entry=True), "receiver")

    def test_the_window_and_the_start_bound_the_age(self):
        gate = self.gate()
        self.assertEqual(self.check(gate, self.line(now=self.NOW - WINDOW - 1)), "clock")
        self.assertEqual(self.check(gate, self.line(now=self.NOW + AHEAD + 1)), "clock")
        self.assertEqual(self.check(gate, self.line(now=self.NOW + AHEAD)), "a")
        # Signed before this process could remember anything.
        self.assertEqual(self.check(gate, self.line(now=self.NOW - 2000)), "clock")

    def test_a_restart_lets_in_nothing_that_the_process_before_may_have_let_in(self):
        for ahead in range(-WINDOW, AHEAD + 1, 500):
            line = self.line(now=self.NOW + ahead)
            self.assertEqual(self.check(Gate(b"b", self.NOW - WINDOW - AHEAD, [self.KEY]), line), "a", ahead)
            again = Gate(b"b", self.NOW + 1, [self.KEY])
            for later in range(1, WINDOW, 500):
                self.assertEqual(self.check(again, line, now=self.NOW + later), "clock", (ahead, later))
            # Who signs for the time that it is told is let in at once.
            told = again.time(self.NOW + 1)
            self.assertEqual(self.check(again, self.line(now=told), now=self.NOW + 1), "a")

    def test_a_clock_that_is_set_back_does_not_open_the_door_again(self):
        gate, line = self.gate(), self.line()
        self.assertEqual(self.check(gate, line), "a")
        hour = 3600000
        self.assertEqual(self.check(gate, self.line(now=self.NOW + hour), now=self.NOW + hour), "a")
        self.assertEqual(self.check(gate, line), "clock")
        # Nobody is kept out for an hour because of that.
        self.assertEqual(self.check(gate, self.line(now=self.NOW + 1000)), "a")

    def test_what_is_forgotten_is_refused_by_its_age(self):
        gate, first = self.gate(), self.line()
        self.assertEqual(self.check(gate, first), "a")
        # As if a flood of signed requests had come within the window.
        gate._seen[self.NOW // 1000].update(os.urandom(12) for _ in range(MOST_NONCES))
        self.assertEqual(self.check(gate, self.line(now=self.NOW + 2000), now=self.NOW + 2000), "a")
        self.assertEqual(self.check(gate, first, now=self.NOW + 2000), "clock")
        self.assertEqual(gate.time(self.NOW), self.NOW // 1000 * 1000 + 1000)
        self.assertLessEqual(sum(map(len, gate._seen.values())), MOST_NONCES)

    def test_an_answer_proves_who_gave_it(self):
        nonce = b"0" * 24
        line = answer_line(self.KEY, b"b", nonce, 502, "daemon", self.NOW)
        response = read_response(b"HTTP/1.1 502 Bad\r\n" + line + b"\r\n\r\n")
        self.assertEqual(read_answer(response, self.KEY, nonce), (b"b", "daemon", self.NOW))
        self.assertIsNone(read_answer(response, self.OTHER, nonce))
        self.assertIsNone(read_answer(response, self.KEY, b"1" * 24))
        self.assertIsNone(read_answer(read_response(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n"), self.KEY, nonce))
        self.assertIsNone(read_answer(read_response(b"HTTP/1.1 502 Bad\r\n\r\n"), self.KEY, nonce))


OWN = {"node": "a", "inboundPort": 8779, "adminPort": 8778, "secretFile": "/s", "tailnet": "tun"}
FLEET = {
    "methods": ["tailscale", "relay", "cloudflare", "direct"],
    "nodes": {
        "a": {"number": 1},
        "b": {"number": 70000, "tailscale": "100.64.0.2", "cloudflare": "https://b.example.com", "direct": "192.0.2.2:9000", "watch": True},
        "c": {"number": 3, "methods": ["direct", "tailscale"], "tailscale": "fd7a:115c:a1e0::3", "direct": "c.example.com"},
    },
}


def parsed(own=OWN, fleet=FLEET):
    return settings.parse(json.dumps(own).encode(), json.dumps(fleet).encode())


class Settings(unittest.TestCase):
    def ways(self, found, name):
        return [(way.kind, way.host, way.port, way.tls, way.socks) for way in found.nodes[name].ways]

    def test_order_of_the_fleet_and_of_a_node(self):
        found = parsed()
        self.assertEqual(self.ways(found, "b"), [
            ("tailscale", "100.64.0.2", 8779, False, None),
            ("cloudflare", "b.example.com", 443, True, None),
            ("direct", "192.0.2.2", 9000, False, None),
        ])
        self.assertEqual([way[0] for way in self.ways(found, "c")], ["direct", "tailscale"])
        self.assertEqual((found.nodes["b"].loopback, sorted(found.peers)), ("127.65.17.112", ["b", "c"]))

    def test_the_door_is_open_on_every_address_unless_one_is_named(self):
        self.assertEqual(parsed().inbound_hosts, ["0.0.0.0", "::"])
        self.assertEqual(parsed({**OWN, "inboundHost": "127.0.0.1"}).inbound_hosts, ["127.0.0.1"])

    def test_the_tailnet_as_this_host_has_it(self):
        self.assertEqual(self.ways(parsed({**OWN, "tailnet": "userspace"}), "b")[0], ("tailscale", "100.64.0.2", 8779, False, ("127.0.0.1", 1055)))
        self.assertEqual([way[0] for way in self.ways(parsed({**OWN, "tailnet": "none"}), "b")], ["cloudflare", "direct"])

    def test_a_newcomer_takes_the_entry_where_a_voter_has_no_other_way(self):
        nodes = {"a": {"number": 1}, "v": {"number": 2, "watch": True}, "w": {"number": 3, "watch": True, "direct": "192.0.2.3"}, "x": {"number": 4}}
        ways = {True: {"v": ["p2p.example.com"], "w": ["192.0.2.3"], "x": []}, False: {"v": [], "w": ["192.0.2.3"], "x": []}}
        for learn, expected in ways.items():
            found = parsed(fleet={"nodes": nodes, "entry": "https://p2p.example.com", "learn": learn})
            self.assertEqual({name: [way.host for way in node.ways] for name, node in found.peers.items()}, expected)

    def test_mistakes_are_named(self):
        def mistake(own=None, **fleet):
            with self.assertRaises(settings.Mistake) as caught:
                parsed({**OWN, **(own or {})}, {**FLEET, **fleet})
            return str(caught.exception)

        self.assertEqual(mistake({"misses": 0}), "misses: expected a number from 1 to 100, got 0")
        self.assertEqual(mistake({"hurry": 1}), "the settings: hurry is not known")
        self.assertEqual(mistake({"node": "z"}), "node z itself is not among the fleet's nodes")
        self.assertEqual(mistake({"inboundPort": 70000}), "inboundPort: expected a number from 1 to 65535, got 70000")
        self.assertEqual(mistake(nodes={"a": {"number": 1}, "b": {"number": 1}}), "nodes a and b have the same number 1")
        self.assertEqual(mistake(nodes=[]), "the fleet's nodes: `nodes` is missing")
        self.assertEqual(mistake(entry="http://x"), "entry: 'http://x' is no https address of a host")
        bad = {"a": {"number": 1}, "b": {"number": 2, "direct": "a b"}}
        self.assertEqual(mistake(nodes=bad), "nodes.b.direct: 'a b' is no address")
        with self.assertRaises(settings.Mistake):
            settings.parse(b"{", b"{}")

    def test_learnt_nodes_complete_the_list_and_change_nothing(self):
        own = json.dumps({"nodes": {"a": {"number": 1}}}).encode()
        learned = {"a": {"number": 9}, "b": {"number": 2}, "c": {"number": 1}}
        self.assertEqual(json.loads(settings.complete(own, learned)), {"nodes": {"a": {"number": 1}, "b": {"number": 2}}})
        self.assertEqual(settings.complete(own, {}), own)

    def test_secret_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "secret")

            def write(text, mode=0o600):
                with open(path, "w") as stream:
                    stream.write(text)
                os.chmod(path, mode)

            write("n" * 20 + "\n\n" + "o" * 20 + "\n")
            self.assertEqual(settings.secrets(path), [b"n" * 20, b"o" * 20])
            write("n" * 20, 0o640)
            self.assertRaises(settings.Mistake, settings.secrets, path)
            write("short")
            self.assertRaises(settings.Mistake, settings.secrets, path)
            write(json.dumps({"client_id": "id.access", "client_secret": "0123"}))
            self.assertEqual(settings.access(path), [b"CF-Access-Client-Id: id.access", b"CF-Access-Client-Secret: 0123"])
            for bad in ({"client_id": "x"}, {"client_id": "x\r\nHost: y", "client_secret": "z"}, []):
                write(json.dumps(bad))
                self.assertRaises(settings.Mistake, settings.access, path)


class EventFile(unittest.TestCase):
    def test_holds_the_last_thousand_and_survives(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "events.jsonl")
            first = events.Events(path, say=lambda text: None)
            for index in range(1500):
                first.add("active", peer="b", reason=index)
            first.save()
            with open(path) as stream:
                lines = stream.readlines()
            self.assertEqual((len(lines), json.loads(lines[0])["reason"]), (1000, "500"))
            with open(path, "a") as stream:
                stream.write("{half")
            again = events.Events(path, say=lambda text: None)
            self.assertEqual((len(again.list), again.list[-1]["reason"]), (999, "1499"))
            self.assertEqual(os.listdir(folder), ["events.jsonl"])

    def test_what_cannot_be_written_is_said_once_and_kept(self):
        said = []
        found = events.Events("/proc/no/such/place", say=said.append)
        found.add("active", reason="x")
        found.save()
        found.save()
        self.assertEqual(len([text for text in said if text.startswith("events cannot be written")]), 1)
        self.assertEqual([event["what"] for event in found.list], ["active"])


if __name__ == "__main__":
    unittest.main()
