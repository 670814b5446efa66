"""A short run of fuzz.py. Another seed, or a longer run: see there."""
import sys, unittest

sys.dont_write_bytecode = True

from fuzz import fuzz


class BadHttp(unittest.TestCase):
    def test_neither_confuses_an_origin_nor_a_client(self):
        findings, counts = fuzz("paths", 25)
        self.assertEqual(findings, [])
        # It has tried something: good requests arrived and were answered, bad ones were refused.
        self.assertGreater(counts["200"], 20)
        self.assertGreater(counts["400"], 20)
        self.assertGreater(counts["arrived"], 50)
