"""Passes SSH connections on to this host's own sshd, up to a stage at which it says nothing more.

usage: stalling_relay.py ADDRESS PORT accept|banner|kex

The stages after the key exchange are encrypted: for those the test makes sshd itself stall.
"""

import socket
import sys
import threading


def read_exactly(stream, count):
    """Returns that many bytes; fewer at the end."""
    data = b""
    while len(data) < count:
        chunk = stream.recv(count - len(data))
        if not chunk:
            break
        data += chunk
    return data


def read_banner(stream):
    """Returns the line with which a server begins."""
    line = b""
    while not line.endswith(b"\n"):
        line += read_exactly(stream, 1)
    return line


def read_packet(stream):
    """Returns one packet that is not encrypted yet (RFC 4253, 6)."""
    length = read_exactly(stream, 4)
    return length + read_exactly(stream, int.from_bytes(length, "big"))


def serve(client, stage):
    """One connection, which stays open until the client goes."""
    if stage != "accept":
        server = socket.create_connection(("127.0.0.1", 22))
        client.sendall(read_banner(server))
        # sshd shows its key exchange only to those who have said who they are.
        server.sendall(read_banner(client))
        if stage == "kex":
            client.sendall(read_packet(server))
    while client.recv(65536):
        pass


def main():
    address, port, stage = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    listener = socket.create_server((address, port))
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, stage), daemon=True).start()


main()
