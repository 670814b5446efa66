"""Lines as cloudflared writes them: time, level, text, fields."""

import json
import sys
import time

LEVELS = {"debug": 0, "info": 1, "warn": 2, "error": 3, "fatal": 4}
SHORT = {"debug": "DBG", "info": "INF", "warn": "WRN", "error": "ERR", "fatal": "FTL"}

_threshold = LEVELS["info"]


def set_level(name):
    global _threshold
    _threshold = LEVELS[name]


def _value(value):
    text = str(value)
    return json.dumps(text) if any(sign in text for sign in ' "=\n') or text == "" else text


def write(level, text, **fields):
    if LEVELS[level] < _threshold:
        return
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    said = "".join(" %s=%s" % (name, _value(value)) for name, value in sorted(fields.items()))
    sys.stderr.write("%s %s %s%s\n" % (stamp, SHORT[level], text, said))
    sys.stderr.flush()


def info(text, **fields):
    write("info", text, **fields)


def warn(text, **fields):
    write("warn", text, **fields)


def error(text, **fields):
    write("error", text, **fields)
