"""Is the daemon up: its unit, the owner of its port, and its own word about who it is."""
import http.client, json
import inspection, ports, services
from journal import Failed


def get(address, port, path, timeout):
    """(HTTP status, JSON object or None, error)."""
    try:
        link = http.client.HTTPConnection(address, port, timeout=timeout)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            body = json.loads(answer.read(1 << 20).decode("utf-8", "replace"))
            return answer.status, body if isinstance(body, dict) else None, None
        finally:
            link.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, None, str(error) or type(error).__name__


def text(value):
    return value if isinstance(value, str) else None


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None


def whole(value):
    return None if number(value) is None else int(value)


def names(value):
    return sorted(name for name in value if isinstance(name, str)) if isinstance(value, (list, dict)) else []


def health_fact(address, port, timeout=5):
    status, body, error = get(address, port, "/health", timeout)
    said = body or {}
    return {
        "status": status, "nodeId": text(said.get("node_id")), "role": text(said.get("role")), "leaderId": text(said.get("leader_id")),
        "healthy": said.get("healthy") if isinstance(said.get("healthy"), bool) else None, "activePeers": whole(said.get("active_peers")),
        "uptimeSeconds": number(said.get("uptime_seconds")), "error": error,
    }


def status_fact(address, port, timeout=8):
    # Its own copy is up to 5 s old, which is too old to tell what came before a restart and what after.
    status, body, error = get(address, port, "/status?no_cache=true", timeout)
    said = body or {}
    peers = said.get("peers") if isinstance(said.get("peers"), dict) else {}
    alive = {name: True for name, peer in peers.items() if isinstance(peer, dict) and peer.get("is_alive")}
    voters = names(said.get("voter_node_ids"))
    ages = {name: number(peers[name].get("seconds_since_heartbeat")) for name in alive if name in voters}
    mine = said.get("self") if isinstance(said.get("self"), dict) else {}
    return {
        "nodeId": text(said.get("node_id")), "role": text(said.get("role")), "leaderId": text(said.get("leader_id")),
        "version": text(mine.get("version")), "alivePeers": whole(said.get("alive_peers")), "voters": voters,
        "votersAlive": whole(said.get("voters_alive")), "alive": names(alive), "heard": {name: age for name, age in ages.items() if age is not None}, "error": error or (None if status == 200 else "status %d" % status),
    }


def foreign_holders(service, port):
    """Who holds the port beside the daemon and what we run beside it: that may have the port on other addresses."""
    return [pid for pid in ports.holders(port) if not (service.owns(pid) or inspection.service_of(pid))]


def fault(service, node, address, port):
    """Why the daemon is not up, or None. `healthy: false` is up: it means busy."""
    fact = service.fact()
    if not fact or fact["state"] != "running":
        return "the service is %s" % (fact["detail"] if fact else "absent")
    for pid in foreign_holders(service, port):
        return "port %d is held by %s" % (port, ports.name_of(pid))
    if not any(service.owns(pid) and not inspection.service_of(pid) for pid in ports.holders(port)):
        return "nothing listens on port %d yet" % port
    for path, fact in (("/health", health_fact(address, port)), ("/status", status_fact(address, port))):
        if fact["error"] or fact["nodeId"] is None:
            return "%s: %s" % (path, fact["error"] or "status %d without a node_id" % fact["status"])
        if fact["nodeId"] != node:
            return "%s says node_id %s" % (path, fact["nodeId"])
    return None


def lasting_fault(service, node, address, port):
    """As `fault`, and a daemon that is too busy to answer for a moment is asked again: it is not to be restarted."""
    seen = fault(service, node, address, port)
    return fault(service, node, address, port) if seen and seen.startswith("/") else seen


def wait(service, node, address, port, seconds):
    """Until the daemon is up. A crash loop ends the wait early: nothing but the next release mends it."""
    patience = services.Patience(service, seconds, "healthy")
    while True:
        seen = fault(service, node, address, port)
        if seen is None:
            return
        patience.spend(seen, 0.5)
