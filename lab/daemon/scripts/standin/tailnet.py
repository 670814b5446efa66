"""The addresses of this machine, the tailnet's above all."""

import ipaddress
import shutil
import socket
import subprocess

import psutil

TAILNET = ipaddress.ip_network("100.64.0.0/10")


def local_addresses() -> list[str]:
    """Returns this machine's IPv4 addresses outside loopback, sorted."""
    found = {
        entry.address
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family == socket.AF_INET
    }
    return sorted(a for a in found if not ipaddress.ip_address(a).is_loopback)


def tailnet_address() -> str | None:
    """Returns the tailnet address, of an interface or from `tailscale ip`; else None."""
    for address in local_addresses():
        if ipaddress.ip_address(address) in TAILNET:
            return address
    if not shutil.which("tailscale"):
        return None
    try:
        answer = subprocess.run(
            ["tailscale", "ip", "-4"], capture_output=True, text=True, timeout=2
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


def is_loopback(host: str) -> bool:
    """Returns whether a host is localhost or a loopback address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_private_lan(host: str) -> bool:
    """Returns whether a host is a private address outside tailnet and loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if address.is_loopback or (address.version == 4 and address in TAILNET):
        return False
    return address.is_private
