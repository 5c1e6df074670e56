"""Bytes on a socket, for what a proper HTTP client would never send."""

import contextlib
import socket
import time


def connect(port, timeout_s=20):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout_s)


def send(sock, data):
    """Sends as much as the other side takes; a peer that closes early is no error here."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(data)


def read_to_end(sock, deadline_s=20):
    """Everything until the peer closes, or None where it has not closed by then."""
    end = time.monotonic() + deadline_s
    received = b""
    while time.monotonic() < end:
        sock.settimeout(max(0.01, end - time.monotonic()))
        try:
            part = sock.recv(65536)
        except ConnectionResetError:
            return received
        except TimeoutError:
            break
        if not part:
            return received
        received += part
    return None


def read_answer(sock, deadline_s=20):
    """Bytes up to the end of one answer with Content-Length (or to the end of the connection)."""
    end = time.monotonic() + deadline_s
    received = b""
    while time.monotonic() < end:
        head, gap, body = received.partition(b"\r\n\r\n")
        if gap:
            lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
                       if line.lower().startswith(b"content-length:")]
            if lengths and len(body) >= lengths[0]:
                return received
        sock.settimeout(max(0.01, end - time.monotonic()))
        try:
            part = sock.recv(65536)
        except (ConnectionResetError, TimeoutError):
            return received
        if not part:
            return received
        received += part
    return received


def exchange(port, data, deadline_s=20):
    """Sends bytes on a new connection, and returns the answer's status, or None without one."""
    with connect(port, deadline_s) as sock:
        send(sock, data)
        return status_of(read_answer(sock, deadline_s))


def status_of(answer):
    line = answer.split(b"\r\n", 1)[0].split()
    return int(line[1]) if len(line) > 1 and line[0].startswith(b"HTTP/1.") else None


def head(method, path, key=None, **headers):
    """A request head; underscores in header names stand for hyphens."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
