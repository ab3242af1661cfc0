"""Reports by day: the site, a type, one resource; by month; only what the requester may see; all forms."""

import io
import json
import time
from datetime import datetime

import openpyxl
import pytest
from bson import Int64

from environment import Gate
from environment.waiting import wait_equal
from test_forget import forget
from test_user_reports import ADA, CONF, TYPES, day

FEW = """
<Location "/few">
    SetHandler metrics
    MetricsAuthz example-narrow d1
</Location>
<Location "/each">
    SetHandler metrics
    MetricsAuthz expr report="true" resources="env('METRICS_ID') != 'secret-d'"
</Location>
<Location "/closed">
    SetHandler metrics
    MetricsAuthz expr "true"
</Location>
<Location "/closed/datasets">
    MetricsAuthz none
</Location>
"""

CAPTURE = """
<Location "/">
    MetricsCapture On
    MetricsUser "%{req:X-User}"
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr "true"
</Location>
"""


@pytest.fixture(scope="module")
def server(httpd_of_file, example_module):
    started = httpd_of_file(CONF % example_module + FEW, types=TYPES, markers=False).start()
    started.counts.wait_for_indexes()
    return started


@pytest.fixture
def site(server):
    server.counts.empty()
    day(server, "datasets", "d1", "2025-12-31", "ann", views=9, machine_views=2)
    day(server, "datasets", "d1", "2026-01-31", "ann", views=2, downloads=1, unique_views=1, unique_investigations=2)
    day(server, "datasets", "d1", "2026-01-31", views=4, machine_views=3, unique_views=3, machine_unique_views=2)
    day(server, "datasets", "secret-d", "2026-01-31", views=100)
    day(server, "datasets", "d2", "2026-02-01", views=0, downloads=0)
    day(server, "files", "f/1", "2026-01-31", downloads=5)
    day(server, "files", "f/1", "2026-02-28", "ann", downloads=7)
    return server


def table(site, path, **options):
    answer = site.get(path, **options)
    assert answer.status == 200, answer.text
    return answer.rows


SITE = [["day", "resource_type", "views", "downloads"],
        ["2025-12-31", "datasets", "9", "0"],
        ["2026-01-31", "datasets", "106", "1"], ["2026-01-31", "files", "0", "5"],
        ["2026-02-28", "files", "0", "7"]]


def test_site(site):
    assert table(site, "/metrics/days") == SITE
    assert table(site, "/metrics/days?order=desc&sort=day")[1:] == [SITE[4], *SITE[2:4], SITE[1]]
    assert table(site, "/metrics/days?limit=2&offset=1")[1:] == SITE[2:4]
    assert table(site, "/metrics/days.tsv") != SITE
    assert table(site, "/metrics/days?per=month") == [
        ["month", "resource_type", "views", "downloads"], ["2025-12", "datasets", "9", "0"],
        ["2026-01", "datasets", "106", "1"], ["2026-01", "files", "0", "5"], ["2026-02", "files", "0", "7"]]
    assert "metrics-days-" in site.get("/metrics/days")["Content-Disposition"]


def test_type_and_resource(site):
    assert table(site, "/metrics/datasets/days") == [
        ["day", "views", "downloads"], ["2025-12-31", "9", "0"], ["2026-01-31", "106", "1"]]
    one = [["day", "views", "downloads"], ["2025-12-31", "9", "0"], ["2026-01-31", "6", "1"]]
    assert table(site, "/metrics/datasets/d1/days") == one
    assert site.get("/metrics/datasets/days.csv?id=d1").body == site.get("/metrics/datasets/d1/days.csv").body
    assert table(site, "/metrics/files/days?id=f/1&per=month")[1:] == [["2026-01", "0", "5"], ["2026-02", "0", "7"]]
    assert table(site, "/metrics/datasets/d2/days")[1:] == table(site, "/metrics/datasets/none/days")[1:] == []
    assert "metrics-datasets-days-" in site.get("/metrics/datasets/d1/days")["Content-Disposition"]


def test_period_agents_and_columns(site):
    assert table(site, "/metrics/days?since=2026-01-31&until=2026-02-01")[1:] == SITE[2:4]
    assert table(site, "/metrics/days?until=2026-01-31T00:00:00")[1:] == SITE[1:2]
    assert table(site, "/metrics/datasets/days?agent=machine")[1:] == [["2025-12-31", "2", "0"], ["2026-01-31", "3", "0"]]
    assert table(site, "/metrics/datasets/d1/days?agent=regular&since=2026-01-01"
                       "&columns=machine_views,unique_views,unique_investigations,regular_views") == [
        ["day", "views", "downloads", "machine_views", "unique_views", "unique_investigations", "regular_views"],
        ["2026-01-31", "3", "1", "3", "2", "2", "3"]]


