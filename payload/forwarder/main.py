"""python3 -IB <this folder> --settings FILE --nodes FILE --state FOLDER: runs until it is told to stop."""
import argparse, asyncio, os, resource, signal, sys

assert sys.version_info >= (3, 8), "the forwarder needs Python 3.8"


def main(argv):
    parser = argparse.ArgumentParser(prog="forwarder", description="Carries the daemon's connections over the best path.")
    parser.add_argument("--settings", required=True, help="this host's settings")
    parser.add_argument("--nodes", required=True, help="the fleet's nodes")
    parser.add_argument("--state", required=True, help="folder for events and the last good settings")
    options = parser.parse_args(argv)
    os.makedirs(options.state, exist_ok=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    from fleet import Fleet

    async def run():
        fleet = Fleet(options.settings, options.nodes, options.state)
        task = asyncio.ensure_future(fleet.run())
        loop = asyncio.get_event_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            fleet.events.add("stopped", reason="told to")
            fleet.events.save()
            fleet.clock.save(True)

    asyncio.run(run())


if __name__ == "__main__":
    main(sys.argv[1:])
