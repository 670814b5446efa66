"""Pinned binaries: downloaded, checked, unpacked aside, renamed; a link leads to the version in use."""
import http.client, json, os, platform, shutil, tarfile, time, urllib.error, urllib.request
import files
from journal import Failed, say
from paths import BIN, CACHE, TOOLS

DOWNLOADS = CACHE + "/downloads"
ATTEMPTS = 4
CHUNK = 1 << 18


def folder_of(name, version):
    return "%s/%s-%s" % (TOOLS, name, version)


def source_of(tool):
    machine = platform.machine()
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine)
    if machine not in tool["sources"]:
        raise Failed("there is no %s for %s" % (tool["name"], machine))
    return tool["sources"][machine]


def linked(name):
    """Version that `bin/<name>` leads to, or None."""
    try:
        folder = os.path.basename(os.path.dirname(os.readlink("%s/%s" % (BIN, name))))
    except OSError:
        return None
    return folder[len(name) + 1:] if folder.startswith(name + "-") else None


def stamp(path):
    info = os.stat(path)
    return [info.st_size, info.st_mtime_ns, info.st_ctime_ns]


def sha_of(path):
    digest = files.hashlib.sha256()
    with open(path, "rb") as stream:
        for part in iter(lambda: stream.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()


def record_of(name, version):
    try:
        return json.loads(files.text_of(folder_of(name, version) + "/installed.json"))
    except ValueError:
        return None


def intact(name, version):
    """The record of an installed version if its binary is still the one that was put there, else None."""
    record, path = record_of(name, version), "%s/%s" % (folder_of(name, version), name)
    try:
        # Hashing 50 MB at each probe of each host would cost more than all the rest of it.
        whole = record and (stamp(path) == record["stamp"] or sha_of(path) == record["binary"]) and os.access(path, os.X_OK)
    except (OSError, KeyError):
        return None
    return record if whole else None


def facts():
    found = {}
    for name in sorted(os.listdir(BIN)) if os.path.isdir(BIN) else []:
        version = linked(name)
        if version:
            record = intact(name, version)
            found[name] = {"version": version, "digest": record["source"] if record else None, "intact": record is not None}
    return found


def fetch(url, path):
    """Goes on where an earlier attempt broke off, if the server lets it."""
    have = os.path.getsize(path) if os.path.exists(path) else 0
    request = urllib.request.Request(url, headers={"User-Agent": "p2p-fleet", **({"Range": "bytes=%d-" % have} if have else {})})
    with urllib.request.urlopen(request, timeout=30) as answer:
        with open(path, "ab" if answer.status == 206 else "wb") as stream:
            shutil.copyfileobj(answer, stream, CHUNK)
        rest = answer.headers.get("Content-Length")
    if rest and os.path.getsize(path) != int(rest) + (have if answer.status == 206 else 0):
        raise OSError("the connection broke off at %d bytes" % os.path.getsize(path))


def download(source):
    """Path of the checked download, kept until all tools are there: several may come in one archive."""
    path = "%s/%s" % (DOWNLOADS, source["sha256"])
    if os.path.exists(path) and sha_of(path) == source["sha256"]:
        return path
    files.make_dirs(DOWNLOADS)
    part, error = path + ".part", None
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(attempt)
        try:
            fetch(source["url"], part)
        except urllib.error.HTTPError as answer:
            error = "HTTP status %d" % answer.code
            say(source["url"], error)
            # 416: what is there is as long as the whole or longer. Other refusals will not change in seconds.
            files.remove_tree(part) if answer.code == 416 else None
            if answer.code < 500 and answer.code not in (408, 416, 429):
                break
            continue
        except (OSError, http.client.HTTPException) as broken:
            error = str(getattr(broken, "reason", broken)) or type(broken).__name__
            say(source["url"], error)
            continue
        digest = sha_of(part)
        if digest == source["sha256"]:
            os.replace(part, path)
            return path
        files.remove_tree(part)
        raise Failed("%s has sha256 %s, but %s is wanted" % (source["url"], digest, source["sha256"]))
    raise Failed("%s: %s" % (source["url"], error))


def unpack(archive, member, target):
    if member is None:
        shutil.copyfile(archive, target)
        return
    try:
        with tarfile.open(archive) as tar:
            stream = tar.extractfile(member)
            if stream is None:
                raise Failed("%s is not a file of the archive" % member)
            with open(target, "wb") as out:
                shutil.copyfileobj(stream, out, CHUNK)
    except (KeyError, tarfile.TarError) as error:
        raise Failed("the archive does not give %s: %s" % (member, error))


def install(tool):
    name, version, source = tool["name"], tool["version"], source_of(tool)
    before, folder = linked(name), folder_of(name, version)
    record = intact(name, version)
    if not record or record["source"] != source["sha256"]:
        archive = download(source)
        aside = folder + ".new"
        shutil.rmtree(aside, ignore_errors=True)
        files.make_dirs(aside)
        path = "%s/%s" % (aside, name)
        unpack(archive, source["member"], path)
        os.chmod(path, 0o755)
        record = {"source": source["sha256"], "binary": sha_of(path), "stamp": stamp(path)}
        files.write(aside + "/installed.json", json.dumps(record).encode())
        os.sync()
        # A running process keeps the old file; the next start takes the new one.
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(aside, folder)
    elif before == version:
        return None
    link(name, version)
    return before or "absent", version


def link(name, version):
    files.make_dirs(BIN)
    aside = "%s/.%s.new" % (BIN, name)
    files.remove_tree(aside)
    os.symlink("../tools/%s-%s/%s" % (name, version, name), aside)
    os.replace(aside, "%s/%s" % (BIN, name))


def prune(wanted, before):
    """Versions that neither are in use nor were, and tools that nothing needs; `before`: name -> version."""
    gone = []
    for name in sorted(os.listdir(BIN)) if os.path.isdir(BIN) else []:
        if name not in wanted:
            files.remove_tree("%s/%s" % (BIN, name))
            gone.append(name)
    keep = {"%s-%s" % (name, version) for name, version in wanted.items()}
    keep |= {"%s-%s" % (name, version) for name, version in before.items() if name in wanted}
    for entry in sorted(os.listdir(TOOLS)) if os.path.isdir(TOOLS) else []:
        if entry not in keep:
            files.remove_tree("%s/%s" % (TOOLS, entry))
            gone.append(entry)
    files.remove_tree(DOWNLOADS)
    return (", ".join(gone), "removed") if gone else None
