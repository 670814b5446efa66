"""Whether rules can be changed here at all."""
import errno
import unittest
import unittest.mock

import private  # noqa: F401
import firewall

ALL, NONE = "CapEff:\t000001ffffffffff\n", "CapEff:\t00000000a80425fb\n"


class MayChange(unittest.TestCase):
    def may(self, status, ioctl):
        with unittest.mock.patch.object(firewall.files, "text_of", lambda path: status), unittest.mock.patch.object(firewall.fcntl, "ioctl", ioctl):
            return firewall.may_change()

    def test_takes_the_capability_for_the_network_that_this_is_in(self):
        def owner(handle, request):
            return firewall.os.dup(handle)

        def fails(number):
            return unittest.mock.Mock(side_effect=OSError(number, "no"))

        self.assertTrue(self.may(ALL, owner))
        self.assertFalse(self.may(NONE, owner))
        # Root of a container only, in a network from outside.
        self.assertFalse(self.may(ALL, fails(errno.EPERM)))
        # A kernel that does not know the question.
        self.assertTrue(self.may(ALL, fails(errno.ENOTTY)))
