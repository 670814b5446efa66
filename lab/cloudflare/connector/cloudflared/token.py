"""A tunnel's token: base64 of JSON with account (a), tunnel (t) and secret (s)."""

import base64
import json
import uuid

from .arguments import usage_error


class Token:
    def __init__(self, text):
        try:
            fields = json.loads(base64.b64decode(text, validate=True))
            self.account = str(fields["a"])
            self.tunnel = str(uuid.UUID(fields["t"]))
            self.secret = str(fields["s"])
            base64.b64decode(self.secret, validate=True)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise usage_error("Provided Tunnel token is not valid.")
