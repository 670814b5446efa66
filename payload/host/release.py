"""Content-addressed releases and the link to the one that runs."""
import json, os, shutil, stat
import contents, files, inspection, state
from journal import Failed
from launcher import TEXT
from paths import BASE, CACHE, CURRENT, LOG_DIR, PYTHON, RELEASES
from shell import account

# A file for each token, so that a rotation never changes one that a daemon may read.
TOKENS = "/etc/ringrift/cluster-token"


def content(release):
    """The files of a release's directory, by name: (data, mode)."""
    return {"release.json": (json.dumps(release, indent=1, sort_keys=True) + "\n", "0644"), "run": (TEXT, "0755")}


def current():
    try:
        return os.path.basename(os.readlink(CURRENT))
    except OSError:
        return None


def kept():
    """Digests, the newest first."""
    try:
        found = [name for name in os.listdir(RELEASES) if "." not in name]
    except OSError:
        return []
    return sorted(found, key=lambda name: -os.path.getmtime(os.path.join(RELEASES, name)))


def load(digest):
    """The release as it was written; None when it is gone or was changed into something unreadable."""
    try:
        return json.loads(files.text_of("%s/%s/release.json" % (RELEASES, digest)))
    except ValueError:
        return None


def intact(digest):
    """Its content still gives its name, and its program is as written."""
    return bool(digest) and gives_its_name(digest) and not altered(digest)


def gives_its_name(digest):
    text = json.dumps(load(digest), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return files.sha(text.encode())[:16] == digest


def altered(digest):
    """What of its files is not as written, but for release.json: the text of that is known to the controller alone."""
    found = [contents.alteration("%s/%s/run" % (RELEASES, digest), TEXT, "0755")]
    found += [closed(folder) for folder in folders(digest)]
    return [one for one in found if one]


def folders(digest):
    """What the daemon's user, who need not be root, passes on the way to it."""
    return [BASE, RELEASES, "%s/%s" % (RELEASES, digest)]


def closed(folder):
    mode = stat.S_IMODE(os.stat(folder).st_mode) if os.path.isdir(folder) else 0o755
    return None if mode & 0o555 == 0o555 else {"what": folder + " mode", "want": "0755", "is": "%04o" % mode}


def fact():
    here = current()
    edited = here is not None and not gives_its_name(here)
    return {
        "current": here, "good": state.load()["good"], "kept": kept(), "intact": here is None or intact(here),
        "altered": altered(here) if here else [], "requires": token_of(here), "runs": None,
        "text": files.text_of("%s/%s/release.json" % (RELEASES, here))[:16000] if edited else None,
    }


def runs(digest, pid):
    """
    Whether a process was started from this release; None when that cannot be told: it is starting, or has given
    itself another name. The link says only what the next start will be made of.
    """
    launch = (load(digest) or {}).get("launch") if digest and pid else None
    argv = inspection.argv_of(pid)[:-1] if launch else []
    environ = inspection.quiet_read("/proc/%s/environ" % pid)
    if len(argv) < 2 or argv[0] != PYTHON or argv[1].startswith("-") or not environ:
        return None
    # What is not ASCII is written as the host's language says.
    wanted = {"%s=%s" % item for item in launch["environment"].items()}
    given = set(environ.decode("utf-8", "replace").split("\0"))
    return argv == launch["argv"] and {one for one in wanted if one.isascii()} <= given


def token_of(digest):
    """Keyed digest of the cluster token that a release requires."""
    secrets = (load(digest) or {}).get("secrets") if digest else None
    return next((told for path, told in sorted((secrets or {}).items()) if path.startswith(TOKENS)), None)


def tokens_in_use():
    """Paths of the tokens that the release which runs names."""
    here = current()
    secrets = (load(here) or {}).get("secrets") if here else None
    return [path for path in secrets or {} if path.startswith(TOKENS)]


def forget_tokens(content):
    """Tokens that neither the running release nor the last secrets phase names are of no use but to a thief."""
    memory = state.load()
    keep = set(content["secrets"]) | set(memory.get("wantedSecrets", memory["secrets"]))
    gone = [path for path in sorted(memory["secrets"]) if path.startswith(TOKENS) and path not in keep]
    for path in gone:
        files.remove_tree(path)
        memory["secrets"].pop(path)
        memory["originals"].pop(path, None)
    if gone:
        state.save(memory)
    return (", ".join(gone), "removed") if gone else None


def store(digest, release):
    folder = "%s/%s" % (RELEASES, digest)
    if intact(digest):
        return None
    before = "edited" if os.path.isdir(folder) else "absent"
    files.make_dirs(RELEASES)
    if before == "edited":
        for name, (data, mode) in content(release).items():
            files.put("%s/%s" % (folder, name), data, mode)
    else:
        aside = folder + ".new"
        shutil.rmtree(aside, ignore_errors=True)
        os.mkdir(aside)
        for name, (data, mode) in content(release).items():
            files.put("%s/%s" % (aside, name), data, mode)
        os.rename(aside, folder)
    for path in filter(closed, folders(digest)):
        os.chmod(path, 0o755)
    if not intact(digest):
        raise Failed("content and digest of release %s do not agree" % digest)
    return before, digest


def switch(digest):
    if current() == digest:
        return None
    before = current()
    aside = CURRENT + ".new"
    if os.path.lexists(aside):
        os.unlink(aside)
    os.symlink("releases/" + digest, aside)
    os.replace(aside, CURRENT)
    os.utime("%s/%s" % (RELEASES, digest))
    return before or "none", digest


def put_files(release):
    """Everything outside the release's directory that goes with it."""
    changed = [spec["path"] for spec in release["files"] if contents.put(spec)]
    entry = account(release["user"])
    for folder in (CACHE, LOG_DIR):
        files.make_dirs(folder)
    pycache = CACHE + "/pycache"
    files.make_dirs(pycache, release["user"])
    if os.stat(pycache).st_uid != entry.pw_uid:
        os.chown(pycache, entry.pw_uid, entry.pw_gid)
    return ("differed", ", ".join(changed)) if changed else None


def prune(keep):
    """The last three stay, and those named in `keep`."""
    gone = [name for name in kept()[3:] if name not in keep]
    for name in gone:
        shutil.rmtree("%s/%s" % (RELEASES, name))
    return ("%d releases" % len(gone), "removed") if gone else None
