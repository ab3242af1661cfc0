"""A visitor, or a script with curl. Each request has a connection of its own and ends when the server has closed it:
httpd logs a request, and so records it, before it closes the connection, so what was asked for is in the spool then."""

import base64
import csv
import http.client
import io
import json
import socket
import struct
from dataclasses import dataclass
from urllib.parse import quote

TIMEOUT_SECONDS = 30
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    def __getitem__(self, name):
        return self.headers[name]

    @property
    def allowed(self):
        """The methods of Allow, whose order means nothing."""
        return {method.strip() for method in (self["Allow"] or "").split(",")} - {""}

    @property
    def rows(self):
        return rows(self.body)


def rows(report):
    """The rows of a CSV report, header included, as Python's csv reads them."""
    return list(csv.reader(io.StringIO(report.decode("utf-8"), newline="")))


def encode(segment):
    """Text or bytes as one segment of a path."""
    return quote(segment, safe="")


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Client:
    """Requests to one server, of a browser where the test does not say of what else. user=(name, password) logs in by
    Basic authentication."""

    def __init__(self, port):
        self.port = port

    def request(self, method, path, body=None, headers=None, user=None):
        sent = {"Connection": "close", "User-Agent": BROWSER, **(headers or {})}
        if user:
            sent["Authorization"] = basic(*user)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        connection.connect()
        with connection.sock.dup() as line:
            try:
                connection.request(method, path, body=body, headers=sent)
                response = connection.getresponse()
                answer = Answer(response.status, response.headers, response.read())
                line.settimeout(TIMEOUT_SECONDS)
                if response.headers.get("Connection", "").lower() == "close":
                    _read_to_the_end(line)
                return answer
            finally:
                connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def post(self, path, body=b"", **options):
        return self.request("POST", path, body=body, **options)

    def post_lines(self, path, *lines, **options):
        """NDJSON: each line an object, or bytes as they are."""
        body = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson", **options.pop("headers", {})}
        return self.request("POST", path, body=body, headers=headers, **options)

    def leave(self, path):
        """Asks for something large, and is gone when its first bytes are there."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert line.recv(1000).startswith(b"HTTP/1.1 200 ")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def raw(self, data):
        """Sends bytes as they are, and no more, and returns everything that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS) as line:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            return _read_to_the_end(line)


def _read_to_the_end(line):
    received = b""
    while True:
        try:
            data = line.recv(65536)
        except ConnectionResetError:
            return received
        if not data:
            return received
        received += data
