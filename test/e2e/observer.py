"""Looks from outside, ten times a second, which nodes answer /health under their own name.

usage: observer.py INTERVAL_SECONDS TIMEOUT_SECONDS NODE=ADDRESS:PORT[@NAMESPACE]...

NAMESPACE is the network namespace to look from: a daemon on loopback is seen from nowhere else.

One line of JSON for each look, when all of its answers are in or overdue: {"at": milliseconds since
1970, "up": {node: uptime in seconds}, "late": [nodes that accepted and did not answer in time]}. A look is a new connection to each node, begun at that moment;
an answer may take TIMEOUT_SECONDS, because a busy machine is not a dead daemon. Ends when its input does.
"""

import asyncio
import ctypes
import json
import os
import socket
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
HOME = os.open("/proc/self/ns/net", os.O_RDONLY)


def socket_in(namespace):
    """A socket belongs for good to the namespace that it was made in."""
    if namespace is not None and LIBC.setns(namespace, 0):
        raise OSError(ctypes.get_errno(), "setns")
    try:
        made = socket.socket()
    finally:
        if namespace is not None and LIBC.setns(HOME, 0):
            os._exit(1)
    made.setblocking(False)
    return made


async def ask(node, address, port, namespace):
    made = socket_in(namespace)
    try:
        await asyncio.get_running_loop().sock_connect(made, (address, port))
        reader, writer = await asyncio.open_connection(sock=made)
    except BaseException:
        made.close()
        raise
    try:
        writer.write(b"GET /health HTTP/1.0\r\nHost: observer\r\n\r\n")
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        said = json.loads(body)
        if head.split(b" ", 2)[1] == b"200" and said.get("node_id") == node:
            return float(said.get("uptime_seconds") or 0)
    finally:
        writer.close()
    return None


async def uptime(node, address, port, namespace, timeout):
    """(seconds or None, whether it only was too slow)."""
    try:
        return await asyncio.wait_for(ask(node, address, port, namespace), timeout), False
    except asyncio.TimeoutError:
        return None, True
    except (OSError, ValueError, IndexError):
        return None, False


async def look(nodes, timeout):
    at = int(time.time() * 1000)
    answers = await asyncio.gather(*(uptime(*node, timeout) for node in nodes))
    up = {node[0]: answer for node, (answer, _) in zip(nodes, answers) if answer is not None}
    late = [node[0] for node, (_, was_late) in zip(nodes, answers) if was_late]
    print(json.dumps({"at": at, "up": up, "late": late}), flush=True)


async def main(interval, timeout, nodes):
    loop = asyncio.get_running_loop()
    end = loop.run_in_executor(None, sys.stdin.read)
    looks, next_look = set(), time.monotonic()
    while not end.done():
        one = asyncio.create_task(look(nodes, timeout))
        looks.add(one)
        one.add_done_callback(looks.discard)
        # A look that could not begin in time is left out, not made up for: the gap between two is known.
        next_look = max(next_look + interval, time.monotonic())
        await asyncio.sleep(next_look - time.monotonic())
    # Begun after the end, so that nothing that was before it is missed.
    await asyncio.gather(look(nodes, timeout), *looks)


def node_of(word):
    name, _, place = word.partition("=")
    place, _, namespace = place.partition("@")
    address, _, port = place.rpartition(":")
    return name, address, int(port), os.open(namespace, os.O_RDONLY) if namespace else None


try:
    asyncio.run(main(float(sys.argv[1]), float(sys.argv[2]), [node_of(word) for word in sys.argv[3:]]))
except BrokenPipeError:
    # Whoever wanted to know was ended.
    os._exit(0)
