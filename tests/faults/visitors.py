"""Clients in processes of their own, each with some threads: many events by POST (NDJSON), single events by POST, and
visits by GET; and chains of clicks. Each keeps a Book (ledger.py) and hands it over at the end. All they do follows
from the seed; when they do it, does not.
"""

import http.client
import itertools
import json
import multiprocessing
import random
import threading
import time

from clicks import OPEN_AT_ONCE, Plan
from environment.client import basic
from ledger import VISITS, Book, Visit

TYPES = ("datasets", "files")
MARKERS = "markers"
SINGLES = "singles"
USERS = tuple(f"user{n}" for n in range(6))
PASSWORD = "secret"
ACTIONS = {"view": "views", "download": "downloads"}
PATIENCE = 20


class _Worker(threading.Thread):
    def __init__(self, shared, name, port, seed):
        super().__init__(daemon=True, name=name)
        self.shared, self.port = shared, port
        self.random = random.Random(f"{seed} {name}")
        self.book = Book()
        self.numbers = itertools.count(1)
        self.failure = None
        self.line = None

    def run(self):
        try:
            while not self.shared.stopping.is_set():
                if self.shared.paused.is_set():
                    self.hang_up()
                    self.shared.stopping.wait(0.05)
                elif self.connect():
                    self.turn()
                    self.shared.stopping.wait(self.pause() * self.shared.pace)
            self.hang_up()
        except Exception as failure:  # reported by the parent, and the run fails
            self.failure = f"{self.name}: {failure!r}"

    def connect(self):
        if self.line is None:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                line.connect()
            except OSError:
                self.shared.stopping.wait(0.05)  # nobody listens at the moment
                return False
            self.line = line
        return True

    def hang_up(self):
        if self.line is not None:
            self.line.close()
            self.line = None

    def post(self, path, body, headers):
        """The status, or 0 when there was no whole answer."""
        try:
            self.line.request("POST", path, body=body, headers=headers)
            answer = self.line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return 0
        if answer.will_close:
            self.hang_up()
        return answer.status

    def did(self, events):
        with self.shared.progress.get_lock():
            self.shared.progress.value += events


class _Bulk(_Worker):
    """POSTs of 20 to 200 events."""

    def pause(self):
        return self.random.uniform(0.5, 1.5) * self.shared.pause

    def turn(self):
        marker = (MARKERS, f"{self.name}-{next(self.numbers)}", "", "views")
        type_, few = self.random.choice(TYPES), self.random.sample(range(30), 3)
        keys, lines = [marker], [{"type": MARKERS, "id": marker[1], "action": "view"}]
        for _ in range(self.random.randint(20, 200)):
            action = self.random.choice(("view", "view", "download"))
            id_, user = f"id{self.random.choice(few)}", self.random.choice(("", *USERS[:3]))
            keys.append((type_, id_, user, ACTIONS[action]))
            line = {"type": type_, "id": id_, "action": action}
            lines.append({**line, "user": user} if user else line)
        self.random.shuffle(lines)
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        status = self.post("/metrics/events", body, {"Content-Type": "application/x-ndjson"})
        self.book.note(marker, keys, status)
        if status == 202:
            self.did(len(keys))


class _Single(_Worker):
    """POSTs of one event each, which is its own marker."""

    def pause(self):
        return self.random.uniform(0.01, 0.04)

    def turn(self):
        action = self.random.choice(tuple(ACTIONS.values()))
        marker = (SINGLES, f"{self.name}-{next(self.numbers)}", "", action)
        status = self.post(f"/metrics/{SINGLES}/{marker[1]}/{action}", b"", {})
        self.book.note(marker, [marker], status)
        if status == 202:
            self.did(1)


class _Visitor(_Worker):
    """GETs, one after the other on one connection, signed in; then a new connection and a new id."""

    def pause(self):
        return self.random.uniform(0.002, 0.01)

    def connect(self):
        fresh = self.line is None
        if super().connect() and fresh:
            self.id = f"{self.name}-{next(self.numbers)}"
            self.visit = self.book.visits[self.id] = Visit(self.random.choice(USERS))
            self.left = self.random.randint(1, 40)
        return self.line is not None

    def turn(self):
        self.left -= 1
        headers = {"Authorization": basic(self.visit.user, PASSWORD)}
        if self.left == 0:
            headers["Connection"] = "close"
        try:
            self.line.request("GET", f"/visits/{self.id}", headers=headers)
            answer = self.line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.end(broken=True)
            return
        if answer.status != 200:
            raise AssertionError(f"GET {self.id}: {answer.status}")
        self.visit.answered += 1
        self.visit.answered_at = time.monotonic()
        self.did(1)
        if answer.will_close:
            self.end()

    def end(self, broken=False):
        super().hang_up()
        self.visit.broken, self.visit.ended_at = broken, time.monotonic()

    def hang_up(self):
        """In order: one visit more, which says that it is the last."""
        if self.line is not None:
            self.left = 1
            self.turn()


class _Clicker(_Worker):
    """Chains of clicks (clicks.py), some at once, so that a click and the next one come in batches of their own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.open, self.names = [], itertools.count(1)

    def pause(self):
        return self.random.uniform(0.01, 0.05)

    def turn(self):
        if len(self.open) < OPEN_AT_ONCE:
            plan = Plan(self.random, f"{self.name}-{next(self.names)}")
            self.book.chains[plan.name] = plan.chain
            self.open.append(plan)
        plan = self.random.choice(self.open)
        marker = (MARKERS, f"{self.name}-{next(self.numbers)}", "", "views")
        pack = plan.next(self.random, marker)
        if pack is None:
            self.open.remove(plan)
            return
        pack.append((marker, {"type": MARKERS, "id": marker[1], "action": "view"}))
        body = "".join(json.dumps(line) + "\n" for _, line in pack).encode()
        status = self.post("/metrics/events", body, {"Content-Type": "application/x-ndjson"})
        self.book.note(marker, [marker], status)
        if status == 202:
            self.did(len(pack))


KINDS = {"bulk": _Bulk, "single": _Single, "visit": _Visitor, "click": _Clicker}


class _Shared:
    def __init__(self, context, pause, pace):
        self.stopping, self.paused = context.Event(), context.Event()
        self.progress = context.Value("q", 0)
        self.pause, self.pace = pause, pace


def _work(shared, jobs, seed, answer):
    workers = [KINDS[kind](shared, f"{kind}{number}", port, seed) for number, (kind, port) in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    book = Book()
    for worker in workers:
        book.add(worker.book)
    answer.send((book, [worker.failure for worker in workers if worker.failure]))
    answer.close()


class Visitors:
    """jobs: (kind, port) pairs; pause: seconds between two POSTs of many events; pace: all wait so many times longer."""

    def __init__(self, jobs, seed, pause, pace):
        context = multiprocessing.get_context("spawn")
        self._shared = _Shared(context, pause, pace)
        numbered = list(enumerate(jobs))
        self._processes = []
        for part in (numbered[0::2], numbered[1::2]):
            mine, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(self._shared, part, seed, theirs), daemon=True)
            process.start()
            theirs.close()
            self._processes.append((process, mine))

    @property
    def progress(self):
        """Events that were answered."""
        return self._shared.progress.value

    def end(self):
        """Their books, added up."""
        self._shared.stopping.set()
        book, failures = Book(), []
        for process, pipe in self._processes:
            part, failed = pipe.recv()
            book.add(part)
            failures += failed
            process.join()
        assert failures == [], failures
        return book

    def kill(self):
        for process, _ in self._processes:
            process.kill()
