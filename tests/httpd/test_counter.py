"""COUNTER reports: what was clicked is what a harvester gets, month by month, as JSON and as the tabular form."""

import csv
import io
import json
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from environment import Gate
from environment.httpd import ROOT, SETTINGS, TYPES
from environment.waiting import wait_equal
from test_formats import SMALL_BUFFERS, begin, read_on

DSR = "/metrics/counter/reports/dsr"
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/dsr.schema.json").read_text()))
EXCEPTIONS = Draft202012Validator({**SCHEMA.schema, "type": "object", "required": ["exceptions"],
                                   "properties": {"exceptions": {"$ref": "#/$defs/exceptions", "minItems": 1}}})
COUNTER = 'MetricsCounter "platform=Our data" "publisher=Uni X" publisher-id=grid:grid.1 help=https://example.org/help\n'
CATALOG = TYPES.replace("<MetricsType datasets>", "<MetricsType datasets>\n    MetricsCatalog datasets name=name")
LISTS = """
MetricsRobots   "${DIR}/robots.txt"
MetricsMachines "${DIR}/machines.txt"
"""
CONF = """
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
    MetricsAuthz expr "%{HTTP:X-Right} != 'no'"
</Location>
"""
BROWSER, SCRIPT, ROBOT = "Mozilla/5.0 (X11) Firefox/128.0", "curl/8.0", "Googlebot/2.1"
NAMES = ("total-dataset-investigations", "total-dataset-requests", "unique-dataset-investigations",
         "unique-dataset-requests")
MONTH = (datetime.now(timezone.utc).replace(day=1) - timedelta(days=40)).replace(day=10, hour=12, minute=0, second=0,
                                                                                 microsecond=0)


def start(httpd, conf=CONF, settings=COUNTER, types=CATALOG, **options):
    site = httpd(conf, markers=False, types=types,
                 settings=SETTINGS.replace("MetricsDoubleClick 0", "MetricsDoubleClick 30") + LISTS + settings, **options)
    (site.directory / "robots.txt").write_text("googlebot\n")
    (site.directory / "machines.txt").write_text("^curl\n")
    site.start()
    site.counts.wait_for_indexes()
    return site


@pytest.fixture(scope="module")
def server(httpd_of_file):
    return start(httpd_of_file)


@pytest.fixture
def site(server):
    server.counts.forget()
    server.counts.db.datasets.delete_many({})
    return server


def month_of(moment):
    return f"begin_date={moment:%Y-%m}&end_date={moment:%Y-%m}"


def click(id_, when, action="view", who="s", agent=BROWSER, **more):
    return {"type": "datasets", "id": id_, "action": action, "time": f"{when:%Y-%m-%dT%H:%M:%S.%f}Z", "session": who,
            "agent": agent, **more}


def post(site, clicks, uses):
    """Records clicks, and waits until they are this many uses."""
    assert site.post_lines("/metrics/events", *clicks).status == 202
    wait_equal(lambda: sum(doc.get("views", 0) + doc.get("downloads", 0) for doc in site.counts.db.metrics_days.find()),
               uses)


def dsr(site, query, path=DSR, **options):
    answer = site.get(f"{path}?{query}", **options)
    assert (answer.status, answer["Content-Type"]) == (200, "application/json"), answer.text
    SCHEMA.validate(answer.json)
    return answer.json


def numbers(report):
    """{id: {access method: the four counts, in the order of NAMES}}"""
    found = {}
    for dataset in report["report-datasets"]:
        counts = found.setdefault(dataset["dataset-id"][0]["value"], {})
        for instance in dataset["performance"][0]["instance"]:
            row = counts.setdefault(instance["access-method"], [0] * 4)
            row[NAMES.index(instance["metric-type"])] = instance["count"]
    return found


def codes(answer):
    exceptions = answer["report-header"]["exceptions"] if "report-header" in answer else answer["exceptions"]
    return [each["code"] for each in exceptions]


