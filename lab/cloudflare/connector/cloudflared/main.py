"""cloudflared's command line; see version.STAND_IN."""

import asyncio
import signal
import sys

from . import log
from .arguments import Exit, go_os_arch, parse
from .connector import Connector
from .metrics import Metrics
from .token import Token
from .version import STAND_IN, VERSION


async def serve(settings, token):
    connector = Connector(settings, token)
    loop = asyncio.get_running_loop()

    def stop(name):
        if not connector.stopping.is_set():
            log.info("Initiating graceful shutdown due to signal %s ..." % name)
            connector.stopping.set()

    loop.add_signal_handler(signal.SIGTERM, stop, "terminated")
    loop.add_signal_handler(signal.SIGINT, stop, "interrupt")
    log.info("Starting tunnel", tunnelID=token.tunnel)
    log.info("Version %s (%s)" % (VERSION, STAND_IN))
    log.info("GOOS: %s, GOVersion: none, GoArch: %s" % tuple(go_os_arch().split("_")))
    log.info("Generated Connector ID: %s" % connector.id)
    log.info("Initial protocol %s" % connector.protocol)
    metrics = Metrics(connector)
    where = await metrics.listen(settings.metrics)
    log.info("Starting metrics server on %s/metrics" % where)
    return await connector.run()


def main():
    try:
        settings = parse(sys.argv[1:])
        log.set_level(settings.loglevel)
        token = Token(settings.read_token())
        code = asyncio.run(serve(settings, token))
    except Exit as end:
        (sys.stdout if end.code == 0 else sys.stderr).write(end.text.rstrip("\n") + "\n")
        code = end.code
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
