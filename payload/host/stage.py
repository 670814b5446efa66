"""Brings the agent onto the host, content-addressed, so that later commands can name it."""
import os, shutil
import files
from paths import AGENTS


def content(modules):
    return dict(modules, __main__="import main, sys\nmain.run(sys.argv[1], None)\n")


def installed(digest, modules):
    """Every module is as it should be."""
    folder = "%s/%s" % (AGENTS, digest)
    return all(files.text_of("%s/%s.py" % (folder, name)) == text for name, text in content(modules).items())


def install(digest, modules):
    if installed(digest, modules):
        return None
    files.make_dirs(AGENTS)
    before = ",".join(sorted(os.listdir(AGENTS))) or "absent"
    folder = "%s/%s" % (AGENTS, digest)
    aside = folder + ".new"
    shutil.rmtree(aside, ignore_errors=True)
    os.mkdir(aside)
    for name, text in content(modules).items():
        files.write("%s/%s.py" % (aside, name), text.encode())
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(aside, folder)
    for name in os.listdir(AGENTS):
        if name != digest:
            shutil.rmtree("%s/%s" % (AGENTS, name))
    return before, digest