def days(site, *documents):
    site.counts.db.metrics_days.insert_many(
        [{"_id": f"d{n}", "type": "datasets", **document} for n, document in enumerate(documents)])


# --- what counts ---

def test_audit(site):
    """30 items clicked twice, 15 within 30 s and 15 beyond; 100 items once."""
    twice = [click(f"t{n:02}", MONTH + timedelta(seconds=second)) for n in range(30) for second in (0, 10 if n < 15 else 35)]
    once = [click(f"u{n}", MONTH) for n in range(100)]
    post(site, twice + once, 145)
    found = numbers(dsr(site, month_of(MONTH)))
    assert len(found) == 130
    assert {id_: found[id_] for id_ in found if id_ < "t15"} == {f"t{n:02}": {"regular": [1, 0, 1, 0]} for n in range(15)}
    assert {id_: found[id_] for id_ in found if "t15" <= id_ < "u"} == \
        {f"t{n}": {"regular": [2, 0, 1, 0]} for n in range(15, 30)}
    assert sum(found[f"u{n}"]["regular"][0] for n in range(100)) == 100


def test_investigations_requests_and_who_made_them(site):
    """Who views and downloads within an hour has investigated once."""
    later = MONTH + timedelta(minutes=5)
    post(site, [click("a", MONTH), click("a", later, "download"), click("a", later, "download", who="t"),
                click("a", MONTH + timedelta(hours=1)),
                click("a", MONTH, "download", who="m", agent=SCRIPT),
                click("a", later, "download", who="m", agent=SCRIPT),
                click("a", MONTH, who="r", agent=ROBOT), click("robots", MONTH, who="r", agent=ROBOT)], 6)
    assert numbers(dsr(site, month_of(MONTH))) == {"a": {"regular": [4, 2, 3, 2], "machine": [2, 2, 1, 1]}}


def test_borders_of_a_month(site):
    first = MONTH.replace(day=1, hour=0)
    last = first - timedelta(milliseconds=1)
    post(site, [click("new", first), click("old", last, who="o")], 2)
    assert numbers(dsr(site, month_of(first))) == {"new": {"regular": [1, 0, 1, 0]}}
    assert numbers(dsr(site, month_of(last))) == {"old": {"regular": [1, 0, 1, 0]}}


def test_a_part_of_a_month(site):
    post(site, [click("early", MONTH), click("late", MONTH + timedelta(days=1))], 2)
    report = dsr(site, f"begin_date={MONTH:%Y-%m}-01&end_date={MONTH:%Y-%m-%d}")
    assert list(numbers(report)) == ["early"]
    period = {"begin-date": f"{MONTH:%Y-%m}-01", "end-date": f"{MONTH:%Y-%m-%d}"}
    assert report["report-header"]["reporting-period"] == period
    assert report["report-datasets"][0]["performance"][0]["period"] == period


# --- the report ---

FEBRUARY = {"resource": "10.5072/FK2", "day": datetime(2024, 2, 29), "views": 5, "downloads": 2, "machine_views": 1,
            "unique_views": 2, "unique_downloads": 1, "unique_investigations": 2, "machine_unique_views": 1,
            "machine_unique_investigations": 1}


