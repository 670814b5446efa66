"""Files of mode 0600. Tells the keyed digests it was given, never anything of a content."""
import files, state, support


def write_all(run, spec):
    touched, readers = set(), support.of_secrets()
    undos = {}
    for spec in readers:
        undos.update(support.before_change([spec], spec["manager"], spec["startScript"]))
    for one in spec["files"]:
        run.step(one["path"], write, one)
        touched |= {one["path"]} if run.steps[-1]["status"] == "changed" else set()
    for spec in readers:
        support.converge(run, spec, touched, undos)
    support.forget(run, undos)


def write(one):
    data = one["content"].encode()
    result = files.put(one["path"], data, "0600", one["owner"])
    memory = state.load()
    before = memory["secrets"].get(one["path"], {}).get("digest", "none")
    if result is None and before == one["digest"]:
        return None
    memory["secrets"][one["path"]] = {"digest": one["digest"], "sha256": files.sha(data)}
    state.save(memory)
    return before, one["digest"]
