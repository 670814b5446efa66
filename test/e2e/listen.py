"""Listens on every port of the command line (port/protocol), on both families; UDP answers what it gets."""
import select
import socket
import sys

sockets = []
for word in sys.argv[1:]:
    port, protocol = word.split("/")
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    link = socket.socket(socket.AF_INET6, kind)
    link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind(("::", int(port)))
    if protocol == "tcp":
        link.listen(16)
    sockets.append(link)
while True:
    for ready in select.select(sockets, [], [])[0]:
        if ready.type == socket.SOCK_DGRAM:
            data, peer = ready.recvfrom(64)
            ready.sendto(data, peer)
        else:
            ready.accept()[0].close()
