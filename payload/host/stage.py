"""Brings the agent onto the host, content-addressed, so that later commands can name it."""
import os, shutil
import files
from paths import AGENTS


def content(modules, packed):
    """File name -> text. `packed` is for later probes, which then need not bring it."""
    texts = dict(modules, __main__="import main, sys\nmain.run(sys.argv[1], None, None)\n")
    return dict({name + ".py": text for name, text in texts.items()}, packed=packed)


def installed(digest, modules, packed):
    """Every file is as it should be."""
    folder = "%s/%s" % (AGENTS, digest)
    return all(files.text_of("%s/%s" % (folder, name)) == text for name, text in content(modules, packed).items())


def install(digest, modules, packed):
    if installed(digest, modules, packed):
        return None
    files.make_dirs(AGENTS)
    before = ",".join(sorted(os.listdir(AGENTS))) or "absent"
    folder = "%s/%s" % (AGENTS, digest)
    aside = folder + ".new"
    shutil.rmtree(aside, ignore_errors=True)
    os.mkdir(aside)
    for name, text in content(modules, packed).items():
        files.write("%s/%s" % (aside, name), text.encode())
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(aside, folder)
    for name in os.listdir(AGENTS):
        if name != digest:
            shutil.rmtree("%s/%s" % (AGENTS, name))
    return before, digest
