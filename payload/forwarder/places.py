"""Where the fleet's devices are in the tailnet: this host's own tailscaled knows first, and is only read."""
import asyncio, ipaddress, json, os
from http1 import Chunked, read_response, write_head
from wire import Wire

SOCKETS = ("/run/tailscale/tailscaled.sock", "/var/run/tailscale/tailscaled.sock", "/var/run/tailscaled.socket")
SECONDS = 3
LARGEST = 4 << 20


def place(devices, name, tag):
    """
    Address of the device that has a host's name and its tag; of several the one that is online, then the newest: a
    host that joins anew is another device. None where there is none.
    """
    found = [device for device in devices if name in _names(device) and tag in device["tags"] and device["address"]]
    best = max(found, key=lambda device: (device["online"], device["created"]), default=None)
    return best["address"] if best else None


def read(data):
    """Devices in what tailscaled says of itself. @raises ValueError, also where it is in no tailnet now"""
    status = json.loads(data.decode("utf-8"))
    if not isinstance(status, dict) or status.get("BackendState") != "Running":
        raise ValueError("tailscaled is not in a tailnet now: %s" % (status.get("BackendState") if isinstance(status, dict) else "no object"))
    peers = status.get("Peer") or {}
    return [_device(peer) for peer in peers.values() if isinstance(peer, dict)] if isinstance(peers, dict) else []


async def ask(path=None):
    """What tailscaled says. @param path its socket @raises OSError, ValueError, asyncio.TimeoutError"""
    path = path or next((name for name in SOCKETS if os.path.exists(name)), SOCKETS[0])
    return await asyncio.wait_for(_ask(path), SECONDS)


async def _ask(path):
    _, wire = await asyncio.get_event_loop().create_unix_connection(Wire, path)
    try:
        # HTTP/1.0, so that the answer comes in one piece.
        wire.send(write_head(b"GET /localapi/v0/status HTTP/1.0", [b"Host: local-tailscaled.sock"]))
        head = await wire.head()
        response = read_response(head) if head else None
        if response is None or response.status != 200:
            raise ValueError("tailscaled answered %s" % (response.status if response else "nothing"))
        framing, body = response.body(b"GET"), bytearray()
        if isinstance(framing, Chunked):
            raise ValueError("tailscaled answered in chunks")
        if not framing.done:
            await wire.pump(framing, None, tee=lambda part: len(body) <= LARGEST and body.extend(part))
        if len(body) > LARGEST:
            raise ValueError("tailscaled knows more devices than fit into %d bytes" % LARGEST)
        return bytes(body)
    finally:
        wire.abort("done")


def _device(peer):
    addresses, tags = peer.get("TailscaleIPs"), peer.get("Tags")
    return {
        "host": str(peer.get("HostName") or "").lower(),
        "label": str(peer.get("DNSName") or "").split(".")[0].lower(),
        "tags": tags if isinstance(tags, list) else [],
        "address": _address(addresses[0]) if isinstance(addresses, list) and addresses else None,
        "online": peer.get("Online") is True,
        "created": str(peer.get("Created") or ""),
    }


def _address(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _names(device):
    return (device["host"], device["label"])
