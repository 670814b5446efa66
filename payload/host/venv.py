"""A venv of our own that sees the packages of the plan's interpreter; nothing is installed anywhere else."""
import glob, html, json, os, re, sysconfig, urllib.parse, urllib.request
import files, packages, state
from journal import Failed
from paths import CACHE, PYTHON, VENV
from shell import environment, last_words, run

ASK = (
    "import json,sys,sysconfig,os;v=sys.prefix!=sys.base_prefix;"
    "c=os.path.join(sys.prefix,'pyvenv.cfg');"
    "print(json.dumps(dict(path=sys.executable,version='.'.join(map(str,sys.version_info[:3])),"
    "lib=sysconfig.get_path('purelib'),plat=sysconfig.get_path('platlib'),venv=v,"
    "system=(not v) or 'include-system-site-packages = true' in open(c).read().lower(),"
    "managed=os.path.exists(os.path.join(sysconfig.get_path('stdlib'),'EXTERNALLY-MANAGED')))))"
)
IMPORT = (
    "import importlib.util,json,sys\nm={}\nfor n in sys.argv[2:]:\n"
    " try:\n"
    "  if sys.argv[1]=='import': importlib.import_module(n)\n"
    "  elif not importlib.util.find_spec(n): raise ModuleNotFoundError('No module named %r'%n)\n"
    " except BaseException as e: m[n]=(type(e).__name__+': '+str(e))[:250]\n"
    "print('\\n'+json.dumps(m))"
)


def resolve(interpreter):
    return interpreter if interpreter.startswith("/") else packages.which(interpreter)


def ask(python):
    """What an interpreter says about itself, or None."""
    if not python:
        return None
    code, output = run([python, "-Bc", ASK], timeout=20, quiet=True)
    try:
        return json.loads(output.splitlines()[-1]) if code == 0 else None
    except (ValueError, IndexError):
        return None


def missing(python, modules, user=None, how="import"):
    """
    Module -> error, found by importing them with this very interpreter, as the user it will run as.
    `how="find"` only looks whether they are there: enough where a running daemon has imported them.
    """
    if not modules:
        return {}
    code, output = run([python, "-Bc", IMPORT, how] + list(modules), timeout=60, user=user, quiet=True)
    try:
        return json.loads(output.splitlines()[-1])
    except (ValueError, IndexError):
        return {name: "the interpreter ended with %d: %s" % (code, last_words(output)) for name in modules}


def create(spec, mirror):
    """The venv itself, made again when it is broken or the plan names another interpreter."""
    base = resolve(spec["interpreter"])
    about = ask(base)
    if not about:
        raise Failed("%s does not run" % (base or spec["interpreter"]))
    wanted = {key: about[key] for key in ("path", "version", "lib", "system")}
    if state.load().get("venv") == wanted and ask(PYTHON):
        return None
    before = "present" if os.path.lexists(VENV) else "absent"
    make = [base, "-IBm", "venv", "--clear", "--without-pip"] + ["--system-site-packages"] * about["system"] + [VENV]
    code, output = run(make)
    if code and "No module named" in output:
        packages.install(["python3-venv"], mirror)
        code, output = run(make)
    if code:
        raise Failed("venv: " + last_words(output))
    if about["venv"]:
        # A venv sees its own and the system's packages; those of the plan's venv come in by a .pth file.
        places = sorted({about["lib"], about["plat"]})
        lines = ["import site; site.addsitedir(%r)\n" % place for place in places]
        files.write(ask(PYTHON)["lib"] + "/plan-interpreter.pth", "".join(lines).encode())
    state.update(venv=wanted)
    return before, "%s on %s" % (about["version"], about["path"])


