"""Visitors that stall: they keep a connection open and neither send nor read.

Each is a context manager; entered, it is where it stalls, and httpd is at work on it."""

import contextlib
import socket

from .h2client import H2Client

LARGE_FILE = 32 << 20  # more than all buffers between httpd and a visitor that does not read


@contextlib.contextmanager
def _line(port):
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(30)
        line.connect(("127.0.0.1", port))
        yield line


@contextlib.contextmanager
def never_reads(port):
    """Has asked for a large file and takes the first bytes of it."""
    with _line(port) as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        line.recv(100)
        yield


@contextlib.contextmanager
def half_a_request(port):
    """Behind an answered request, so that a child has surely taken the connection up."""
    with _line(port) as line:
        line.sendall(b"GET /datasets/one HTTP/1.1\r\nHost: x\r\n\r\n")
        line.recv(100)
        line.sendall(b"GET /datasets/one HTTP/1.1\r\nHo")
        yield


@contextlib.contextmanager
def half_a_body(port):
    """In the middle of a POST whose handler reads the body: 100 Continue says that it does."""
    with _line(port) as line:
        line.sendall(b"POST /metrics/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                     b"Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n")
        line.recv(100)
        line.sendall(b'{"type":"datasets","id":"one"')
        yield


@contextlib.contextmanager
def stream_never_reads(port):
    """HTTP/2: a stream whose window is full."""
    visitor = H2Client(port, window=1000)
    try:
        visitor.wait_for_data(visitor.send("GET", "/large"))
        yield
    finally:
        visitor.vanish()


HTTP1 = (never_reads, half_a_request, half_a_body)
HTTP2 = (stream_never_reads,)
