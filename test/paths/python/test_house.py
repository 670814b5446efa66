"""Who goes when a house is full, and what is dropped for its time."""
import os, sys, unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3, "payload", "forwarder"))
import house
from house import LATE, House


class Wire:
    def __init__(self, known=False, deadline=None, patience=None, used=0.0):
        self.known, self.deadline, self.patience, self.used = known, deadline, patience, used
        self.why = None

    def abort(self, why):
        self.why = why


class Full(unittest.TestCase):
    def gone(self, *wires):
        rooms = House(len(wires))
        for wire in wires:
            rooms.enter(wire)
        newcomer = Wire()
        return rooms.enter(newcomer), [wire.why is not None for wire in wires], (rooms.evicted, rooms.refused), newcomer in rooms.accepted

    def test_the_stranger_that_has_waited_longest_goes(self):
        self.assertEqual(self.gone(Wire(), Wire(), Wire()), (True, [True, False, False], (1, 0), True))

    def test_a_known_one_goes_only_where_there_is_no_stranger(self):
        self.assertEqual(self.gone(Wire(known=True), Wire(), Wire()), (True, [False, True, False], (1, 0), True))
        self.assertEqual(self.gone(Wire(known=True), Wire(known=True)), (True, [True, False], (1, 0), True))

    def test_nobody_goes_who_is_being_served(self):
        rooms, served = House(1), Wire()
        rooms.enter(served)
        rooms.busy(served, True)
        self.assertFalse(rooms.enter(Wire()))
        self.assertEqual((served.why, rooms.evicted, rooms.refused), (None, 0, 1))


class Sweeping(unittest.TestCase):
    def setUp(self):
        self.now = 1000.0
        clock = mock.patch.object(house.time, "monotonic", lambda: self.now)
        clock.start()
        self.addCleanup(clock.stop)
        self.rooms = House(8)

    def after(self, seconds, *wires):
        for wire in wires:
            self.rooms.enter(wire)
        self.now += seconds
        self.rooms.sweep()
        return [wire.why for wire in wires]

    def test_what_is_beyond_its_time_is_dropped(self):
        wires = Wire(deadline=1000.5), Wire(patience=5, used=990.0), Wire(deadline=1001.5, patience=5, used=999.0)
        self.assertEqual(self.after(1, *wires), ["out of time", "nothing moved for 5 s", None])

    def test_a_sweep_that_comes_late_lets_what_has_come_be_read_first(self):
        read, silent = Wire(patience=5, used=999.0), Wire(patience=5, used=999.0)
        self.assertEqual(self.after(60, read, silent), [None, None])
        read.used = self.now
        self.now += LATE + 1
        self.rooms.sweep()
        self.assertEqual((read.why, silent.why), (None, "nothing moved for 5 s"))


if __name__ == "__main__":
    unittest.main()
