"""A connection with nobody at the other end. Run by units.test.ts."""
import asyncio, os, sys, unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "payload", "forwarder")))

from wire import Wire


class Transport(asyncio.Transport):
    def set_write_buffer_limits(self, high=None, low=None):
        pass


class TheOtherSideHasSentAll(unittest.TestCase):
    def test_and_may_still_wait_for_an_answer_except_over_tls(self):
        for context, stays in ((None, True), ("a context", False)):
            wire = Wire()
            wire.connection_made(Transport({"sslcontext": context}))
            # asyncio complains, in every host's journal, where TLS is to stay half open.
            self.assertIs(wire.eof_received(), stays)
            self.assertTrue(wire.eof)


if __name__ == "__main__":
    unittest.main()
