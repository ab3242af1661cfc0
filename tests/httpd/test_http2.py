"""HTTP/2 without TLS: visits and POSTs are recorded once each, from whichever thread of mod_http2 logs them."""

import json
import threading

import pytest

from environment import wait_for
from environment.h2client import H2Client
from environment.under_load import counted_for_good, kill_a_child, views
from environment.waiting import wait_equal

CONF = """
Protocols h2c http/1.1
H2MaxSessionStreams 200
<Location "/">
    MetricsCapture On
    MetricsUser "%{HTTP:X-User}"
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
    MetricsAuthz expr "true"
</Location>
"""

pytestmark = pytest.mark.threads  # mod_http2 refuses to work under prefork


@pytest.fixture
def site(httpd):
    made = httpd(CONF, modules=["http2"])
    for n in range(10):
        made.file(f"datasets/id{n}", f"page {n}\n")
    return made.start()


def test_a_visit_is_one_view_by_the_right_user(site):
    with H2Client(site.port) as visitor:
        assert visitor.get("/datasets/id1", headers=[("x-user", "ada")]) == (200, b"page 1\n")
        assert visitor.get("/datasets/id1", headers=[("x-user", "grace")]) == (200, b"page 1\n")
        assert visitor.get("/datasets/id2") == (200, b"page 2\n")
        assert visitor.get("/datasets/none")[0] == 404
    wait_equal(lambda: views(site), {"id1": 2, "id2": 1})
    site.markers.settle()
    assert views(site) == {"id1": 2, "id2": 1}
    assert site.counts.users() == {("datasets", "id1", "ada"): (1, 0), ("datasets", "id1", "grace"): (1, 0)}


def test_small_downloads_count_whoever_closes_the_connection_and_broken_large_ones_do_not(site):
    """httpd often calls the first broken off, too: what tells is how much of it there was."""
    site.file("download/datasets/small", "small\n")
    site.file("download/datasets/large", b"\0" * 20_000_000)
    for _ in range(20):
        visitor = H2Client(site.port)
        assert visitor.get("/download/datasets/small") == (200, b"small\n")
        visitor.vanish()
    visitor = H2Client(site.port, window=100_000)
    visitor.wait_for_data(visitor.send("GET", "/download/datasets/large"))
    visitor.vanish()
    wait_for(lambda: site.get("/metrics/status").json["events_ignored"].get("incomplete"), what="the broken one is seen")
    wait_equal(lambda: site.counts.of("datasets"), {"small": (0, 20)})


def test_many_streams_at_once_are_recorded_once_each(site):
    with H2Client(site.port) as visitor:
        for _ in range(5):
            assert visitor.all([("GET", f"/datasets/id{n % 10}") for n in range(80)]) == [200] * 80
    wait_equal(lambda: views(site), {f"id{n}": 40 for n in range(10)})
    site.markers.settle()
    assert views(site) == {f"id{n}": 40 for n in range(10)}


def test_posts_are_answered_once_they_are_in_the_spool(site):
    with H2Client(site.port) as visitor:
        status, body = visitor.post("/metrics/datasets/one/views")
        assert (status, json.loads(body)) == (202, {"recorded": 1})
        lines = b'{"type":"datasets","id":"two","action":"view"}\n' * 100
        status, body = visitor.post("/metrics/events", body=lines, headers=[("content-type", "application/x-ndjson")])
        assert (status, json.loads(body)) == (202, {"recorded": 100})
        assert visitor.all([("POST", "/metrics/datasets/three/views")] * 50) == [202] * 50
    site.markers.settle()
    assert views(site) == {"one": 1, "two": 100, "three": 50}


def test_a_report_is_the_same_as_over_http_1(site):
    assert site.get("/datasets/id1").status == 200
    site.markers.settle()
    with H2Client(site.port) as visitor:
        status, body = visitor.get("/metrics/datasets")
        assert (status, body) == (200, site.get("/metrics/datasets").body)
        assert b"id1" in body


class Streams(threading.Thread):
    """Visitors over HTTP/2 under load. certain: answers of streams before the last round of a connection (their
    records are written when a stream is cleaned up, which may be after its last byte); possible: what was sent."""

    def __init__(self, port, method, path):
        super().__init__(daemon=True)
        self.port, self.request, self.stopping = port, (method, path), threading.Event()
        self.certain = self.possible = self.rounds = 0
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self._connection()
        except Exception as failure:
            self.failure = failure

    def _connection(self):
        answered = 0
        try:
            with H2Client(self.port) as visitor:
                for _ in range(8):
                    answered += self._round(visitor)
        except OSError:
            if self.request[0] == "POST":
                self.certain += answered
            self.stopping.wait(0.01)
            return
        self.certain += answered

    def _round(self, visitor):
        method, path = self.request
        streams = []
        for _ in range(10):
            self.possible += 1
            streams.append(visitor.send(method, path))
        statuses = [visitor.answer(stream)[0] for stream in streams]
        assert statuses == [202 if method == "POST" else 200] * 10
        self.rounds += 1
        return 10


@pytest.mark.parent
@pytest.mark.parametrize("method, path", [("GET", "/datasets/id1"), ("POST", "/metrics/datasets/id1/views")])
def test_children_killed_under_load(httpd, method, path):
    site = httpd(CONF, modules=["http2"], children=2, markers=False)
    site.file("datasets/id1", "page\n")
    site.start()
    wait_for(lambda: len(site.children()) == 2, what="both children serve")
    visitors = [Streams(site.port, method, path) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for _ in range(3):
        goal = sum(visitor.rounds for visitor in visitors) + 30
        wait_for(lambda: sum(visitor.rounds for visitor in visitors) >= goal or not any(v.is_alive() for v in visitors),
                 what="30 rounds of streams")
        kill_a_child(site)
    for visitor in visitors:
        visitor.stopping.set()
    for visitor in visitors:
        visitor.join(30)
    assert [visitor.failure for visitor in visitors if visitor.failure] == []
    counted = counted_for_good(site)
    certain, possible = (sum(getattr(visitor, name) for visitor in visitors) for name in ("certain", "possible"))
    assert certain < possible, "no stream was under way when a child was killed"
    assert certain <= counted["id1"] <= possible
