"""Reports: what a browser or curl gets, from totals and a catalogue that the test puts into the database."""

import re
from datetime import datetime, timezone

import pytest
from bson import ObjectId

from environment import Gate
from environment.client import rows

CONF = """
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr "true"
</Location>
"""

TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name parents=collections:collections parents=spaces:spaces
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)$"
    MetricsCatalog collections name=name
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsCatalog uploads name=info.filename parents=datasets:datasets:files
</MetricsType>
<MetricsType spaces>
    MetricsView "^/spaces/([^/]+)$"
    MetricsCatalog spaces name=name
</MetricsType>
"""

TOTALS = ["resource_id", "resource_name", "views", "downloads", "last_viewed", "last_downloaded"]
PARENTS = ["parent_type", "parent_id", "parent_name"]
DETACHED = ["", "", ""]

VIEWED = datetime(2026, 1, 31, 12, 0, 0, 999000, tzinfo=timezone.utc)
VIEWED_TEXT = "2026-01-31 12:00:00"
DOWNLOADED = datetime(1999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
DOWNLOADED_TEXT = "1999-12-31 23:59:59"

AWKWARD = [
    "plain", "a, b", 'say "hi"', "two\nlines", "two\r\nlines", " leading and trailing ", "tab\there", "Bücher", "数据集",
    "😀👩‍👩‍👧", "a;b; c", "'quoted'", "naïve café", "\\n", "%41", "\u202eright to left", '"', '""', ",", "&lt;b&gt;",
]
FORMULAS = ["=1+1", '=HYPERLINK("http://x","y")', "+49 30", "-1", "@SUM(A1)", "\tx", "\rx", "=a,b", '="x"']


@pytest.fixture(scope="module")
def server(httpd_of_file):
    # Times are in UTC wherever the server stands.
    started = httpd_of_file(CONF, types=TYPES, markers=False, environ={"TZ": "Asia/Kolkata"}).start()
    started.counts.wait_for_indexes()
    return started


@pytest.fixture
def site(server):
    server.counts.empty()
    return server


def total(id_, views=0, downloads=0, **fields):
    return {"_id": id_, "views": views, "downloads": downloads, **fields}


def used(site, type_, *documents):
    site.counts.db["metrics_" + type_].insert_many(documents)


def known(site, collection, *documents):
    site.counts.db[collection].insert_many(documents)


def report(site, path, **options):
    answer = site.get(path, **options)
    assert answer.status == 200, answer.text
    return answer.rows


# --- form ---

def test_header_line_and_headers(site):
    used(site, "datasets", total("d1", 1))
    answer = site.get("/metrics/datasets")
    assert answer.status == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert re.fullmatch(r'attachment; filename="metrics-datasets-\d{4}-\d\d-\d\d\.csv"', answer["Content-Disposition"])
    assert answer.headers.get_all("Cache-Control") == ["private, no-cache"]
    assert answer["ETag"] is None and answer["Last-Modified"] is None
    assert answer.body == (b"resource_id,resource_name,views,downloads,last_viewed,last_downloaded,"
                           b"parent_type,parent_id,parent_name\r\n"
                           b"d1,,1,0,,,,,\r\n")


def test_empty_report_is_a_header_line(site):
    assert site.get("/metrics/datasets").body.decode() == ",".join(TOTALS + PARENTS) + "\r\n"
    assert site.get("/metrics").body.decode() == ",".join(["resource_type"] + TOTALS + PARENTS) + "\r\n"


def test_suffix_and_parameter_for_the_format(site):
    used(site, "datasets", total("d1", 1))
    plain = site.get("/metrics/datasets").body
    assert site.get("/metrics/datasets.csv").body == plain
    assert site.get("/metrics/datasets?format=csv").body == plain
    assert site.get("/metrics/datasets.csv?format=csv").body == plain


def test_byte_order_mark(site):
    used(site, "datasets", total("d1", 1))
    assert site.get("/metrics/datasets?bom=1").body == b"\xef\xbb\xbf" + site.get("/metrics/datasets?bom=0").body


def test_times(site):
    used(site, "datasets",
         total("d1", 2, 2, last_viewed=VIEWED, last_downloaded=DOWNLOADED),
         total("d2", 1, 0, last_viewed=datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc)))
    assert report(site, "/metrics/datasets?parents=none") == [
        TOTALS,
        ["d1", "", "2", "2", VIEWED_TEXT, DOWNLOADED_TEXT],
        ["d2", "", "1", "0", "1969-12-31 23:59:59", ""]]


# --- order and selection ---

def test_order_is_total(site):
    used(site, "datasets", total("b", 1, 1), total("a", 1, 1), total("C", 1, 1), total("most", 3, 0),
         total("loads", 1, 9), total("ä", 1, 1), total("download", 0, 5), total("10", 1, 1), total("9", 1, 1))
    assert [row[0] for row in report(site, "/metrics/datasets")[1:]] == [
        "most", "loads", "10", "9", "C", "a", "b", "ä", "download"]


def test_unused_resources_have_no_row(site):
    used(site, "datasets", total("zero"), total("robots", 0, 0, machine_views=0), total("viewed", 1),
         total("loaded", 0, 1))
    assert [row[0] for row in report(site, "/metrics/datasets")[1:]] == ["viewed", "loaded"]


def test_limit_and_offset(site):
    used(site, "datasets", *(total(f"d{n}", 10 - n) for n in range(10)))
    ids = [f"d{n}" for n in range(10)]

    def asked(query):
        return [row[0] for row in report(site, f"/metrics/datasets?{query}")[1:]]

    assert asked("limit=3") == ids[:3]
    assert asked("offset=7") == ids[7:]
    assert asked("limit=2&offset=4") == ids[4:6]
    assert asked("limit=0") == []
    assert asked("offset=99") == []


def test_all_types_in_their_configured_order(site):
    used(site, "spaces", total("s1", 100))
    used(site, "files", total("f1", 1, 7), total("f2", 2))
    used(site, "datasets", total("d1", 1))
    used(site, "collections", total("c1", 5, last_viewed=VIEWED))
    known(site, "collections", {"_id": "c1", "name": "Maps"})
    assert report(site, "/metrics") == [
        ["resource_type"] + TOTALS + PARENTS,
        ["datasets", "d1", "", "1", "0", "", ""] + DETACHED,
        ["collections", "c1", "Maps", "5", "0", VIEWED_TEXT, ""] + DETACHED,
        ["files", "f2", "", "2", "0", "", ""] + DETACHED,
        ["files", "f1", "", "1", "7", "", ""] + DETACHED,
        ["spaces", "s1", "", "100", "0", "", ""] + DETACHED]
    assert site.get("/metrics/").body == site.get("/metrics").body
    assert report(site, "/metrics?limit=2&offset=1") == report(site, "/metrics")[:1] + report(site, "/metrics")[2:4]


def test_five_thousand_rows_twice_the_same(site):
    used(site, "datasets", *(total(f"d{n:05}", n % 71, n % 13, last_viewed=VIEWED) for n in range(5000)))
    known(site, "datasets", *({"_id": f"d{n:05}", "name": f"Dataset {n}"} for n in range(0, 5000, 2)))
    answer = site.get("/metrics/datasets?parents=none")
    expected = sorted((n for n in range(5000) if n % 71 or n % 13), key=lambda n: (-(n % 71), -(n % 13), n))
    assert answer.rows == [TOTALS] + [
        [f"d{n:05}", "" if n % 2 else f"Dataset {n}", str(n % 71), str(n % 13), VIEWED_TEXT, ""] for n in expected]
    assert site.get("/metrics/datasets?parents=none").body == answer.body


def test_other_types_in_a_document_count_as_nothing(site):
    used(site, "datasets", total("good", 2), {"_id": "odd", "views": "many", "downloads": 1, "last_viewed": "now"},
         {"_id": "doubled", "views": 3.0, "downloads": 0})
    found = {row[0]: row[2:] for row in report(site, "/metrics/datasets?parents=none")[1:]}
    assert found["good"] == ["2", "0", "", ""]
    assert found["odd"] == ["0", "1", "", ""]


# --- names ---

def test_awkward_names_are_read_back_unchanged(site):
    names = AWKWARD + FORMULAS
    used(site, "datasets", *(total(f"d{n:02}", 100 - n) for n in range(len(names))))
    known(site, "datasets", *({"_id": f"d{n:02}", "name": name} for n, name in enumerate(names)))
    assert [row[1] for row in report(site, "/metrics/datasets?raw=1")[1:]] == names
    guarded = AWKWARD + ["'" + name for name in FORMULAS]
    assert [row[1] for row in report(site, "/metrics/datasets")[1:]] == guarded
    assert [row[1] for row in report(site, "/metrics/datasets?raw=0")[1:]] == guarded


def test_awkward_ids_are_read_back_unchanged(site):
    ids = AWKWARD + FORMULAS
    used(site, "datasets", *(total(id_, 100 - n) for n, id_ in enumerate(ids)))
    assert [row[0] for row in report(site, "/metrics/datasets?raw=1")[1:]] == ids
    assert [row[0] for row in report(site, "/metrics/datasets")[1:]] == AWKWARD + ["'" + id_ for id_ in FORMULAS]


def test_ids_that_are_no_utf8_are_escaped(site):
    used(site, "datasets", total(b"caf\xe9", 1))
    assert report(site, "/metrics/datasets")[1][0] == "caf%E9"


def test_names_of_ids_of_all_kinds(site):
    object_id = ObjectId("5f0000000000000000000001")
    used(site, "datasets", total(str(object_id), 3), total("42", 2), total("text", 1))
    known(site, "datasets", {"_id": object_id, "name": "by object id"}, {"_id": 42, "name": "by number"},
          {"_id": "text", "name": "by string"})
    assert [row[:2] for row in report(site, "/metrics/datasets")[1:]] == [
        [str(object_id), "by object id"], ["42", "by number"], ["text", "by string"]]


def test_resource_that_is_gone_keeps_its_row(site):
    used(site, "datasets", total("there", 2), total("gone", 1))
    known(site, "datasets", {"_id": "there", "name": "There"})
    assert [row[:3] for row in report(site, "/metrics/datasets")[1:]] == [["there", "There", "2"], ["gone", "", "1"]]


@pytest.mark.parametrize("document", [
    {}, {"name": None}, {"name": 7}, {"name": {"en": "x"}}, {"name": ["a", "b"]}, {"name": ""},
    {"name": "x", "collections": "no list"}, {"collections": {"a": 1}}, {"collections": [None, 7, {}, []]},
], ids=repr)
def test_whatever_the_catalogue_holds_there_is_a_row(site, document):
    used(site, "datasets", total("d1", 1))
    known(site, "datasets", {"_id": "d1", **document})
    site.allow_log("MM0610: 1 row")
    found = report(site, "/metrics/datasets")
    assert (len(found), found[1][0], found[1][2]) == (2, "d1", "1")


def test_name_of_ten_megabytes_is_cut(site):
    used(site, "datasets", total("d1", 2), total("d2", 1))
    known(site, "datasets", {"_id": "d1", "name": "ä" * 5_000_000}, {"_id": "d2", "name": "next"})
    site.allow_log("MM0610: 1 row")
    assert [row[1] for row in report(site, "/metrics/datasets")[1:]] == ["ä" * 2048, "next"]


# --- parents ---

@pytest.fixture
def family(site):
    used(site, "datasets", total("d1", 3), total("d2", 2), total("d3", 1))
    used(site, "files", total("f1", 2), total("f2", 1))
    known(site, "datasets",
          {"_id": "d1", "name": "One", "collections": ["c2", "c1", "c1"], "spaces": ["s1"], "files": ["f1"]},
          {"_id": "d2", "name": "Two", "collections": ["c1"], "files": ["f1", "f2"]},
          {"_id": "d3", "name": "Three"})
    known(site, "collections", {"_id": "c1", "name": "Maps; old, new"}, {"_id": "c2", "name": "=Films"})
    known(site, "uploads", {"_id": "f1", "info": {"filename": "a.csv"}}, {"_id": "f2", "info": {"filename": "b.csv"}})
    return site


def test_parents_joined(family):
    expected = [
        TOTALS + PARENTS,
        ["d1", "One", "3", "0", "", "", "collections; collections; spaces", "c1; c2; s1", "Maps; old, new; =Films; "],
        ["d2", "Two", "2", "0", "", "", "collections", "c1", "Maps; old, new"],
        ["d3", "Three", "1", "0", "", ""] + DETACHED]
    assert report(family, "/metrics/datasets?raw=1") == expected
    assert report(family, "/metrics/datasets?raw=1&parents=joined") == expected


def test_parents_as_rows(family):
    assert report(family, "/metrics/datasets?raw=1&parents=rows") == [
        TOTALS + PARENTS,
        ["d1", "One", "3", "0", "", "", "collections", "c1", "Maps; old, new"],
        ["d1", "One", "3", "0", "", "", "collections", "c2", "=Films"],
        ["d1", "One", "3", "0", "", "", "spaces", "s1", ""],
        ["d2", "Two", "2", "0", "", "", "collections", "c1", "Maps; old, new"],
        ["d3", "Three", "1", "0", "", ""] + DETACHED]


def test_parents_left_out(family):
    assert report(family, "/metrics/datasets?parents=none") == [
        TOTALS, ["d1", "One", "3", "0", "", ""], ["d2", "Two", "2", "0", "", ""], ["d3", "Three", "1", "0", "", ""]]


def test_parents_that_point_to_their_children(family):
    assert report(family, "/metrics/files?parents=rows") == [
        TOTALS + PARENTS,
        ["f1", "a.csv", "2", "0", "", "", "datasets", "d1", "One"],
        ["f1", "a.csv", "2", "0", "", "", "datasets", "d2", "Two"],
        ["f2", "b.csv", "1", "0", "", "", "datasets", "d2", "Two"]]


def test_guard_of_parents(family):
    assert report(family, "/metrics/datasets?parents=rows")[2][8] == "'=Films"


# --- methods and errors ---

@pytest.mark.parametrize("path", ["/metrics", "/metrics/datasets", "/metrics/datasets.csv?raw=1"])
def test_head_has_headers_and_no_body(site, path):
    used(site, "datasets", total("d1", 1))
    got, headed = site.get(path), site.head(path)
    assert (headed.status, headed.body) == (200, b"")
    for name in ("Content-Type", "Content-Disposition", "Cache-Control"):
        assert headed[name] == got[name]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/metrics", "/metrics/datasets"])
def test_reports_take_get_and_head_only(site, method, path):
    answer = site.request(method, path)
    assert (answer.status, answer.allowed) == (405, {"GET", "HEAD"})


@pytest.mark.parametrize("path", ["/metrics/unknown", "/metrics/datasets/", "/metrics/datasets/d1/x",
                                  "/metrics/a/b/c/d", "/metrics/Datasets", "/metrics/datasets.", "/metricsx"])
def test_unknown_paths(site, path):
    assert site.get(path).status == 404


def test_unknown_format(site):
    assert site.get("/metrics/datasets.pdf").status == 406
    assert site.get("/metrics/datasets?format=pdf").status == 406


@pytest.mark.parametrize("query, word", [
    ("colour=red", "colour"), ("limit=-1", "limit"), ("limit=ten", "limit"), ("offset=1e3", "offset"), ("raw=2", "raw"),
    ("bom=yes", "bom"), ("parents=all", "parents"), ("limit=1&limit=2", "limit"), ("%zz=1", "%"), ("id=", "id"),
    ("limit", "limit"), ("$where=1", "$where"), ("limit=99999999999999999999", "limit"),
])
def test_bad_parameter_is_named(site, query, word):
    answer = site.get(f"/metrics/datasets?{query}")
    assert answer.status == 400
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert word in answer.text


def test_unknown_parameter_lists_those_that_exist(site):
    answer = site.get("/metrics/datasets?colour=red", headers={"Accept": "application/problem+json"})
    assert answer.status == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == 400
    for name in ("limit", "offset", "parents", "raw", "bom", "format"):
        assert name in answer.json["detail"]


@pytest.mark.parametrize("accept, type_", [
    ("application/problem+json", "application/problem+json"), ("application/json", "application/problem+json"),
    ("text/html, application/json;q=0.9", "application/problem+json"), ("text/csv", "text/plain; charset=utf-8"),
    ("*/*", "text/plain; charset=utf-8"), (None, "text/plain; charset=utf-8")])
def test_errors_as_the_client_accepts(site, accept, type_):
    answer = site.get("/metrics/unknown", headers={"Accept": accept} if accept else {})
    assert (answer.status, answer["Content-Type"]) == (404, type_)
    if "json" in type_:
        assert (answer.json["status"], answer.json["title"]) == (404, "Not Found")
    else:
        assert answer.text.startswith("404 Not Found\n")


# --- the database ---

def test_database_away_and_back(httpd, database):
    host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
    gate = Gate(host, int(port))
    site = httpd(CONF, types=TYPES, markers=False, settings='MetricsMongoURI "${MONGO_URI}"\n')
    site.mongo_uri = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
    site.start()
    used(site, "datasets", total("d1", 1))
    before = site.get("/metrics/datasets")
    assert before.status == 200
    gate.shut()
    for type_, accept in (("text/plain; charset=utf-8", "*/*"), ("application/problem+json", "application/json")):
        for path in ("/metrics/datasets", "/metrics"):
            site.expect_log("MM0601")
            answer = site.get(path, headers={"Accept": accept})
            assert (answer.status, answer["Content-Type"]) == (503, type_)
            assert int(answer["Retry-After"]) > 0
            assert answer["Content-Disposition"] is None
            assert "127.0.0.1" not in answer.text and "mongodb" not in answer.text
    gate.open()
    assert site.get("/metrics/datasets").body == before.body
    gate.close()


def test_without_a_database_in_the_conf(httpd):
    site = httpd(CONF, types=TYPES, markers=False, settings="").start()
    answer = site.get("/metrics/datasets")
    assert answer.status == 503
    assert "MetricsMongoURI" in answer.text


def test_catalogue_in_another_database(httpd):
    site = httpd(CONF, types=TYPES, markers=False)
    other = site.counts.db.name + "_catalogue"
    site.settings += f'MetricsCatalogURI "{site.mongo_uri.replace(site.counts.db.name, other)}"\n'
    site.start()
    site.counts.wait_for_indexes()
    used(site, "datasets", total("d1", 1))
    known(site, "datasets", {"_id": "d1", "name": "not this one"})
    site.counts.client[other].datasets.insert_one({"_id": "d1", "name": "this one"})
    try:
        assert report(site, "/metrics/datasets")[1][1] == "this one"
    finally:
        site.counts.client.drop_database(other)


def test_collections_with_another_prefix(httpd):
    site = httpd(CONF, types=TYPES, markers=False,
                 settings='MetricsMongoURI "${MONGO_URI}"\nMetricsCollectionPrefix usage_\n').start()
    site.counts.db.usage_datasets.insert_one(total("d1", 1))
    used(site, "datasets", total("other", 1))
    assert rows(site.get("/metrics/datasets").body)[1][0] == "d1"


def test_secret_of_the_database_from_a_file(httpd):
    site = httpd(CONF, types=TYPES, markers=False, settings='MetricsMongoURI "file:secret"\n')
    (site.directory / "secret").write_text(site.mongo_uri + "\n")
    site.start()
    used(site, "datasets", total("d1", 1))
    assert report(site, "/metrics/datasets")[1][0] == "d1"
