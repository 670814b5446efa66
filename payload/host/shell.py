"""Runs programs, never through a shell; what they print goes to the log."""
import os, pwd, subprocess
from journal import Failed, say

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(**more):
    """A clean environment: nothing of the login session changes what a program does."""
    env = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    for name in os.environ:
        if name.lower() in ("http_proxy", "https_proxy", "no_proxy"):
            env[name] = os.environ[name]
    env.update(more)
    return env


def account(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise Failed("user %s does not exist here" % name)


def become(entry):
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def run(argv, timeout=120, user=None, cwd="/", env=None, stdin=None, quiet=False, pass_fds=()):
    """(exit code, output of both streams). 127 when there is no such program, 124 out of time."""
    entry = account(user) if user and user != "root" and os.geteuid() == 0 else None
    if entry:
        env = dict(env or environment(), HOME=entry.pw_dir, USER=user, LOGNAME=user)
    try:
        done = subprocess.run(
            argv, stdin=None if stdin else subprocess.DEVNULL, input=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=timeout, cwd=cwd, env=env or environment(),
            preexec_fn=entry and (lambda: become(entry)), pass_fds=pass_fds,
        )
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        code, output = 124, (error.stdout or b"") + b"\nout of time"
    except OSError as error:
        code, output = 127, str(error).encode()
    output = output.decode("utf-8", "replace")
    if not quiet:
        say("$", " ".join(argv)[:300], "->", code, "\n" + output[-4000:] if output.strip() else "")
    return code, output


def must(argv, **options):
    """Output of a program that has to succeed; otherwise its last words are the error."""
    code, output = run(argv, **options)
    if code:
        raise Failed("%s: exit %d: %s" % (os.path.basename(argv[0]), code, last_words(output)))
    return output


def last_words(output):
    """The line that says most: an error of pip, apt or nft, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("ERROR:", "E:", "fatal:", "error:")) or ": Error: " in line]
    return (told or lines or [""])[-1][:400]
