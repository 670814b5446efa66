"""Long contents that came beside the agent, by digest; and what a hand edit changed in a file made from one."""
import base64, difflib, os, zlib
import files, state
from journal import Failed
from paths import CONTENTS

MOST_LINES, MOST_COMPARED = 40, 4000


def place(digest):
    return "%s/%s" % (CONTENTS, digest)


def keep(digest, packed):
    """Base64 of zlib, as it came."""
    data = zlib.decompress(base64.b64decode(packed))
    if files.sha(data) != digest:
        raise Failed("content and digest %s do not agree" % digest)
    if files.read(place(digest)) == data:
        return None
    files.make_dirs(CONTENTS)
    # The inventory tells how to log in everywhere.
    os.chmod(CONTENTS, 0o700)
    files.write(place(digest), data, 0o600)
    return "absent", digest[:12]


def put(spec):
    """A managed file: its text is in the spec, or was staged."""
    if "text" in spec:
        return files.put_spec(spec, spec["text"].encode())
    data = files.read(place(spec["digest"]))
    if data is None and files.in_order(spec):
        return None
    if data is None:
        raise Failed("the content of %s was not staged" % spec["path"])
    result = files.put_spec(spec, data)
    memory = state.load()
    if memory["placed"].get(spec["path"]) != spec["digest"]:
        memory["placed"][spec["path"]] = spec["digest"]
        state.save(memory)
    return result


def alteration(path, text, mode="0644", owner="root"):
    """What a file of ours, whose text the agent knows, has become; None while it is as written."""
    have = files.look(path) or {"kind": "absent"}
    drift = {"what": path, "want": "as written"}
    if have["kind"] != "file":
        return dict(drift, **{"is": have["kind"]})
    if have["digest"] != files.sha(text.encode()):
        return dict(drift, **{"is": "edited", "detail": edits(files.text_of(path), text)})
    if (have["mode"], have["owner"]) != (mode, owner):
        return {"what": path + " mode", "want": "%s %s" % (mode, owner), "is": "%(mode)s %(owner)s" % have}
    return None


def prune(specs):
    """Only what a file was made from stays, for telling an edit."""
    wanted = {spec["digest"] for spec in specs if "text" not in spec}
    gone = [name for name in os.listdir(CONTENTS) if name not in wanted] if os.path.isdir(CONTENTS) else []
    for name in gone:
        files.remove_tree(place(name))
    return ("%d contents" % len(gone), "removed") if gone else None


def look(path, wanted):
    """What the file is; where it is not as wanted, from which content it was made and what was edited since."""
    fact = files.look(path)
    if not fact or fact["digest"] in (None, wanted):
        return fact
    made_from = state.load()["placed"].get(path)
    data = files.read(place(made_from)) if made_from else None
    if data is not None and files.sha(data) == made_from:
        fact["madeFrom"] = made_from
        if fact["digest"] != made_from:
            fact["edits"] = edits(files.text_of(path), data.decode("utf-8", "replace"))
    return fact


def edits(have, want):
    """Lines as `-is` and `+want`, without context."""
    have, want = have.splitlines(), want.splitlines()
    shorter = min(len(have), len(want))
    head = next((i for i in range(shorter) if have[i] != want[i]), shorter)
    tail = next((i for i in range(shorter - head) if have[-1 - i] != want[-1 - i]), shorter - head)
    have, want = have[head:len(have) - tail], want[head:len(want) - tail]
    if len(have) + len(want) > MOST_COMPARED:
        return "%d lines in place of %d" % (len(have), len(want))
    lines = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, have, want, False).get_opcodes():
        if tag != "equal":
            lines += ["-" + line[:200] for line in have[a:b]] + ["+" + line[:200] for line in want[c:d]]
    more = len(lines) - MOST_LINES
    return "\n".join(lines[:MOST_LINES] + ["\u2026 %d more lines" % more] * (more > 0))