def test_every_member(site):
    days(site, FEBRUARY, {"resource": "x", "day": datetime(2024, 3, 1), "views": 1, "unique_investigations": 1})
    site.counts.db.datasets.insert_one({"_id": "10.5072/FK2", "name": 'Rain, "hourly"'})
    report = dsr(site, "begin_date=2024-02-01&end_date=2024-02-29&granularity=month")
    assert abs(datetime.now() - datetime.strptime(report["report-header"].pop("created"), "%Y-%m-%dT%H:%M:%SZ")) < \
        timedelta(days=1)
    assert report == {
        "report-header": {
            "report-name": "dataset report", "report-id": "dsr", "release": "rd1", "created-by": "Our data",
            "reporting-period": {"begin-date": "2024-02-01", "end-date": "2024-02-29"},
            "report-filters": [{"name": "begin-date", "value": "2024-02-01"}, {"name": "end-date", "value": "2024-02-29"}],
            "report-attributes": [{"name": "granularity", "value": "month"}],
            "exceptions": []},
        "report-datasets": [{
            "dataset-title": 'Rain, "hourly"', "dataset-id": [{"type": "doi", "value": "10.5072/FK2"}],
            "platform": "Our data", "publisher": "Uni X", "publisher-id": [{"type": "grid", "value": "grid.1"}],
            "data-type": "dataset",
            "performance": [{
                "period": {"begin-date": "2024-02-01", "end-date": "2024-02-29"},
                "instance": [{"metric-type": name, "access-method": "regular", "count": count}
                             for name, count in zip(NAMES, (6, 2, 1, 1))] +
                            [{"metric-type": NAMES[0], "access-method": "machine", "count": 1},
                             {"metric-type": NAMES[2], "access-method": "machine", "count": 1}]}]}]}


def test_filters(site):
    days(site, FEBRUARY, {"resource": "b", "day": datetime(2024, 2, 1), "views": 3, "machine_views": 3,
                          "unique_investigations": 1, "machine_unique_investigations": 1})
    month = "begin_date=2024-02&end_date=2024-02"
    assert numbers(dsr(site, f"{month}&access_method=Machine")) == \
        {"10.5072/FK2": {"machine": [1, 0, 1, 0]}, "b": {"machine": [3, 0, 1, 0]}}
    assert numbers(dsr(site, f"{month}&access_method=regular")) == {"10.5072/FK2": {"regular": [6, 2, 1, 1]}}
    assert numbers(dsr(site, f"{month}&metric_type=Total_Dataset_Requests%7Cunique-dataset-requests")) == \
        {"10.5072/FK2": {"regular": [0, 2, 0, 1]}}
    assert list(numbers(dsr(site, f"{month}&dataset_id=b"))) == ["b"]
    report = dsr(site, f"{month}&dataset_id=b&access_method=Regular")
    assert (report["report-datasets"], codes(report)) == ([], [3030])


def test_kinds_of_ids(site):
    ids = {"doi:10.7910/DVN/X": ("doi", "10.7910/DVN/X"), "https://example.org/1": ("uri", "https://example.org/1"),
           "52f1": ("proprietary", "52f1"), "10.x/y": ("proprietary", "10.x/y"), "10.5072/": ("proprietary", "10.5072/"),
           "abc/def": ("proprietary", "abc/def")}
    days(site, *({**FEBRUARY, "resource": id_} for id_ in ids), {**FEBRUARY, "resource": b"d\xff"})
    report = dsr(site, "begin_date=2024-02&end_date=2024-02", path="/metrics/counter/reports/DSR")
    found = {(each["dataset-id"][0]["type"], each["dataset-id"][0]["value"]) for each in report["report-datasets"]}
    assert found == {*ids.values(), ("proprietary", "d%FF")}


def test_a_dataset_is_found_by_what_a_report_says_of_it(site):
    days(site, *({**FEBRUARY, "resource": id_} for id_ in
                 ("doi:10.7910/DVN/X", "DOI:10.7910/DVN/X", "10.7910/DVN/Y", "https://example.org/1", "52f1", "doi:52f1")))

    def found(dataset_id):
        report = dsr(site, f"begin_date=2024-02&end_date=2024-02&dataset_id={quote(dataset_id)}")
        assert {"name": "dataset-id", "value": dataset_id} in report["report-header"]["report-filters"]
        return [tuple(each["dataset-id"][0].values()) for each in report["report-datasets"]]

    whole = dsr(site, "begin_date=2024-02&end_date=2024-02")
    for each in whole["report-datasets"]:
        identifier = tuple(each["dataset-id"][0].values())
        n = 2 if identifier == ("doi", "10.7910/DVN/X") else 1
        assert found(identifier[1]) == found(":".join(identifier)) == [identifier] * n
    for dataset_id in ("doi:10.7910/DVN/X", "DOI:10.7910/DVN/X", "Doi:10.7910/DVN/X"):
        assert found(dataset_id) == [("doi", "10.7910/DVN/X")] * 2
    assert found("10.7910/dvn/x") == found("uri:52f1") == found("proprietary:10.7910/DVN/Y") == []


