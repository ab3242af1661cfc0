"""Applications behind mod_proxy. Backend answers every path with 200, or with the status its query asks for."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(self.path)
        query = parse_qs(urlsplit(self.path).query)
        body = f"<p>{self.path}</p>".encode()
        self.send_response(int(query.get("status", ["200"])[0]))
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Application:
    """Listens from its creation until close(). What its handler finds at self.server is given by name."""

    def __init__(self, handler, **shared):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        vars(self._server).update(shared)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self._server.server_address[1]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Backend(Application):
    def __init__(self):
        super().__init__(_Handler, seen=[])

    @property
    def seen(self):
        """The paths that were asked for."""
        return self._server.seen
