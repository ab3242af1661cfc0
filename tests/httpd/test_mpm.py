"""A sample of everything under the other MPMs and as one process; `make test-mpm` runs all tests under each."""

import os
import re
import signal
import threading
import time

import pytest

from environment import Gate, Load
from environment.under_load import counted_for_good, kill_a_child, start_with_pages, views
from environment.waiting import wait_equal, wait_for

CONF = """
<Location "/">
    MetricsCapture On
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
    MetricsAuthz expr "true"
</Location>
<Location "/closed">
    SetHandler metrics
</Location>
MaxKeepAliveRequests 0
"""
NAMED = """
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsCatalog uploads name=filename parents=datasets:datasets:files
</MetricsType>
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name
</MetricsType>
"""
FILES = 1100
SINGLE = {"mpm": "event", "single": True}
KINDS = [{"mpm": "worker", "single": False}, {"mpm": "prefork", "single": False}]
POSTS = "/metrics/datasets/{}/views"

pytestmark = pytest.mark.sample


def name_of(kind):
    return "single" if kind["single"] else kind["mpm"]


@pytest.fixture
def site(httpd, request):
    return start_with_pages(httpd(CONF, children=2, markers=False, **request.param))


@pytest.mark.parametrize("site", [*KINDS, SINGLE], ids=name_of, indirect=True)
def test_answers_and_records(site):
    assert site.get("/datasets/id1").status == 200
    assert site.head("/datasets/id1").status == 200
    assert site.get("/datasets/none").status == 404
    assert (site.post(POSTS.format("id2")).status, site.get(POSTS.format("id2")).status) == (202, 405)
    assert site.post_lines("/metrics/events", b'{"type":"datasets","id":"id3","action":"view"}\n').status == 202
    assert site.post_lines("/metrics/events", b"nonsense\n").status == 400
    assert site.post("/closed/datasets/id2/views").status == 403
    assert (site.get("/closed/datasets").status, site.get("/metrics/unknown").status) == (401, 404)
    wait_equal(lambda: views(site), {"id1": 1, "id2": 1, "id3": 1})
    assert site.get("/metrics/datasets").rows[1][:4] == ["id1", "", "1", "0"]
    assert counted_for_good(site) == {"id1": 1, "id2": 1, "id3": 1}


@pytest.mark.parametrize("method, path", [("GET", "/datasets/{}"), ("POST", POSTS)], ids=["get", "post"])
@pytest.mark.parametrize("site", KINDS, ids=name_of, indirect=True)
def test_killed_and_reloaded_under_load(site, method, path):
    site.expect_log("MM0706: the drainer ended")
    with Load(site, path=path, method=method) as load:
        load.wait_for_more(100)
        kill_a_child(site)
        load.wait_for_more(100)
        drainer = site.drainer()
        os.kill(drainer, signal.SIGKILL)
        site.drainer(other_than=drainer)
        site.reload()
        load.wait_for_more(100)
    load.check(counted_for_good(site))


@pytest.mark.parametrize("site", [*KINDS, SINGLE], ids=name_of, indirect=True)
def test_stopped_under_load(site):
    with Load(site) as load:
        load.wait_for_more(100)
        site.restart()
        load.wait_for_more(100)
    load.check(counted_for_good(site))


# --- large reports, whose names are looked up by two threads ---

class Slow(Gate):
    """Passes on what the database says only after some time, and counts visitors."""

    def __init__(self, host, port):
        self.inside = 0
        super().__init__(host, port)

    def _pass_on(self, visitor, server):
        back = threading.Thread(target=self._answer, args=(server, visitor), daemon=True)
        self.inside += 1
        back.start()
        try:
            while data := visitor.recv(1 << 16):
                server.sendall(data)
        except OSError:
            pass
        self.inside -= 1
        visitor.close()
        server.close()

    def _answer(self, server, visitor):
        try:
            while data := server.recv(1 << 16):
                time.sleep(0.05)
                visitor.sendall(data)
        except OSError:
            pass


@pytest.fixture
def named(httpd, database):
    gates = []

    def start(kind, slow=False):
        site = httpd(CONF, types=NAMED, children=2, markers=False, **kind)
        if slow:
            host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
            gates.append(Slow(host, int(port)))
            catalogue = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gates[0].port}")
            site.settings += f'MetricsCatalogURI "{catalogue}"\n'
        site.start()
        site.counts.wait_for_indexes()
        db = site.counts.db
        db.metrics_files.insert_many([{"_id": f"f{n}", "views": FILES - n, "downloads": 0} for n in range(FILES)])
        db.uploads.insert_many([{"_id": f"f{n}", "filename": f"{n}.csv"} for n in range(FILES)])
        db.datasets.insert_many([{"_id": f"d{n}", "name": f"D{n}", "files": [f"f{file}" for file in range(n, FILES, 50)]}
                                 for n in range(50)])
        return site, gates

    yield start
    for gate in gates:
        gate.close()


@pytest.mark.parametrize("kind", [{"mpm": "event", "single": False}, *KINDS, SINGLE], ids=name_of)
def test_names_in_large_reports(named, kind):
    site, _ = named(kind)
    reports = []
    readers = [threading.Thread(target=lambda: reports.append(site.get("/metrics/files").rows[1:])) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    expected = [[f"f{n}", f"{n}.csv", str(FILES - n), "0", "", "", "datasets", f"d{n % 50}", f"D{n % 50}"]
                for n in range(FILES)]
    assert reports == [expected] * 2


@pytest.mark.parametrize("kind", [{"mpm": "event", "single": False}, *KINDS], ids=name_of)
def test_stopped_while_names_are_looked_up(named, kind):
    """Whatever ends then ends in order: no child crashes."""
    site, (gate,) = named(kind, slow=True)
    site.allow_log(r"MM060[123]:|AH0004[5-8]:|AH00051: .*exit signal Killed|AH00052: .*exit signal (Terminated|Killed)")

    def read():
        try:
            site.get("/metrics/files?parents=none")
        except Exception:  # it is broken off
            pass

    for _ in range(2):
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        wait_for(lambda: gate.inside >= 4, what="both reports have two connections")
        site.restart()
        for reader in readers:
            reader.join()
    assert not re.search("exit signal (?!Terminated|Killed)", site.log_text())
