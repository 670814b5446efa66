"""Which node of the hosts file this process is."""

import os
import re
import socket
from pathlib import Path

from scripts.standin import knobs
from scripts.standin.hosts_file import HostsFile
from scripts.standin.tailnet import tailnet_address


def _node_id_file(etc: Path) -> str:
    try:
        return (etc / "ringrift" / "node-id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _defaults_file(etc: Path) -> str:
    try:
        content = (etc / "default" / "ringrift-p2p").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"^NODE_ID=[\"']?([^\"'\n]*)", content, re.MULTILINE)
    return found.group(1).strip() if found else ""


def find_node_id(argument: str | None, hosts: HostsFile) -> str:
    """Returns the node id.

    Order: flag; /etc/ringrift/node-id if the hosts file lists it; RINGRIFT_NODE_ID;
    NODE_ID in /etc/default/ringrift-p2p; the host name as a host's key or ssh_host;
    the tailnet address; the bare host name.
    """
    if argument:
        return argument
    etc = Path(knobs.text("ETC"))
    listed = _node_id_file(etc)
    if listed in hosts.hosts:
        return listed
    given = os.environ.get("RINGRIFT_NODE_ID") or _defaults_file(etc)
    if given:
        return given
    hostname = socket.gethostname()
    own_address = tailnet_address()
    for name, host in hosts.hosts.items():
        if hostname in (name, host.get("ssh_host")):
            return name
    for name, host in hosts.hosts.items():
        if own_address and host.get("tailscale_ip") == own_address:
            return name
    return hostname
