"""Port scan from one source address: TARGETS is `address source port/protocol,...` lines; prints `open` or `closed`."""
import socket
import sys


def reachable(address, source, port, protocol):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as link:
        link.settimeout(1.5)
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
    for word in ports.split(","):
        port, protocol = word.split("/")
        print(source, word, reachable(address, source, int(port), protocol), flush=True)
