"""What kind of host this is."""
import fcntl, os, platform, signal, struct, time
from files import read, text_of
from packages import which
from shell import run


def processes():
    """(pid, argv) of every process; for naming them, never for judging health."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            argv = [part.decode("utf-8", "replace") for part in (quiet_read("/proc/%s/cmdline" % name) or b"").split(b"\0")]
            if argv[0]:
                yield int(name), argv[:-1] or argv


def quiet_read(path):
    try:
        return read(path)
    except OSError:
        return None


def stat_of(pid):
    """(parent, start time in seconds since 1970); (None, None) when it is gone, or dead and not yet reaped."""
    try:
        fields = (quiet_read("/proc/%d/stat" % pid) or b"").decode("utf-8", "replace").rpartition(")")[2].split()
        if fields[0] == "Z":
            return None, None
        btime = next(line.split()[1] for line in text_of("/proc/stat").splitlines() if line.startswith("btime"))
        return int(fields[1]), int(btime) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (IndexError, StopIteration, ValueError):
        return None, None


def argv_of(pid):
    return (quiet_read("/proc/%d/cmdline" % pid) or b"").decode("utf-8", "replace").split("\0")


def service_of(pid):
    """Name of the support service of ours that a process belongs to: what runs it says so in its environment."""
    for entry in (quiet_read("/proc/%d/environ" % pid) or b"").split(b"\0") if pid else []:
        if entry.startswith(b"RINGRIFT_P2P_SERVICE="):
            return entry.partition(b"=")[2].decode("utf-8", "replace")
    return None


def end(pid, seconds):
    """SIGTERM, and SIGKILL after some seconds; the start time makes sure that it is still the same process."""
    began = stat_of(pid)[1]
    for number, wait in ((signal.SIGTERM, seconds * 10), (signal.SIGKILL, 50)):
        for turn in range(wait):
            if began is None or stat_of(pid)[1] != began:
                return
            if turn == 0:
                os.kill(pid, number)
            time.sleep(0.1)


def supervisord_conf():
    """Configuration of the supervisord that the machine runs by itself (not ours); None without one."""
    for pid, argv in processes():
        words = [os.path.basename(word) for word in argv[:3]]
        if "supervisord" in words and not any("ringrift-p2p" in word for word in argv):
            given = [argv[i + 1] for i, word in enumerate(argv[:-1]) if word in ("-c", "--configuration")]
            for path in given + ["/etc/supervisor/supervisord.conf", "/etc/supervisord.conf"]:
                if os.path.exists(path):
                    return path
    return None


def init():
    if platform.system() == "Darwin":
        return "launchd"
    if os.path.isdir("/run/systemd/system") and which("systemctl"):
        return "systemd"
    return "supervisord" if supervisord_conf() else "none"


def tun_opens():
    """A TUN device opens; that /dev/net/tun exists says nothing."""
    try:
        handle = os.open("/dev/net/tun", os.O_RDWR)
    except OSError:
        return False
    try:
        # TUNSETIFF with IFF_TUN | IFF_NO_PI; the device goes with the handle.
        fcntl.ioctl(handle, 0x400454CA, struct.pack("16sH22x", b"p2pprobe%d", 0x1001))
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def is_container():
    if any(os.path.exists(path) for path in ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")):
        return True
    return b"container=" in (quiet_read("/proc/1/environ") or b"")


def os_name():
    for line in text_of("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.platform()


def commit(path):
    """Commit of a checkout and whether tracked files were changed; None when it is not one."""
    if not path or not os.path.isdir(path):
        return None
    git = ["git", "-c", "safe.directory=*", "-C", path]
    code, head = run(git + ["rev-parse", "HEAD"], quiet=True, timeout=10)
    if code:
        return None
    code, dirty = run(["env", "GIT_OPTIONAL_LOCKS=0"] + git + ["status", "--porcelain", "--untracked-files=no"], quiet=True, timeout=15)
    return {"commit": head.strip()[:64], "dirty": bool(dirty.strip())}
