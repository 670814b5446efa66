"""The checkout at the wanted commit, never over local changes."""
import os
import files, packages
from inspection import commit
from journal import Held
from shell import must, run


def converge(spec, mirror):
    if not packages.which("git"):
        packages.install(["git"], mirror)
    path, wanted = spec["path"], spec["commit"]
    have = commit(path)
    if have and have["commit"] == wanted:
        return None
    if have and have["dirty"]:
        raise Held("%s has local changes at %s; commit or discard them first" % (path, have["commit"][:12]))
    git = ["git", "-c", "safe.directory=*", "-C", path]
    if not have:
        if os.path.isdir(path) and os.listdir(path) and not os.path.isdir(path + "/.git"):
            raise Held("%s is not empty and not a checkout" % path)
        files.make_dirs(path, spec["owner"])
        must(git + ["init", "-q"], user=spec["owner"])
    options = {"user": spec["owner"], "timeout": 300}
    # Not every server gives out a commit by its id: then everything is fetched.
    if run(git + ["cat-file", "-e", wanted + "^{commit}"], **options)[0]:
        if run(git + ["fetch", "-q", "--depth", "1", spec["repository"], wanted], **options)[0]:
            must(git + ["fetch", "-q", spec["repository"], "+refs/heads/*:refs/remotes/p2p-fleet/*"], **options)
    must(git + ["-c", "advice.detachedHead=false", "checkout", "-q", "--detach", wanted], **options)
    return (have["commit"][:12] if have else "none"), wanted[:12]
