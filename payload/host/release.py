"""Content-addressed releases and the link to the one that runs."""
import json, os, shutil
import contents, files, state
from journal import Failed
from launcher import TEXT
from paths import CACHE, CURRENT, LOG_DIR, RELEASES
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
    """Its content still gives its name."""
    release = load(digest) if digest else None
    if release is None:
        return False
    text = json.dumps(release, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return files.sha(text.encode())[:16] == digest and files.text_of("%s/%s/run" % (RELEASES, digest)) == TEXT


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
