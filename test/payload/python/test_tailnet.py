"""What is left of a tailnet on a host that is to be in none."""
import os
import unittest
from unittest import mock

import private  # noqa: F401
import paths
import state
import tailnet


class Forget(unittest.TestCase):
    def setUp(self):
        self.identity = paths.BASE + "/tailscale/tailscaled.state"
        for path in (tailnet.OURS, self.identity):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as stream:
                stream.write("#!/bin/sh\nexit 0\n")
            os.chmod(path, 0o755)
        state.update(tailnet={"nodeId": "n1"})

    def tearDown(self):
        state.update(tailnet={})

    def test_identity_and_memory_go_once(self):
        self.assertEqual(tailnet.forget(), ("joined", "forgotten"))
        self.assertFalse(os.path.exists(self.identity))
        self.assertEqual(state.load()["tailnet"], {})
        self.assertIsNone(tailnet.forget())

    def test_a_login_that_was_never_ours_stays(self):
        state.update(tailnet={})
        self.assertIsNone(tailnet.forget())
        self.assertTrue(os.path.exists(self.identity))

    def test_the_systems_own_tailscaled_stays(self):
        os.unlink(tailnet.OURS)
        self.assertIsNone(tailnet.forget())
        self.assertEqual(state.load()["tailnet"], {"nodeId": "n1"})
        self.assertTrue(os.path.exists(self.identity))


class Leave(unittest.TestCase):
    def left(self, memory, ours, for_good):
        state.update(tailnet=memory)
        found = {"ours": ours, "backend": "Running", "name": "h4.example.ts.net", "nodeId": "n1"}
        with mock.patch.object(tailnet, "fact", lambda: found), mock.patch.object(tailnet, "run", lambda *_, **__: (0, "")):
            return tailnet.leave(for_good)

    def tearDown(self):
        state.update(tailnet={})

    def test_only_a_login_that_we_made_ends(self):
        done = ("joined as h4.example.ts.net", "logged out")
        ours, theirs = {"nodeId": "n1", "login": True}, {"nodeId": "n1", "login": False}
        self.assertEqual([self.left(ours, True, False), self.left(theirs, True, True)], [done, done])
        self.assertEqual([self.left(ours, False, True), self.left(ours, False, False)], [done, None])
        self.assertEqual([self.left(theirs, False, True), self.left({}, True, True)], [None, None])


if __name__ == "__main__":
    unittest.main()