def test_tabular_form(site):
    days(site, FEBRUARY, {**FEBRUARY, "resource": "52f1"})
    site.counts.db.datasets.insert_many([{"_id": "10.5072/FK2", "name": 'Rain\tand "snow"'}, {"_id": "52f1", "name": "=1"}])
    query = "begin_date=2024-02-01&end_date=2024-02-29&access_method=Regular%7CMachine"
    answer = site.get(f"{DSR}?{query}&format=tsv")
    assert answer["Content-Type"] == "text/tab-separated-values; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="counter-dsr-2024-02.tsv"'
    table = list(csv.reader(io.StringIO(answer.text, newline=""), delimiter="\t"))
    assert [row[0] for row in table[:10]] == ["Report_Name", "Report_ID", "Release", "Metric_Types", "Report_Filters",
                                              "Report_Attributes", "Exceptions", "Reporting_Period", "Created", "Created_By"]
    assert [row[1] for row in table[:3]] == ["Dataset Master Report", "DSR", "RD1"]
    assert table[3][1].split("; ") == [name.title().replace("-", "_") for name in NAMES]
    assert table[7][1] == "2024-02-01 to 2024-02-29"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", table[8][1]) and table[9][1] == "Our data" and table[10] == []
    assert table[11] == ["Dataset_Title", "Publisher", "Publisher_ID", "DOI", "Other_ID", "URI", "Access_Method",
                         "Metric_Type", "Reporting_Period_Total", "Feb-2024"]
    first = ['Rain\tand "snow"', "Uni X", "grid:grid.1", "10.5072/FK2", "", ""]
    assert table[12] == first + ["Regular", "Total_Dataset_Investigations", "6", "6"]
    assert table[17] == first + ["Machine", "Unique_Dataset_Investigations", "1", "1"]
    assert table[18][:6] == ["'=1", "Uni X", "grid:grid.1", "", "52f1", ""]
    assert len(table) == 12 + 2 * 6
    of_json = sum(each["count"] for dataset in dsr(site, query)["report-datasets"]
                  for each in dataset["performance"][0]["instance"])
    assert sum(int(row[8]) for row in table[12:]) == of_json
    assert site.get(f"{DSR}?{query}", headers={"Accept": "text/tab-separated-values"}).text == answer.text
    empty = site.get(f"{DSR}?begin_date=2001-02&end_date=2001-02&format=tsv").text.splitlines()
    assert empty[6] == "Exceptions\t3030: No Usage Available for Requested Dates" and len(empty) == 12


# --- exceptions ---

def test_months_that_are_not_over(site):
    now = datetime.now(timezone.utc)
    assert codes(dsr(site, month_of(now))) == [3040, 3030]
    assert codes(dsr(site, "begin_date=9000-01&end_date=9000-01")) == [3031]


def test_parameters_that_nobody_knows(site):
    days(site, FEBRUARY)
    report = dsr(site, "requestor_id=me&begin_date=2024-02&api_key=geheim&end_date=2024-02")
    assert len(report["report-datasets"]) == 1
    assert report["report-header"]["exceptions"] == [
        {"code": 3050, "severity": "warning", "message": "Parameter Not Recognized in this Context",
         "data": "requestor_id, api_key", "help-url": "https://example.org/help"}]