@pytest.mark.parametrize("prefix, datasets", [
    ("/guarded", [["2025-12-31", "9", "0"], ["2026-01-31", "6", "1"]]),
    ("/few", [["2025-12-31", "9", "0"], ["2026-01-31", "6", "1"]]),
    ("/each", [["2025-12-31", "9", "0"], ["2026-01-31", "6", "1"]]),
])
def test_sums_are_of_what_may_be_seen(site, prefix, datasets):
    """A provider that hides what begins with secret; one that knows two resources; an expression for each."""
    assert table(site, f"{prefix}/datasets/days", headers=ADA)[1:] == datasets
    months = [["2025-12", "9", "0"], ["2026-01", "6", "1"]]
    assert table(site, f"{prefix}/datasets/days?per=month", headers=ADA)[1:] == months
    of_site = [[row[0], *row[2:]] for row in table(site, f"{prefix}/days", headers=ADA)[1:] if row[1] == "datasets"]
    assert of_site == datasets
    if prefix != "/few":
        hidden = site.get(f"{prefix}/datasets/secret-d/days", headers=ADA)
        assert hidden.status == 200 and hidden.body == site.get(f"{prefix}/datasets/none/days", headers=ADA).body


def test_a_closed_type_is_not_in_the_site(site):
    assert [row[1] for row in table(site, "/closed/days")[1:]] == ["files", "files"]
    assert site.get("/closed/datasets/days").status in (401, 403)
    assert site.get("/guarded/days").status == 401


@pytest.mark.parametrize("path", [
    "days?sort=views", "days?per=week", "days?columns=owner", "days?columns=parent_datasets", "days?id=d1", "days?parents=none",
    "datasets/days?user=ann", "datasets/d1/days?id=d1", "datasets/days?not_accessed_since=2026-01-01",
    "datasets?per=day", "datasets?sort=day", "days?since=2026-01-02&until=2026-01-02"])
def test_what_is_not_there_is_refused(site, path):
    assert site.get(f"/metrics/{path}").status == 400


def test_forms(site):
    answer = site.get("/metrics/days.json?since=2026-02-01").json
    assert answer["columns"][0] == {"name": "day", "kind": "date"}
    assert answer["rows"] == [{"day": "2026-02-28", "resource_type": "files", "views": 0, "downloads": 7}]
    lines = site.get("/metrics/files/days.ndjson?per=month").text.splitlines()
    assert [json.loads(line)["month"] for line in lines] == ["2026-01", "2026-02"]
    book = openpyxl.load_workbook(io.BytesIO(site.get("/metrics/days.xlsx").body))
    cells = list(book["Data"].values)
    assert cells[1] == (datetime(2025, 12, 31), "datasets", 9, 0)
    assert book["Data"]["A2"].number_format == "yyyy-mm-dd"


def test_who_is_forgotten_stays_in_the_days(httpd):
    made = httpd(CAPTURE)
    made.file("datasets/one", "one")
    made.start()
    for user in ("ada", "bob", ""):
        assert made.request("GET", "/datasets/one", headers={"X-User": user, "User-Agent": "Firefox"}).status == 200
    made.markers.settle()
    before = table(made, "/metrics/datasets/days")
    assert sum(int(row[1]) for row in before[1:]) == 3
    forget(made, "ada")
    assert table(made, "/metrics/datasets/days") == before


def test_counters_that_somebody_wrote_by_hand(site):
    """Two that no sum can hold: the report has what is left of them, and status says so."""
    before = site.get("/metrics/status").json["counters_cut"]
    for user in ("ann", "bob"):
        day(site, "files", "f/1", "2026-03-01", user, downloads=Int64(2**63 - 1))
    day(site, "files", "f/1", "2026-03-02", "ann", downloads=float("nan"))
    day(site, "files", "f/1", "2026-03-02", "bob", downloads=2)
    most = str(2**53)
    for path in ("/metrics", "/each"):
        assert table(site, f"{path}/days?since=2026-03-01")[1:] == [["2026-03-01", "files", "0", most],
                                                                    ["2026-03-02", "files", "0", "2"]]
        assert table(site, f"{path}/days?since=2026-03-01&per=month")[1:] == [["2026-03", "files", "0", most]]
        assert table(site, f"{path}/files?since=2026-03-01")[1][2:4] == ["0", most]
    assert table(site, "/metrics/files/users?since=2026-03-01&agent=regular")[1][5] == most
    wait_equal(lambda: site.get("/metrics/status").json["counters_cut"], before + 8)
    site.expect_log(r"MM0611: \d+ row\(s\) of reports, of files among them, have numbers that are cut")


class Slow(Gate):
    """A server that thinks for some seconds before it does what it is told, where that is this."""

    def __init__(self, host, port, slow, seconds):
        self._slow, self._seconds = slow, seconds
        super().__init__(host, port)

    def heard(self, data):
        if self._slow in data:
            time.sleep(self._seconds)


def test_the_server_may_take_long_to_add_up(httpd, database):
    """Longer than other answers may take, which end the report as ever."""
    host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
    gate = Slow(host, int(port), b"aggregate\0", 1.5)
    site = httpd(CAPTURE, types=TYPES, markers=False)
    site.mongo_uri = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
    site.mongo_uri += ("&" if "?" in site.mongo_uri else "?") + "socketTimeoutMS=1000"
    site.start()
    day(site, "datasets", "d1", "2026-01-31", views=2, machine_views=1)
    site.counts.db.metrics_datasets.insert_one({"_id": "d1", "views": 2, "downloads": 0, "machine_views": 1})
    for path in ("/metrics/datasets/days", "/metrics/datasets?agent=regular"):
        answer = site.get(path)
        assert answer.status == 200 and ("d1" in answer.text or "2026-01-31" in answer.text), answer.text
    gate.close()
