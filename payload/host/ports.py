"""Who listens where, from the kernel's tables."""
import os, socket, struct
from files import text_of
from inspection import quiet_read


def address_of(text):
    host, port = text.split(":")
    # The kernel prints each 32-bit word as a number of its own byte order.
    packed = b"".join(struct.pack("=I", int(host[i:i + 8], 16)) for i in range(0, len(host), 8))
    return socket.inet_ntop(socket.AF_INET if len(host) == 8 else socket.AF_INET6, packed), int(port, 16)


def listeners():
    """(address, port, inode) of listening TCP sockets."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = text_of(table).splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A":
                found.append(address_of(fields[1]) + (fields[9],))
    return found


def holders(port):
    """Process ids that hold the port; None for one that cannot be seen from here."""
    inodes = {"socket:[%s]" % inode for _, held, inode in listeners() if held == port}
    pids, seen = set(), set()
    for name in os.listdir("/proc") if inodes else []:
        if not name.isdigit():
            continue
        try:
            for handle in os.listdir("/proc/%s/fd" % name):
                target = os.readlink("/proc/%s/fd/%s" % (name, handle))
                if target in inodes:
                    pids.add(int(name))
                    seen.add(target)
        except OSError:
            continue
    return sorted(pids) + [None] * bool(inodes - seen)


def unit_of(pid):
    """The systemd unit a process belongs to, or None."""
    for line in (quiet_read("/proc/%d/cgroup" % pid) or b"").decode().splitlines():
        for part in reversed(line.split(":", 2)[-1].split("/")):
            if part.endswith((".service", ".scope")) and not part.startswith(("user@", "init.scope")):
                return part
    return None


def name_of(pid):
    """`old.service (pid 12, python3 p2p.py)`: enough to find it."""
    if pid is None:
        return "a process that is not visible from here"
    argv = (quiet_read("/proc/%d/cmdline" % pid) or b"?").decode("utf-8", "replace").split("\0")
    # Arguments may hold secrets; the program and its script do not.
    words = " ".join([os.path.basename(argv[0])] + [os.path.basename(word) for word in argv[1:3] if word and not word.startswith("-")][:1])
    unit = unit_of(pid)
    return "%spid %d (%s)" % (unit + ", " if unit else "", pid, words)