@pytest.mark.parametrize("query, code, says", [
    ("", 3070, "begin_date is missing"),
    ("begin_date=2024-02", 3070, "end_date is missing"),
    ("begin_date=2024-02-02&end_date=2024-02-28", 3020, "first day of a month"),
    ("begin_date=2024-02&end_date=2024-03", 3020, "same month"),
    ("begin_date=2024-02&end_date=2024-01-31", 3020, "same month"),
    ("begin_date=2024-02&end_date=2024-02-30", 3020, 'not "2024-02-30"'),
    ("begin_date=yesterday&end_date=2024-02", 3020, 'not "yesterday"'),
    ("begin_date=2024-02&end_date=2024-02&access_method=robot", 3060, "Regular, Machine"),
    ("begin_date=2024-02&end_date=2024-02&metric_type=", 3060, "Total_Dataset_Requests"),
    ("begin_date=2024-02&end_date=2024-02&begin_date=2024-02", 3060, "more than once"),
    ("begin_date=2024-02&end_date=2024-02&dataset_id=a%00b", 3060, "zero byte"),
    ("begin_date=2024-02&end_date=2024-02&granularity=day", 3062, "month"),
])
def test_bad_parameters(site, query, code, says):
    answer = site.get(f"{DSR}?{query}")
    assert (answer.status, answer["Content-Type"]) == (400, "application/json")
    EXCEPTIONS.validate(answer.json)
    assert codes(answer.json) == [code] and says in answer.json["exceptions"][0]["data"]


def test_what_there_is(site):
    assert site.get("/metrics/counter/reports?requestor_id=me").json == [
        {"report-name": "dataset report", "report-id": "dsr", "release": "rd1", "path": "/reports/dsr",
         "report-description": "Investigations and requests of each dataset in a month"}]
    status = site.get("/metrics/counter/status")
    assert status.json == {"description": "COUNTER reports for research data of Our data", "serviceactive": True, "alerts": []}
    for path in ("/metrics/counter", "/metrics/counter/", "/metrics/counter/reports/", "/metrics/counter/reports/pr"):
        answer = site.get(path)
        assert (answer.status, codes(answer.json)) == (404, [3000])
    answer = site.post("/metrics/counter/status")
    assert (answer.status, answer.allowed) == (405, {"GET", "HEAD"})
    assert site.get(f"{DSR}?{month_of(MONTH)}&format=xlsx").status == 406
    assert site.get(f"{DSR}?{month_of(MONTH)}", headers={"Accept": "text/html"}).status == 406
    head = site.head(f"{DSR}?{month_of(MONTH)}")
    assert (head.status, head.body) == (200, b"")


# --- rights ---

def test_nothing_without_the_right(site):
    days(site, FEBRUARY)
    for path in ("status", "reports", "reports/dsr", "reports/dsr?begin_date=2024-02&end_date=2024-02", "nothing"):
        answer = site.get("/metrics/counter/" + path, headers={"X-Right": "no"})
        assert (answer.status, codes(answer.json)) == (401, [2000])


def test_rows_that_may_not_be_seen(httpd, example_module):
    """A provider that hides ids which begin with "secret"; collections are closed by a section of their own."""
    conf = CONF.replace("""expr "%{HTTP:X-Right} != 'no'\"""", "example boss") + \
        '<Location "/metrics/collections">\nMetricsAuthz none\n</Location>\n'
    assert "example boss" in conf
    site = start(httpd, conf=f"LoadModule {example_module}\n" + conf, settings="MetricsCounter types=datasets,collections\n")
    days(site, {**FEBRUARY, "resource": "open1"}, {**FEBRUARY, "resource": "secret1"},
         {**FEBRUARY, "resource": "open2", "type": "collections"})
    month = "begin_date=2024-02&end_date=2024-02"
    report = dsr(site, month, headers={"X-Requester": "boss"})
    assert list(numbers(report)) == ["open1"]
    assert (report["report-datasets"][0]["platform"], report["report-datasets"][0]["publisher-id"]) == ("127.0.0.1", [])
    report = dsr(site, month + "&dataset_id=secret1", headers={"X-Requester": "boss"})
    assert (report["report-datasets"], codes(report)) == ([], [3030])
    answer = site.get(f"{DSR}?{month}", headers={"X-Requester": "eve"})
    assert (answer.status, codes(answer.json)) == (403, [2000])


