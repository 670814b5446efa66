"""Port scan from one source address: TARGETS is `address source port/protocol,...` lines; prints `open` or `closed`."""
import concurrent.futures
import socket
import sys

# Long enough for whoever answers on a busy machine; all ports are asked at once, since every closed one takes it.
SECONDS = 6


def reachable(address, source, port, protocol):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as link:
        link.settimeout(SECONDS)
        link.bind((source, 0))
        try:
            link.connect((address, port))
            if protocol == "udp":
                link.send(b"x")
                link.recv(1)
            return "open"
        except OSError:
            return "closed"


for line in sys.stdin:
    address, source, ports = line.split()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        asked = [
            (word, pool.submit(reachable, address, source, int(word.split("/")[0]), word.split("/")[1]))
            for word in ports.split(",")
        ]
    for word, answer in asked:
        print(source, word, answer.result(), flush=True)
