"""Who may call what, and where a caller is."""

import hmac

from aiohttp import web

from scripts.standin.settings import Settings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
GUARDED_READS = ("/relay/peers", "/relay/status", "/relay/health", "/sync/file")


def caller_address(request: web.Request) -> str:
    """Returns a caller's address. Forwarding headers are believed, as in the real one."""
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[0].strip()
    headers = (forwarded, *map(request.headers.get, ("X-Real-IP", "CF-Connecting-IP")))
    found = next((value for value in headers if value), None)
    return found or request.remote or "unknown"


def is_allowed(request: web.Request, token: str | None) -> bool:
    """Returns whether a request carries the cluster token, or needs none.

    Reads are open, also those that change state; so it is in the real daemon.
    """
    is_open = request.method in SAFE_METHODS and request.path not in GUARDED_READS
    if token is None or is_open:
        return True
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    given = request.headers.get("X-RingRift-Auth") or bearer
    return hmac.compare_digest(given.encode(), token.encode())


def token_headers(settings: Settings) -> dict[str, str]:
    """Returns the headers that this node's own requests carry."""
    return {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
