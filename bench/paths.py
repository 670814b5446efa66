"""Overhead of the path forwarder beside the direct connection and plain asyncio copying, in one run on loopback.

    python3 bench/paths.py [--seconds 5] [--mebibytes 512]

Every part is a process of its own: client, origin, and two forwarders (or two copying proxies) between them.
"""
import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = b"x" * (256 << 10)


class Origin(asyncio.Protocol):
    """Answers GET /small, GET /large?<bytes> and POST (which it swallows)."""

    def connection_made(self, transport):
        self.transport, self.head, self.left = transport, b"", 0
        self.writing = asyncio.Event()
        self.writing.set()

    def pause_writing(self):
        self.writing.clear()

    def resume_writing(self):
        self.writing.set()

    def connection_lost(self, _error):
        self.writing.set()

    def data_received(self, data):
        if self.left:
            self.left -= len(data)
            if self.left <= 0:
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return
        self.head += data
        if b"\r\n\r\n" not in self.head:
            return
        head, _, rest = self.head.partition(b"\r\n\r\n")
        self.head = b""
        if head.startswith(b"POST"):
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            self.left = length - len(rest)
            if not self.left:
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        elif head.startswith(b"GET /large?"):
            asyncio.ensure_future(self.pour(int(head.split(b" ")[1].split(b"?")[1])))
        else:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"healthy\":true}")

    async def pour(self, size):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while size > 0 and not self.transport.is_closing():
            part = min(size, len(BLOCK))
            self.transport.write(BLOCK[:part])
            size -= part
            await self.writing.wait()


def serve_origin(port):
    async def run():
        server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


def serve_copy(port, target):
    """Plain asyncio copying: what a forwarder without any thought of its own would be."""

    async def copy(reader, writer):
        try:
            while True:
                data = await reader.read(64 << 10)
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    async def accept(reader, writer):
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(copy(reader, other_writer), copy(other_reader, writer))

    async def run():
        server = await asyncio.start_server(accept, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


def connect(address):
    end = time.monotonic() + 15
    while True:
        try:
            sock = socket.create_connection(address, timeout=30)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def latency(address, seconds):
    """Sorted milliseconds of small requests on one connection."""
    sock, found = connect(address), []
    request = b"GET /small HTTP/1.1\r\nHost: x\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        sock.sendall(request)
        data = b""
        while not data.endswith(b"true}"):
            part = sock.recv(4096)
            if not part:
                raise SystemExit("the connection ended: %r" % data)
            data += part
        found.append((time.perf_counter() - began) * 1000)
    sock.close()
    return sorted(found)


def download(address, size):
    """MiB/s."""
    sock = connect(address)
    view, left = memoryview(bytearray(1 << 20)), None
    began = time.perf_counter()
    sock.sendall(b"GET /large?%d HTTP/1.1\r\nHost: x\r\n\r\n" % size)
    while left is None or left > 0:
        count = sock.recv_into(view)
        if not count:
            raise SystemExit("the download ended early")
        if left is None:
            head = bytes(view[:count]).split(b"\r\n\r\n")[0]
            if b" 200 " not in head[:20]:
                raise SystemExit(head)
            left = size - (count - len(head) - 4)
        else:
            left -= count
    sock.close()
    return size / (1 << 20) / (time.perf_counter() - began)


def upload(address, size):
    sock = connect(address)
    began = time.perf_counter()
    sock.sendall(b"POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    left = size
    while left:
        part = min(left, len(BLOCK))
        sock.sendall(BLOCK[:part])
        left -= part
    answer = sock.recv(4096)
    if b" 200 " not in answer[:20]:
        raise SystemExit(answer)
    sock.close()
    return size / (1 << 20) / (time.perf_counter() - began)


def start_forwarders(folder, base, python):
    secret = os.path.join(folder, "secret")
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
        stream.write("a secret of the bench, for loopback\n")
    nodes = {
        "nodes": {
            name: {"number": 4000000 + index, "port": base + 50, "direct": "127.0.0.1:%d" % (base + 10 + index)}
            for index, name in enumerate(("a", "b"))
        }
    }
    nodes_file = os.path.join(folder, "nodes.json")
    with open(nodes_file, "w") as stream:
        json.dump(nodes, stream)
    running = []
    for index, name in enumerate(("a", "b")):
        own = os.path.join(folder, name + ".json")
        with open(own, "w") as stream:
            json.dump({
                "node": name, "daemonPort": base, "inboundHost": "127.0.0.1", "inboundPort": base + 10 + index,
                "adminPort": base + 20 + index, "secretFile": secret,
            }, stream)
        argv = [python, "-IB", os.path.join(ROOT, "payload", "forwarder"), "--settings", own, "--nodes", nodes_file]
        argv += ["--state", os.path.join(folder, "state-" + name)]
        running.append(subprocess.Popen(argv, stderr=subprocess.DEVNULL))
    number = 4000001
    return running, ("127.%d.%d.%d" % (64 + (number >> 16), (number >> 8) & 255, number & 255), base + 50)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--mebibytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=23100, help="first of a range of 60")
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    base, size = options.port, options.mebibytes << 20
    helpers = [
        multiprocessing.Process(target=serve_origin, args=(base,), daemon=True),
        multiprocessing.Process(target=serve_copy, args=(base + 1, base), daemon=True),
        multiprocessing.Process(target=serve_copy, args=(base + 2, base + 1), daemon=True),
    ]
    for helper in helpers:
        helper.start()
    with tempfile.TemporaryDirectory() as folder:
        forwarders, address = start_forwarders(folder, base, options.python)
        try:
            ways = {
                "direct": ("127.0.0.1", base),
                "plain copying, one hop": ("127.0.0.1", base + 1),
                "plain copying, two hops": ("127.0.0.1", base + 2),
                "forwarders (two hops)": address,
            }
            result = {name: {"latency": [], "download": [], "upload": []} for name in ways}
            for way in ways.values():
                latency(way, 0.2)
            # In turns, so that a busy moment of the machine meets all of them.
            for _ in range(options.rounds):
                for name, way in ways.items():
                    result[name]["latency"] += latency(way, options.seconds / options.rounds)
                    result[name]["download"].append(download(way, size // options.rounds))
                    result[name]["upload"].append(upload(way, size // options.rounds))
            table = {}
            for name, found in result.items():
                found["latency"].sort()
                table[name] = {
                    "medianMilliseconds": round(statistics.median(found["latency"]), 3),
                    "p99Milliseconds": round(found["latency"][int(len(found["latency"]) * 0.99)], 3),
                    "downloadMiBs": round(statistics.median(found["download"]), 1),
                    "uploadMiBs": round(statistics.median(found["upload"]), 1),
                }
            memory = []
            for forwarder in forwarders:
                with open("/proc/%d/status" % forwarder.pid) as stream:
                    memory.append(int(stream.read().split("VmHWM:")[1].split()[0]) // 1024)
            print(json.dumps({"ways": table, "forwarderPeakMiB": memory, "python": sys.version.split()[0]}, indent=1))
        finally:
            for forwarder in forwarders:
                forwarder.terminate()
                forwarder.wait()
            for helper in helpers:
                helper.terminate()


if __name__ == "__main__":
    main()
