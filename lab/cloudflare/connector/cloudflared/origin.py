"""Connections to origins, kept open between requests."""

import asyncio
import ssl
import time

from .http1 import LONGEST_HEAD


class Connection:
    def __init__(self, reader, writer, is_reused=False):
        self.reader = reader
        self.writer = writer
        self.is_reused = is_reused

    def close(self):
        self.writer.close()


class Unreachable(Exception):
    pass


def _tls(rule, host):
    options = rule.origin
    context = ssl.create_default_context(cafile=options["caPool"] or None)
    if options["noTLSVerify"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    name = options["originServerName"] or (host if options["matchSNItoHost"] else rule.url.hostname)
    return context, name


class Origins:
    def __init__(self):
        self._idle = {}

    async def get(self, rule, host, fresh=False):
        """A connection to the rule's service. Raises Unreachable."""
        idle = self._idle.setdefault(rule.service, [])
        while idle and not fresh:
            connection, since = idle.pop()
            old = time.monotonic() - since > rule.origin["keepAliveTimeout"]
            if old or connection.reader.at_eof() or connection.writer.is_closing():
                connection.close()
                continue
            return Connection(connection.reader, connection.writer, True)
        return await self._dial(rule, host)

    def put(self, rule, connection):
        idle = self._idle.setdefault(rule.service, [])
        if len(idle) < rule.origin["keepAliveConnections"]:
            idle.append((connection, time.monotonic()))
        else:
            connection.close()

    async def _dial(self, rule, host):
        try:
            if isinstance(rule.url, str):
                opening = asyncio.open_unix_connection(rule.url[len("unix:") :], limit=LONGEST_HEAD)
            else:
                context, name = _tls(rule, host) if rule.url.scheme == "https" else (None, None)
                port = rule.url.port or (443 if context else 80)
                opening = asyncio.open_connection(
                    rule.url.hostname, port, ssl=context, server_hostname=name, limit=LONGEST_HEAD
                )
            reader, writer = await asyncio.wait_for(opening, rule.origin["connectTimeout"])
            # An origin that answers early and hangs up breaks off what is being sent, not the answer that has come.
            reader.set_exception = lambda _: reader.feed_eof()
            return Connection(reader, writer)
        except asyncio.TimeoutError:
            raise Unreachable("dial %s: i/o timeout" % rule.service)
        except (OSError, ssl.SSLError) as problem:
            raise Unreachable("dial %s: %s" % (rule.service, problem))