def test_types_that_count_as_datasets(httpd):
    site = start(httpd, settings="MetricsCounter types=datasets,files\n")
    days(site, FEBRUARY, {**FEBRUARY, "type": "files", "resource": "f"}, {**FEBRUARY, "type": "collections", "resource": "c"})
    assert list(numbers(dsr(site, "begin_date=2024-02&end_date=2024-02"))) == ["10.5072/FK2", "f"]


def test_a_type_that_is_named_twice_counts_once(httpd):
    site = start(httpd, settings="MetricsCounter types=datasets,files,datasets,datasets,datasets,datasets,files\n")
    days(site, FEBRUARY, {**FEBRUARY, "type": "files", "resource": "f"})
    report = dsr(site, "begin_date=2024-02&end_date=2024-02")
    assert [each["dataset-id"][0]["value"] for each in report["report-datasets"]] == ["10.5072/FK2", "f"]


def test_a_site_without_datasets(httpd):
    site = start(httpd, settings="", types='<MetricsType files>\nMetricsView "^/files/([^/]+)$"\n</MetricsType>\n')
    answer = site.get(f"{DSR}?{month_of(MONTH)}")
    assert (answer.status, codes(answer.json)) == (404, [3000])


# --- what fails ---

def test_as_many_reports_as_there_may_be(httpd):
    site = start(httpd, conf=CONF + SMALL_BUFFERS, settings="MetricsMaxReports 1\n", children=2)
    days(site, *({**FEBRUARY, "resource": f"{n:05}" + "x" * 900} for n in range(800)))
    line, got = begin(site, f"{DSR}?begin_date=2024-02&end_date=2024-02")
    assert got.startswith(b"HTTP/1.1 200 ")
    site.expect_log("MM0605")
    for path in (f"{DSR}?{month_of(MONTH)}", "/metrics/counter/status"):
        answer = site.get(path)
        assert (answer.status, codes(answer.json), answer["Retry-After"]) == (429, [1010], "10")
    assert read_on(line, got).endswith(b"\n]}\n\r\n0\r\n\r\n")


def test_database_away(httpd, database):
    host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
    gate = Gate(host, int(port))
    site = httpd(CONF.replace("MetricsRecord On", ""), types=TYPES, markers=False, settings='MetricsMongoURI "${MONGO_URI}"\n')
    site.mongo_uri = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
    site.start()
    gate.shut()
    site.expect_log("MM0601")
    answer = site.get(f"{DSR}?{month_of(MONTH)}")
    assert (answer.status, codes(answer.json), answer["Retry-After"]) == (503, [1000], "10")
    assert "mongodb" not in answer.text and answer["Content-Disposition"] is None
    assert site.get("/metrics/counter/status").json["serviceactive"] is False
    gate.open()
    assert codes(dsr(site, "begin_date=2024-02&end_date=2024-02")) == [3030]
    assert site.get("/metrics/counter/status").json["serviceactive"] is True
    gate.close()


@pytest.mark.parametrize("line, says", [
    ("MetricsCounter", "platform="), ("MetricsCounter name=x", "types=, platform="), ("MetricsCounter platform=", "with a value"),
    ("MetricsCounter publisher-id=x:1", "client-id, grid"), ("MetricsCounter publisher-id=grid:", "client-id, grid"),
    ("MetricsCounter help=example.org", "https://"), ("MetricsCounter types=,", "types="),
    ("MetricsCounter types=datasets,nothing", 'MM0307: .*"nothing"'),
])
def test_mistakes_in_the_conf(httpd, line, says):
    status, said = httpd(settings=SETTINGS + line + "\n", markers=False).check()
    assert status != 0 and re.search(says, said), said