def pip_wheel(index, version):
    """A pip wheel from the wheelhouse or the index: pip runs from its own wheel."""
    if index["kind"] == "wheelhouse":
        found = sorted(glob.glob(index["path"] + "/pip-*-py3-none-any.whl"))
        return found[-1] if found else None
    if index["kind"] != "index":
        return None
    page = index["url"].rstrip("/") + "/pip/"
    with urllib.request.urlopen(page, timeout=20) as answer:
        links = re.findall(r'<a\s([^>]*)>\s*(pip-([0-9.]+)-py3-none-any\.whl)', answer.read(4 << 20).decode("utf-8", "replace"))
    # Newer wheels need newer interpreters and say so in data-requires-python; the last that fits is taken.
    mine = tuple(map(int, version.split(".")[:2]))
    fits = []
    for attributes, name, number in links:
        bound = re.search(r'requires-python="[^"]*?(?:&gt;|>)=\s*3\.(\d+)', attributes)
        if not bound or (3, int(bound.group(1))) <= mine:
            fits.append((tuple(map(int, number.split("."))), attributes, name))
    if not fits:
        return None
    _, attributes, name = max(fits)
    address = urllib.parse.urljoin(page, html.unescape(re.search(r'href="([^"]+)"', attributes).group(1)))
    with urllib.request.urlopen(address.split("#")[0], timeout=60) as answer:
        data = answer.read(16 << 20)
    told = re.search(r"#sha256=([0-9a-f]{64})", address)
    if told and told.group(1) != files.sha(data):
        raise Failed("%s from the index does not have the digest the index gives" % name)
    path = "%s/%s" % (CACHE, name)
    files.make_dirs(CACHE)
    files.write(path, data)
    return path


def bundled_wheel():
    """The wheel that ensurepip would install: from its own folder, or where Debian keeps it."""
    for folder in (sysconfig.get_path("stdlib") + "/ensurepip/_bundled", "/usr/share/python-wheels"):
        found = sorted(glob.glob(folder + "/pip-*.whl"))
        if found:
            return found[-1]
    return None


def pip_command(spec, mirror):
    """
    pip: the interpreter's, the bundled one, the index's or the package manager's. It runs from its wheel
    where it is one: installing it first would take longer than all that it is to install.
    """
    if run([PYTHON, "-IBm", "pip", "--version"], quiet=True)[0] == 0:
        return [PYTHON, "-m", "pip"]
    wheel = bundled_wheel()
    try:
        wheel = wheel or pip_wheel(spec["index"], ask(PYTHON)["version"])
    except (OSError, ValueError) as error:
        raise Failed("the package index does not give pip: %s" % error)
    if not wheel:
        packages.install(["python3-pip"] if spec["index"]["kind"] == "default" else ["python3-venv"], mirror)
        wheel = bundled_wheel()
    if wheel:
        return [PYTHON, wheel + "/pip"]
    if run([PYTHON, "-IBm", "pip", "--version"])[0]:
        raise Failed("neither the interpreter nor the package index nor the package manager has pip")
    return [PYTHON, "-m", "pip"]


def pip(spec, requirements, mirror):
    """Installs into the venv, over what it only sees of others: those may be broken."""
    index, options = spec["index"], []
    if index["kind"] == "index":
        options = ["--index-url", index["url"]]
        if index["url"].startswith("http://"):
            options += ["--trusted-host", urllib.parse.urlsplit(index["url"]).hostname]
    elif index["kind"] == "wheelhouse":
        options = ["--no-index", "--find-links", index["path"]]
    command = pip_command(spec, mirror) + ["install", "--no-cache-dir", "--no-input", "--no-warn-script-location"]
    command += ["--disable-pip-version-check", "--ignore-installed", "--retries", "1", "--timeout", "15"]
    clean = environment(TMPDIR=CACHE, PIP_NO_PYTHON_VERSION_WARNING="1")
    files.make_dirs(CACHE)
    code, output = run(command + options + list(requirements), timeout=400, env=clean)
    if code:
        raise Failed("pip: " + last_words(output))


def install(spec, names, mirror):
    pip(spec, sorted(dict(spec["required"], **spec["wanted"])[name] for name in names), mirror)


def required(spec, lacking, mirror):
    """What cannot be imported is installed, and must import then. All at once is quickest, if it works."""
    mine = sorted(set(lacking) & set(spec["required"]))
    if not mine:
        return None
    try:
        install(spec, lacking, mirror)
    except Failed:
        if len(mine) == len(lacking):
            raise
        install(spec, mine, mirror)
    still = missing(PYTHON, mine, spec["user"])
    if still:
        raise Failed("; ".join("import %s: %s" % item for item in sorted(still.items())))
    return "cannot import " + " ".join(mine), "imports " + " ".join(mine)


def converge(run, spec, mirror):
    lacking = missing(PYTHON, dict(spec["required"], **spec["wanted"]), spec["user"])
    run.step("dependencies", required, spec, lacking, mirror)
    for name in sorted(set(lacking) & set(spec["wanted"])):
        try:
            if missing(PYTHON, [name], spec["user"]):
                install(spec, [name], mirror)
            run.step("optional " + name, lambda: ("missing", "installed"))
        except Failed as error:
            run.note("%s could not be installed: %s" % (name, error))
