"""A visitor over HTTP/2 without TLS (h2c, prior knowledge): one connection, many streams, one thread.

What it does not read stalls: window= is how many bytes of each answer it lets the server send.
"""

import socket

import h2.config
import h2.connection
import h2.events
import h2.settings

TIMEOUT_SECONDS = 30
LARGE = 1 << 24


class H2Client:
    """with H2Client(port) as visitor: visitor.get(path) or visitor.all(requests)."""

    def __init__(self, port, window=LARGE):
        self._window = window
        self._authority = f"127.0.0.1:{port}"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._connection.initiate_connection()
        self._connection.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self._statuses, self._bodies, self._ended = {}, {}, set()
        self._flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """An orderly end: GOAWAY, then the connection."""
        try:
            self._connection.close_connection()
            self._flush()
        except OSError:
            pass
        self._socket.close()

    def vanish(self):
        """As a visitor whose machine is gone: no GOAWAY."""
        self._socket.close()

    def send(self, method, path, body=b"", headers=(), is_whole=True):
        """Sends a request and does not wait. Returns the number of its stream."""
        stream = self._connection.get_next_available_stream_id()
        self._connection.send_headers(stream, [(":method", method), (":path", path), (":scheme", "http"),
                                               (":authority", self._authority), *headers],
                                      end_stream=is_whole and not body)
        if body:
            self._connection.send_data(stream, body, end_stream=is_whole)
        self._flush()
        return stream

    def answer(self, stream):
        """(status, body), once it is whole."""
        while stream not in self._ended:
            self._receive()
        return self._statuses[stream], self._bodies.get(stream, b"")

    def wait_for_data(self, stream):
        """Returns when the answer has begun and its first bytes are here."""
        while stream not in self._bodies:
            self._receive()

    def get(self, path, **options):
        return self.answer(self.send("GET", path, **options))

    def post(self, path, **options):
        return self.answer(self.send("POST", path, **options))

    def all(self, requests):
        """Sends (method, path) of each at once, then waits. Returns their statuses in order."""
        streams = [self.send(method, path) for method, path in requests]
        return [self.answer(stream)[0] for stream in streams]

    def _flush(self):
        self._socket.sendall(self._connection.data_to_send())

    def _receive(self):
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server has closed the connection")
        for event in self._connection.receive_data(data):
            self._take(event)
        self._flush()

    def _take(self, event):
        if isinstance(event, h2.events.ResponseReceived):
            self._statuses[event.stream_id] = int(dict(event.headers)[":status"])
        elif isinstance(event, h2.events.DataReceived):
            self._bodies[event.stream_id] = self._bodies.get(event.stream_id, b"") + event.data
            if self._window == LARGE and event.flow_controlled_length:
                self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self._ended.add(event.stream_id)
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            raise ConnectionError(repr(event))
