"""The part of cloudflared's command line that runs a tunnel by its token (cmd/cloudflared/tunnel)."""

import os
import re
import sys

from .log import LEVELS
from .version import ARCH, STAND_IN, VERSION

HELP = """NAME:
   cloudflared - stands in for Cloudflare's command-line tool and agent (%s)

USAGE:
   cloudflared [global options] [command] [command options]

COMMANDS:
   tunnel [options] run [options]   runs the tunnel that the token names
   version                          prints the version
   help                             prints this

OPTIONS of tunnel:
   --metrics value          listen address for metrics [$TUNNEL_METRICS]
   --no-autoupdate          accepted; nothing here updates itself [$NO_AUTOUPDATE]
   --edge-ip-version value  auto, 4 or 6 (default: "auto") [$TUNNEL_EDGE_IP_VERSION]
   --edge value             address of the edge, host:port, may be repeated [$TUNNEL_EDGE]
   --grace-period value     time that requests have after SIGTERM (default: 30s) [$TUNNEL_GRACE_PERIOD]
   --retries value          how far the pause between attempts grows (default: 5) [$TUNNEL_RETRIES]
   --loglevel value         debug, info, warn, error or fatal (default: "info") [$TUNNEL_LOGLEVEL]
   --pidfile value          written after the first connection [$TUNNEL_PIDFILE]

OPTIONS of run:
   --token value            [$TUNNEL_TOKEN]
   --token-file value       [$TUNNEL_TOKEN_FILE]
   --protocol value, -p     auto, quic or http2 (default: "auto") [$TUNNEL_TRANSPORT_PROTOCOL]
"""

VERSION_LINE = "cloudflared version %s (built 2026-01-01-00:00 UTC; %s)"

FLAGS = {
    "metrics": "TUNNEL_METRICS",
    "no-autoupdate": "NO_AUTOUPDATE",
    "edge-ip-version": "TUNNEL_EDGE_IP_VERSION",
    "edge": "TUNNEL_EDGE",
    "grace-period": "TUNNEL_GRACE_PERIOD",
    "retries": "TUNNEL_RETRIES",
    "loglevel": "TUNNEL_LOGLEVEL",
    "pidfile": "TUNNEL_PIDFILE",
    "token": "TUNNEL_TOKEN",
    "token-file": "TUNNEL_TOKEN_FILE",
    "protocol": "TUNNEL_TRANSPORT_PROTOCOL",
}
SHORT = {"p": "protocol"}
SWITCHES = {"no-autoupdate"}
CHOICES = {
    "protocol": ("auto", "quic", "http2"),
    "edge-ip-version": ("auto", "4", "6"),
    "loglevel": tuple(LEVELS),
}


class Exit(Exception):
    """Ends the program: text on standard output for code 0, on standard error for any other."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text


def usage_error(text):
    return Exit(255, "%s\nSee 'cloudflared tunnel run --help'." % text)


def _split(words):
    """Flags and the other words, in Go's manner: one dash or two, the value after = or as the next word."""
    flags, rest = {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        match = re.fullmatch(r"--?([A-Za-z][A-Za-z-]*)(?:=(.*))?", word, re.S)
        if not match:
            rest.append(word)
            continue
        name = SHORT.get(match.group(1), match.group(1))
        value = match.group(2)
        if name in ("help", "h"):
            raise Exit(0, HELP % STAND_IN)
        if name in ("version", "v", "V"):
            raise Exit(0, VERSION_LINE % (VERSION, STAND_IN))
        if name not in FLAGS:
            raise Exit(1, "Incorrect Usage: flag provided but not defined: -%s" % match.group(1))
        if value is None:
            if name in SWITCHES:
                value = "true"
            elif words:
                value = words.pop(0)
            else:
                raise Exit(1, "Incorrect Usage: flag needs an argument: -%s" % match.group(1))
        flags.setdefault(name, []).append(value)
    return flags, rest


def seconds(text):
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Exit(1, 'Incorrect Usage: invalid value "%s" for flag -grace-period' % text)
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    return sum(float(number) * units[unit] for number, unit in parts)


class Settings:
    def __init__(self, flags, environment):
        def of(name, default=""):
            given = flags.get(name)
            value = given[-1] if given else environment.get(FLAGS[name], "") or default
            if name in CHOICES and value not in CHOICES[name]:
                raise Exit(1, 'Incorrect Usage: invalid value "%s" for flag -%s' % (value, name))
            return value

        self.metrics = of("metrics")
        self.protocol = of("protocol", "auto")
        self.ip_version = of("edge-ip-version", "auto")
        edges = flags.get("edge") or environment.get("TUNNEL_EDGE", "").split(",")
        self.edge = [address for address in edges if address]
        self.grace = seconds(of("grace-period", "30s"))
        self.retries = int(of("retries", "5"))
        self.loglevel = of("loglevel", "info")
        self.pidfile = of("pidfile")
        self.token = of("token")
        self.token_file = of("token-file")

    def read_token(self):
        """The token; one given in words wins over one in a file."""
        if self.token:
            return self.token
        if not self.token_file:
            raise usage_error(
                '"cloudflared tunnel run" requires the ID or name of the tunnel to run as the last command line '
                "argument or in the configuration file."
            )
        try:
            with open(self.token_file, encoding="utf-8") as file:
                return file.read().strip()
        except OSError as problem:
            raise usage_error(
                "Failed to read token file: open %s: %s" % (self.token_file, problem.strerror.lower())
            )


def parse(words, environment=os.environ):
    """Settings to run a tunnel with. Raises Exit for everything else that the command line may ask for."""
    flags, rest = _split(words)
    if not rest or rest[0] == "help":
        raise Exit(0, HELP % STAND_IN)
    if rest[0] == "version":
        raise Exit(0, VERSION_LINE % (VERSION, STAND_IN))
    if rest[:2] != ["tunnel", "run"]:
        known = rest[0] in ("access", "login", "proxy-dns", "service", "tail", "tunnel", "update")
        why = "is not part of the stand-in" if known else "is not a command"
        raise Exit(1, "cloudflared %s: %s (%s)" % (" ".join(rest), why, STAND_IN))
    if len(rest) > 2:
        raise usage_error("the stand-in runs tunnels by their token only")
    return Settings(flags, environment)


def go_os_arch():
    return "linux_%s" % ARCH if sys.platform.startswith("linux") else "%s_%s" % (sys.platform, ARCH)
