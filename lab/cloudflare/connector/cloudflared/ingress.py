"""Ingress rules of the remote configuration (cloudflared: ingress/)."""

import re
from urllib.parse import urlsplit

DEFAULTS = {
    "connectTimeout": 30,
    "tlsTimeout": 10,
    "keepAliveConnections": 100,
    "keepAliveTimeout": 90,
    "httpHostHeader": "",
    "originServerName": "",
    "caPool": "",
    "noTLSVerify": False,
    "matchSNItoHost": False,
}

NONE_DEFINED = (
    "No ingress rules were defined in provided config (if any) nor from the cli, "
    "cloudflared will return 503 for all incoming HTTP requests"
)


class Rule:
    def __init__(self, fields, defaults):
        self.hostname = fields.get("hostname") or ""
        path = fields.get("path") or ""
        self.path = re.compile(path) if path else None
        self.service = fields["service"]
        given = {name: value for name, value in (fields.get("originRequest") or {}).items() if value is not None}
        self.origin = {**DEFAULTS, **defaults, **given}
        self.status = None
        self.url = None
        if self.service.startswith("http_status:"):
            self.status = int(self.service.split(":", 1)[1])
        elif self.service.startswith("unix:"):
            self.url = self.service
        else:
            parts = urlsplit(self.service)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
                raise ValueError("%s is an invalid address for the stand-in" % self.service)
            self.url = parts

    def matches(self, hostname, path):
        if self.hostname not in ("", "*", hostname):
            wild = self.hostname.startswith("*.") and hostname.endswith(self.hostname[1:])
            if not wild:
                return False
        return self.path is None or self.path.search(path) is not None


class Rules:
    """All rules of one version. Raises ValueError for a document that cannot be followed."""

    def __init__(self, version, config):
        self.version = version
        self.config = config or {}
        defaults = {k: v for k, v in (self.config.get("originRequest") or {}).items() if v is not None}
        try:
            self.rules = [Rule(fields, defaults) for fields in self.config.get("ingress") or []]
        except (re.error, KeyError, AttributeError, TypeError) as problem:
            raise ValueError("Failed to update ingress: %s" % problem)
        if self.rules and (self.rules[-1].path or self.rules[-1].hostname not in ("", "*")):
            raise ValueError(
                "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)"
            )

    def find(self, host, path):
        """The rule for a request and its number; None when there are no rules."""
        hostname = re.sub(r":\d+$", "", host)
        for number, rule in enumerate(self.rules):
            if rule.matches(hostname, path):
                return rule, number
        return None, -1
