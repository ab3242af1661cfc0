"""Parents at all levels, and what documents hold that nobody should write: a report, a count and one line in the log."""

import struct

import bson
import pytest

from environment import Gate
from environment.waiting import wait_equal
from test_reports import TOTALS, known, report, total, used

OPEN = """
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr "true"
</Location>
"""
CLOSED = OPEN + """
<Location "/metrics/collections">
    Require all denied
</Location>
"""
TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name parents=collections:collections parents=spaces:spaces
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)$"
    MetricsCatalog collections name=name parents=collections:up parents=spaces:spaces
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsCatalog uploads name=filename size=length parents=datasets:datasets:files \\
                   parents=datasets:folders:files:dataset
</MetricsType>
<MetricsType spaces>
    MetricsView "^/spaces/([^/]+)$"
    MetricsCatalog spaces name=name
</MetricsType>
"""
LEVELS = ["parent_datasets", "parent_collections", "parent_collections_ids", "parent_spaces"]
ALL = "parents=none&columns=" + ",".join(LEVELS)
CAUSES = {"missing": 0, "wrong_type": 0, "too_long": 0, "too_much_work": 0, "cycle": 0}


def fill(site):
    used(site, "files", total("f1", 3), total("f2", 2), total("f3", 1))
    known(site, "uploads", *({"_id": f"f{n}", "filename": f"{n}.csv"} for n in (1, 2, 3)))
    known(site, "datasets", {"_id": "d1", "name": "One", "files": ["f1"], "collections": ["c1"], "spaces": []},
          {"_id": "d2", "name": "Two", "files": ["f1"], "spaces": ["s2"]})
    known(site, "folders", {"_id": "in d1", "files": ["f2"], "dataset": "d1"},
          {"_id": "in a folder in d1", "files": ["f1"], "dataset": "d1"})
    known(site, "collections", {"_id": "c1", "name": "Inner", "up": ["c0"]},
          {"_id": "c0", "name": "=Outer", "spaces": ["s1"]})
    known(site, "spaces", {"_id": "s1", "name": "Here"}, {"_id": "s2", "name": "There"})


@pytest.fixture
def site(httpd):
    started = httpd(OPEN, types=TYPES, markers=False).start()
    started.counts.wait_for_indexes()
    return started


def gaps(site, **expected):
    return wait_equal(lambda: site.get("/metrics/status").json["catalog_gaps"], {**CAUSES, **expected})


def test_parents_at_all_levels(site):
    fill(site)
    assert report(site, f"/metrics/files?{ALL}") == [
        TOTALS + LEVELS,
        ["f1", "1.csv", "3", "0", "", "", "One; Two", "'=Outer; Inner", "c0; c1", "Here; There"],
        ["f2", "2.csv", "2", "0", "", "", "One", "'=Outer; Inner", "c0; c1", "Here"],
        ["f3", "3.csv", "1", "0", "", "", "", "", "", ""]]
    rows = site.get(f"/metrics/files.json?{ALL}").json["rows"]
    assert [rows[0][name] for name in LEVELS] == [["One", "Two"], ["=Outer", "Inner"], ["c0", "c1"], ["Here", "There"]]
    assert [rows[2][name] for name in LEVELS] == [[], [], [], []]
    # beside direct parents, which may be one row each
    each = report(site, "/metrics/files?parents=rows&limit=1&columns=size_bytes,parent_spaces")
    assert [row[6:] for row in each] == [["parent_type", "parent_id", "parent_name", "size_bytes", "parent_spaces"],
                                         ["datasets", "d1", "One", "", "Here; There"],
                                         ["datasets", "d2", "Two", "", "Here; There"]]
    gaps(site)


def test_parents_that_may_not_be_seen(httpd):
    site = httpd(CLOSED, types=TYPES, markers=False).start()
    site.counts.wait_for_indexes()
    fill(site)
    site.allow_log("AH01630: client denied by server configuration")
    assert [row[6:] for row in report(site, f"/metrics/files?{ALL}")[1:]] == [
        ["One; Two", "", "", "There"], ["One", "", "", ""], ["", "", "", ""]]


@pytest.mark.parametrize("column", ["parent_nothing", "parent_", "parent_datasets_id"])
def test_columns_of_types_that_are_not_there(site, column):
    answer = site.get(f"/metrics/files?columns={column}")
    assert answer.status == 400
    assert "parent_" in answer.text


def test_documents_that_nobody_should_write(site):
    used(site, "files", *(total(name, 9 - n) for n, name in enumerate(("good", "gone", "odd", "long"))))
    used(site, "collections", total("loop", 1))
    known(site, "uploads", {"_id": "good", "filename": "good.csv", "length": 1},
          {"_id": "odd", "filename": {"x": 1}, "length": "big"}, {"_id": "long", "filename": "x" * 10_000_000})
    known(site, "collections", {"_id": "loop", "name": "L", "up": ["loop"]})
    site.expect_log(r"MM0610: 1 row\(s\) of reports .* of files \"odd\": a value is not what MetricsCatalog says")
    assert [row[:2] for row in report(site, "/metrics/files?columns=size_bytes")[1:]] == [
        ["good", "good.csv"], ["gone", ""], ["odd", ""], ["long", "x" * 4096]]
    gaps(site, missing=1, wrong_type=1, too_long=1)
    assert [row[6] for row in report(site, "/metrics/collections?parents=none&columns=parent_collections_ids")[1:]] == [""]
    gaps(site, missing=1, wrong_type=1, too_long=1, cycle=1)
    metrics = site.get("/metrics/status?format=openmetrics").text
    assert 'mod_metrics_catalog_gaps_total{cause="cycle"} 1\n' in metrics
    assert len([line for line in site.log_text().splitlines() if "MM0610" in line]) == 1


class Impatient(Gate):
    """A server that gives up each query with these bytes in it, because it would take too long."""

    HEADER = struct.Struct("<iiii")

    def __init__(self, host, port, refused):
        self._refused = refused
        super().__init__(host, port)

    def _read(self, line):
        data = b""
        while len(data) < 4 or len(data) < struct.unpack_from("<i", data)[0]:
            part = line.recv((struct.unpack_from("<i", data)[0] if len(data) >= 4 else 4) - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data

    def _pass_on(self, visitor, server):
        try:
            while True:
                message = self._read(visitor)
                if self._refused in message:
                    body = b"\0\0\0\0\0" + bson.encode({"ok": 0.0, "errmsg": "operation exceeded time limit", "code": 50,
                                                        "codeName": "MaxTimeMSExpired"})
                    id_ = self.HEADER.unpack_from(message)[1]
                    visitor.sendall(self.HEADER.pack(len(body) + self.HEADER.size, 1, id_, 2013) + body)
                else:
                    server.sendall(message)
                    visitor.sendall(self._read(server))
        except OSError:
            visitor.close()
            server.close()


def find_in(collection):
    return b"\x02find\0" + struct.pack("<i", len(collection) + 1) + collection.encode() + b"\0"


@pytest.fixture
def behind(httpd, database):
    """A site whose catalogue is behind a gate."""
    gates = []

    def start(gate, *how, **options):
        host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
        gates.append(gate(host, int(port), *how))
        site = httpd(OPEN, types=TYPES, markers=False, **options)
        catalogue = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gates[0].port}")
        site.settings += f'MetricsCatalogURI "{catalogue}"\n'
        site.start()
        site.counts.wait_for_indexes()
        return site, gates[0]

    yield start
    for gate in gates:
        gate.close()


@pytest.mark.parametrize("collection", ["uploads", "datasets"])
def test_server_that_gives_up_leaves_cells_empty(behind, collection):
    site, _ = behind(Impatient, find_in(collection))
    fill(site)
    site.expect_log(r"MM0610: 3 row\(s\) .* the server too slow to look them up")
    rows = report(site, "/metrics/files?columns=parent_collections_ids")
    assert [row[:3] for row in rows[1:]] == (
        [["f1", "", "3"], ["f2", "", "2"], ["f3", "", "1"]] if collection == "uploads" else
        [["f1", "1.csv", "3"], ["f2", "2.csv", "2"], ["f3", "3.csv", "1"]])
    gaps(site, too_much_work=3)


@pytest.mark.parametrize("refused", [b"$gte", b"nothing"], ids=["which does not say how", "which says how"])
def test_ids_that_are_stored_as_strings_and_as_object_ids(behind, refused):
    """In more than a batch; what a server does not say of how ids are stored costs time, and no name."""
    site, _ = behind(Impatient, refused)
    ids = [f"{n:024x}" for n in range(1200)]
    used(site, "files", *(total(id_, 2000 - n) for n, id_ in enumerate(ids)))
    known(site, "uploads", *({"_id": bson.ObjectId(id_) if n % 2 else id_, "filename": f"{n}.csv"}
                             for n, id_ in enumerate(ids)))
    known(site, "datasets", {"_id": "d1", "name": "One", "files": [bson.ObjectId(id_) for id_ in ids[:700]]},
          {"_id": bson.ObjectId(ids[1]), "name": "Two", "files": ids[600:]})
    assert [(row[1], row[8]) for row in report(site, "/metrics/files")[1:]] == [
        (f"{n}.csv", "One" if n < 600 else "Two; One" if n < 700 else "Two") for n in range(1200)]
    gaps(site)


class Counting(Gate):
    """Lets so many visitors in, and breaks with those who come later."""

    def __init__(self, host, port, most=1_000_000):
        self.most, self.came = most, 0
        super().__init__(host, port)

    def _pass_on(self, visitor, server):
        self.came += 1
        if self.came > self.most:
            visitor.close()
            server.close()
        else:
            super()._pass_on(visitor, server)


def fill_many(site, n):
    used(site, "files", *(total(f"f{i}", n - i) for i in range(n)))
    known(site, "uploads", *({"_id": f"f{i}", "filename": f"{i}.csv"} for i in range(n)))


def test_large_reports_have_a_second_connection(behind):
    site, gate = behind(Counting)
    fill_many(site, 1100)
    for path, rows in (("/metrics/files?limit=1000", 1000), ("/metrics/files?limit=1", 1)):
        before = gate.came
        assert len(report(site, path)) == rows + 1
        assert gate.came == before + 1
    before = gate.came
    assert site.head("/metrics/files").status == 200
    assert gate.came == before + 1
    assert [row[1] for row in report(site, "/metrics/files")[1:]] == [f"{n}.csv" for n in range(1100)]
    assert gate.came == before + 3


def test_one_connection_is_enough(behind):
    site, gate = behind(Counting, 1)
    fill_many(site, 1100)
    assert [row[1] for row in report(site, "/metrics/files")[1:]] == [f"{n}.csv" for n in range(1100)]
    assert gate.came > 1


def test_too_many_parents_are_cut_and_told(site):
    """A file in so many datasets that each is in so many collections: the report comes, with what there was time for."""
    used(site, "datasets", *(total(f"d{n}", 1) for n in range(9)))
    ups = [f"c{n:04}" for n in range(1200)]
    known(site, "datasets", *({"_id": f"d{n}", "name": "D", "collections": ups} for n in range(9)))
    known(site, "collections", *({"_id": up, "name": "C", "up": ups} for up in ups[:2]))
    site.expect_log(r"MM0610: 9 row\(s\) of reports .* too many")
    rows = report(site, "/metrics/datasets?parents=none&columns=parent_collections_ids")
    assert len(rows) == 10
    assert rows[1][6].split("; ")[:2] == ["c0000", "c0001"]
    assert len(rows[1][6].split("; ")) <= 1000
    status = site.get("/metrics/status").json["catalog_gaps"]
    assert status["too_much_work"] == 9
