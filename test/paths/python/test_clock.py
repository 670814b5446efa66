"""The forwarder's own clock."""
import os, sys, tempfile, unittest, unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "payload", "forwarder")))

from clock import EVERY, Clock


class Clocks(unittest.TestCase):
    """The machine's clock is `machine` seconds, and `steady` ones have passed since it started."""

    def setUp(self):
        self.machine, self.steady = 1_700_000_000.0, 5.0
        for name, look in (("time", lambda: self.machine), ("monotonic", lambda: self.steady), ("clock_gettime", lambda _: self.steady)):
            patch = unittest.mock.patch("time." + name, look)
            patch.start()
            self.addCleanup(patch.stop)

    def test_goes_on_evenly_whatever_happens_to_the_machine_s(self):
        clock, began = Clock(), 1_700_000_000_000
        self.assertEqual(clock.now(), began)
        for jump in (7200, -7200, -90_000_000, 200_000_000):
            self.machine += jump
            self.steady += 1.5
            began += 1500
            self.assertEqual(clock.now(), began)

    def test_starts_behind_what_the_process_before_may_have_let_in(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "clock")
            clock = Clock(path)
            clock.save()
            self.steady += EVERY - 1
            clock.save()
            # The mark is half a minute old at most, and nobody knows how old.
            self.machine -= 7200
            self.assertEqual(Clock(path).now(), clock.now() + 1000)
            clock.save(True)
            self.assertEqual(Clock(path).now(), clock.now() + EVERY * 1000)
            self.machine += 7200 + EVERY
            self.assertEqual(Clock(path).now(), self.machine * 1000)

    def test_a_mark_that_cannot_be_read_or_written_is_none(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "clock")
            for text in (b"", b"soon", b"-1", b"9" * 40, b"\xff" * 9, b"1" * 5000):
                with open(path, "wb") as stream:
                    stream.write(text)
                self.assertEqual(Clock(path).now(), self.machine * 1000)
            clock = Clock(os.path.join(folder, "gone", "clock"))
            clock.save()
            self.assertEqual(clock.now(), self.machine * 1000)


if __name__ == "__main__":
    unittest.main()
