"""Carries Ethernet frames between two interfaces, each frame a fixed time late.

usage: frame_relay.py INTERFACE INTERFACE MILLISECONDS PIDFILE

The kernel of a test machine may lack netem, so that a late link has to be made outside it. Frames travel with their
virtio header: checksums and segmentation that the sender left to its interface stay left to the next one.
"""

import collections
import os
import select
import socket
import struct
import sys
import time

SOL_PACKET = 263
PACKET_VNET_HDR = 15
ETH_P_ALL = 3
LARGEST = 1 << 17


def listen(interface):
    """A socket that gets every frame that arrives on an interface."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, struct.pack("i", 1))
    sock.setblocking(False)
    sock.bind((interface, ETH_P_ALL))
    return sock


def receive(sock, queue, due):
    """Moves what has arrived into the queue of frames that wait until their time is due."""
    while True:
        try:
            frame, address = sock.recvfrom(LARGEST)
        except BlockingIOError:
            return
        # What this program sent itself comes by again, on its way out.
        if address[2] != socket.PACKET_OUTGOING:
            queue.append((due, frame))


def send(sock, queue, now):
    """Sends the frames that have waited long enough."""
    while queue and queue[0][0] <= now:
        _, frame = queue.popleft()
        try:
            sock.send(frame)
        except OSError:
            pass  # As on any wire: a frame that does not fit or finds no room is lost.


def main():
    first, second, delay = sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000
    sockets = [listen(first), listen(second)]
    queues = [collections.deque(), collections.deque()]
    with open(sys.argv[4], "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    while True:
        waiting = [queue[0][0] for queue in queues if queue]
        timeout = max(0.0, min(waiting) - time.monotonic()) if waiting else None
        readable, _, _ = select.select(sockets, [], [], timeout)
        now = time.monotonic()
        for index, sock in enumerate(sockets):
            if sock in readable:
                receive(sock, queues[index], now + delay)
            send(sockets[1 - index], queues[index], now)


main()
