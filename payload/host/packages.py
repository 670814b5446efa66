"""The system's package manager; what it brought is remembered, so that leaving takes it away again."""
import os, shutil
import files, state
from journal import Failed
from paths import STATE
from shell import PATH, environment, last_words, run


def which(program):
    return shutil.which(program, path=PATH)


def installed():
    code, output = run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n"], quiet=True)
    return {line.split()[0] for line in output.splitlines() if line.endswith("ii ")} if code == 0 else set()


def apt_options(mirror):
    """The mirror instead of the host's own sources, for this one call."""
    if not mirror:
        return []
    line = mirror
    if not mirror.startswith("deb "):
        line = "deb %s %s main" % (mirror, codename())
    source = STATE + "/mirror.list"
    files.write(source, (line + "\n").encode())
    lists = STATE + "/apt-lists"
    os.makedirs(lists + "/partial", exist_ok=True)
    return ["-o", "Dir::Etc::sourcelist=" + source, "-o", "Dir::Etc::sourceparts=-", "-o", "Dir::State::lists=" + lists]


def codename():
    fields = dict(line.split("=", 1) for line in files.text_of("/etc/os-release").splitlines() if "=" in line)
    return fields.get("VERSION_CODENAME", "stable").strip('"')


def install(names, mirror=None):
    """Installs packages, named as Debian does. Raises Failed with the manager's last words."""
    if which("apt-get"):
        before = installed()
        apt = ["apt-get", "-q", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=15", "-o", "DPkg::Lock::Timeout=60"]
        apt += apt_options(mirror)
        code, output = run(apt + ["update"], timeout=180)
        done, text = run(apt + ["install", "-y", "--no-install-recommends"] + names, timeout=300)
        memory = state.load()
        memory["packages"] = sorted(set(memory["packages"]) | (installed() - before))
        state.save(memory)
        if done:
            raise Failed("apt-get: " + last_words(output if code else text))
        return
    for manager in (["dnf", "install", "-y"], ["yum", "install", "-y"], ["apk", "add"]):
        if which(manager[0]):
            code, output = run(manager + names, timeout=300)
            if code:
                raise Failed("%s: %s" % (manager[0], last_words(output)))
            return
    raise Failed("no package manager known to us could install " + " ".join(names))


def remove_ours():
    names = [name for name in state.load()["packages"] if name in installed()]
    if not names:
        return None
    code, output = run(["dpkg", "--purge"] + names, timeout=300, env=environment())
    if code:
        raise Failed("dpkg: " + last_words(output))
    return " ".join(names), "removed"
