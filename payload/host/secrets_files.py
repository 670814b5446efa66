"""Files of mode 0600. Tells the keyed digests it was given, never anything of a content."""
import files, release, state, support


def write_all(run, spec):
    touched, readers = set(), support.of_secrets()
    undos = {}
    for reader in readers:
        undos.update(support.before_change([reader], reader["manager"], reader["startScript"]))
    drop(run, {one["path"] for one in spec["files"]})
    for one in spec["files"]:
        run.step(one["path"], write, one)
        touched |= {one["path"]} if run.steps[-1]["status"] == "changed" else set()
    for reader in readers:
        support.converge(run, reader, touched, undos)
    support.forget(run, undos)


def drop(run, wanted):
    """All others go; that of a token which the running release names goes with the release."""
    # A daemon that is started again in the middle of a rotation has to find the token that its release names.
    kept = wanted | set(release.tokens_in_use())
    for path in sorted(set(state.load()["secrets"]) - kept):
        run.step(path + " removal", remove, path)
    state.update(wantedSecrets=sorted(wanted))


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


def remove(path):
    """One that is no longer given to this host: a voter that is none any more has no use for the entry's."""
    memory = state.load()
    memory["secrets"].pop(path, None)
    state.save(memory)
    return files.put_back(path)
