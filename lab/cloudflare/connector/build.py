"""Builds the stand-in connector into one executable file, the same bytes from the same sources.

usage: build.py TARGET VERSION ARCH    (ARCH: amd64 or arm64, as in the vendor's file names)
"""

import io
import os
import sys
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    target, version, arch = sys.argv[1:]
    content = io.BytesIO()
    names = ["__main__.py"] + sorted(
        "cloudflared/" + name for name in os.listdir(os.path.join(HERE, "cloudflared")) if name.endswith(".py")
    )
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            with open(os.path.join(HERE, name), encoding="utf-8") as file:
                text = file.read()
            if name.endswith("/version.py"):
                text = text.replace('"0.0.0"', '"%s"' % version).replace('"amd64"', '"%s"' % arch)
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    # Whoever starts the file must never meet one that is open for writing (ETXTBSY), also when two build it at once.
    unfinished = "%s.%d" % (target, os.getpid())
    with open(unfinished, "wb") as file:
        file.write(b"#!/usr/bin/env python3\n" + content.getvalue())
    os.chmod(unfinished, 0o755)
    os.replace(unfinished, target)


main()
