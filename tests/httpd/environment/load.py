"""Visitors in threads, who keep books: what was surely recorded, and what may have been.

A visit is recorded when its answer is out, so when a process is killed the client cannot know about two requests of a
broken connection: the one under way, and the one answered last before it (its bytes left, its record perhaps not). An
earlier one on the same connection is certain, for httpd took up the next only behind it; so is the last one, once httpd
has closed the connection, and that is waited for. (A prefork child ends at a SIGTERM wherever it is.) A POST is answered 202 only
when its event is in the spool: there, what was answered is certain, and only the one under way is not."""

import collections
import http.client
import socket
import threading

from .waiting import wait_for


class _Visitor(threading.Thread):
    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.number = load, number
        self.certain, self.uncertain = collections.Counter(), collections.Counter()
        self.failure = None
        self._connection, self._line, self._last = None, None, None

    def run(self):
        try:
            while not self.load.stopping.is_set():
                self._one(self.load.next_id(self.number))
        except Exception as failure:
            self.failure = failure
        finally:
            self._finish()

    def _finish(self):
        """Ends the connection and waits until httpd has, too; a reset says nothing about the last answer."""
        if self._connection is None:
            return
        try:
            self._line.shutdown(socket.SHUT_WR)
            while self._line.recv(65536):
                pass
        except OSError:
            self._doubt_last()
        self._close()

    def _close(self):
        self._line.close()
        self._connection.close()
        self._connection, self._last = None, None

    def _doubt_last(self):
        if self._last is not None and self.load.method == "GET":
            self.certain[self._last] -= 1
            self.uncertain[self._last] += 1

    def _connected(self):
        if self._connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.load.port, timeout=30)
            try:
                connection.connect()
            except OSError:
                self.load.stopping.wait(0.01)  # nobody listens at the moment
                return False
            self._connection, self._last = connection, None
            self._line = connection.sock.dup()  # outlives what http.client closes
            self._line.settimeout(30)
        return True

    def _one(self, id_):
        if not self._connected():
            return
        method, path = self.load.request_for(id_)
        try:
            self._connection.request(method, path, body=b"" if method == "POST" else None, headers=self.load.headers)
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._broken(id_)
            return
        if response.status != self.load.expected_status:
            raise AssertionError(f"{method} {path}: {response.status}")
        self.certain[id_] += 1
        self._last = id_
        if response.will_close:
            self._finish()

    def _broken(self, id_):
        self._doubt_last()
        self._close()
        self.uncertain[id_] += 1


class Load:
    """with Load(...) as load: visitors run; leaving it, they have ended."""

    def __init__(self, httpd, path="/datasets/{}", ids=10, visitors=4, method="GET", keep_alive=True):
        self.port, self.method = httpd.port, method
        self.headers = {} if keep_alive else {"Connection": "close"}
        self.expected_status = 202 if method == "POST" else 200
        self.stopping = threading.Event()
        self._path, self._ids = path, [f"id{n}" for n in range(ids)]
        self._turn = [n for n in range(visitors)]
        self._visitors = [_Visitor(self, n) for n in range(visitors)]

    def next_id(self, number):
        self._turn[number] += 1
        return self._ids[self._turn[number] % len(self._ids)]

    def request_for(self, id_):
        return self.method, self._path.format(id_)

    @property
    def answered(self):
        return sum(sum(visitor.certain.values()) for visitor in self._visitors)

    def wait_for_more(self, number=50):
        """Waits until that many further requests were answered."""
        goal = self.answered + number
        wait_for(lambda: self.answered >= goal or any(not visitor.is_alive() for visitor in self._visitors),
                 what=f"{number} further answers")

    def _sum(self, name):
        return sum((getattr(visitor, name) for visitor in self._visitors), collections.Counter())

    @property
    def certain(self):
        """Counter by id: recorded for sure."""
        return self._sum("certain")

    @property
    def uncertain(self):
        """Counter by id: recorded or not."""
        return self._sum("uncertain")

    def check(self, recorded):
        """recorded, {id: number}, lies between what is certain and what is possible, for each id."""
        certain, uncertain = self.certain, self.uncertain
        wrong = {id_: (certain[id_], recorded.get(id_, 0), certain[id_] + uncertain[id_])
                 for id_ in set(recorded) | set(certain) | set(uncertain)
                 if not certain[id_] <= recorded.get(id_, 0) <= certain[id_] + uncertain[id_]}
        assert wrong == {}, f"id: (at least, recorded, at most) {wrong}"

    def __enter__(self):
        for visitor in self._visitors:
            visitor.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        for visitor in self._visitors:
            visitor.join(60)
        if kind is None:
            assert [visitor.failure for visitor in self._visitors if visitor.failure] == []
