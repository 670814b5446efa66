"""`current/run`: what every supervisor starts. It becomes the daemon that release.json describes."""
from paths import PYTHON

TEXT = "\n".join([
    "#!%s -IB" % PYTHON,
    "# Managed by p2p-fleet. The values of release.json arrive as data: no shell and no unit's quoting is between.",
    "import json, os, resource",
    "with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'release.json')) as stream:",
    "    launch = json.load(stream)['launch']",
    "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]",
    "resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 <= hard < 65536 else 65536, hard))",
    "os.chdir(launch['workingDirectory'])",
    "os.execve(launch['argv'][0], launch['argv'], {**os.environ, **launch['environment']})",
    "",
])
