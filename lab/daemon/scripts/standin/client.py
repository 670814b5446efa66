"""This node's requests to others: the token, the proxy, the certificates."""

import logging
import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp

from scripts.standin.access import token_headers
from scripts.standin.address import Address
from scripts.standin.settings import Settings

LOG = logging.getLogger("p2p")
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)


def _proxy_connector(url: str | None) -> aiohttp.BaseConnector | None:
    if not url:
        return None
    try:
        from aiohttp_socks import ProxyConnector
    except ImportError:
        # Silently direct, as in the real daemon.
        return None
    return ProxyConnector.from_url(url, ssl=ssl.create_default_context())


@dataclass(frozen=True)
class Answer:
    """An HTTP status, 0 where no answer came, and the JSON object of a 200."""

    status: int
    body: dict[str, Any] | None = None


class Client:
    """Requests to other nodes. They fail by their answer, never by an exception."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self.is_proxied = False

    async def open(self) -> None:
        """Opens the session. SSL_CERT_FILE is honoured, certificates are verified."""
        connector = _proxy_connector(self._settings.socks_proxy)
        self.is_proxied = connector is not None
        self._session = aiohttp.ClientSession(
            connector=connector
            or aiohttp.TCPConnector(ssl=ssl.create_default_context()),
            timeout=TIMEOUT,
            headers=token_headers(self._settings),
        )

    async def close(self) -> None:
        """Closes the session."""
        if self._session:
            await self._session.close()

    async def get(self, address: Address, path: str) -> Answer:
        """Sends a GET."""
        return await self._request("GET", address, path)

    async def post(self, address: Address, path: str, **body: Any) -> Answer:
        """Sends a POST with `json=`, or with `data=` and `headers=`."""
        return await self._request("POST", address, path, **body)

    async def _request(
        self, method: str, address: Address, path: str, **body: Any
    ) -> Answer:
        assert self._session is not None
        url = address.url(path)
        try:
            async with self._session.request(method, url, **body) as answer:
                if answer.status != 200:
                    LOG.info("%s %s answered %d", method, url, answer.status)
                    return Answer(answer.status)
                content = await answer.json(content_type=None)
                return Answer(200, content if isinstance(content, dict) else None)
        except Exception as error:
            # Not narrower: the proxy package has exceptions of its own, if it is there.
            LOG.info("%s %s failed: %s: %s", method, url, type(error).__name__, error)
            return Answer(0)
