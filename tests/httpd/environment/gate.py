"""A door before the database. Shut, it refuses connections and breaks those that were open, as a server does that has
gone; open, it passes bytes on. Works with any database, also one that is not ours to stop."""

import selectors
import socket
import threading


class Gate:
    def __init__(self, host, port):
        self._target = (host, port)
        self._own = None
        self._pairs = {}
        self._lock = threading.Lock()
        self._listener = None
        self.open()

    @property
    def port(self):
        return self._own[1]

    def open(self):
        """Listens, always on the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._own or ("127.0.0.1", 0))
        listener.listen(64)
        self._own = listener.getsockname()
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self):
        """Returns when nobody can come in and nobody is left inside."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for pair in list(self._pairs.values()):
                for side in pair:
                    _break(side)
            self._pairs.clear()

    close = shut

    def _accept(self, listener):
        while True:
            try:
                visitor, _ = listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                if listener is not self._listener or listener.fileno() < 0:
                    _break(visitor)
                    _break(server)
                    return
                self._pairs[visitor] = (visitor, server)
            threading.Thread(target=self._pass_on, args=(visitor, server), daemon=True).start()

    def heard(self, data):
        """Bytes that are passed on next, for who wants to know or to wait."""

    def _pass_on(self, visitor, server):
        with selectors.DefaultSelector() as selector:
            try:
                selector.register(visitor, selectors.EVENT_READ, server)
                selector.register(server, selectors.EVENT_READ, visitor)
                while True:
                    for key, _ in selector.select():
                        data = key.fileobj.recv(1 << 16)
                        if not data:
                            raise ConnectionError
                        self.heard(data)
                        key.data.sendall(data)
            except (OSError, ValueError):
                with self._lock:
                    self._pairs.pop(visitor, None)
                _break(visitor)
                _break(server)


def _break(side):
    """Wakes whoever reads from it, too; the file goes when that thread lets go of it."""
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    side.close()
