"""docs/openapi.yaml says what the server does: its paths, parameters, forms, and the schemas of its JSON."""

import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from environment.httpd import ROOT
from test_reports import DOWNLOADED, VIEWED, known, total, used

API = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
CONF = """
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
    MetricsAuthz expr "true" users "true"
</Location>
"""
TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name owner=author size=size parents=collections:collections
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)$"
    MetricsCatalog collections name=name
</MetricsType>
"""
WORDS = {"type": "datasets", "resource": "d1", "action": "views"}
CHILDREN = {"type": "collections", "resource": "c1", "children": "datasets"}
EXTRAS = "owner,owner_name,size_bytes,created,status,location,regular_views,machine_downloads,unique_views"
DAYS_EXTRAS = "regular_views,machine_downloads,unique_views"


def resolve(node):
    while "$ref" in node:
        found = API
        for word in node["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        node = found
    return node


def operations(method):
    return [(path, item, item[method]) for path, item in API["paths"].items() if method in item]


OWN = [(path, item, op) for path, item, op in operations("get") if not path.startswith("/counter/")]
COUNTER = [(path, op) for path, item, op in operations("get") if path.startswith("/counter/")]
REPORTS = [(path, item, op) for path, item, op in OWN if path != "/status"]


def address(path):
    words = CHILDREN if "{children}" in path else WORDS
    return "/metrics" + path.format(**words).rstrip("/")


def validate(schema, instance):
    """schema is the name of one of the file's, or where it is in it."""
    ref = schema if schema.startswith("#") else "#/components/schemas/" + schema
    Draft202012Validator({**API, "$ref": ref}, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(instance)


@pytest.fixture(scope="module")
def site(httpd_of_file):
    started = httpd_of_file(CONF, types=TYPES, markers=False).start()
    started.counts.wait_for_indexes()
    used(started, "datasets", total("d1", 3, 2, last_viewed=VIEWED, last_downloaded=DOWNLOADED, machine_views=1),
         total(b"d\xff", 1))
    used(started, "collections", total("c1", 1))
    used(started, "users", {"_id": "datasets:2:d1:ada", "type": "datasets", "resource": "d1", "user": "ada", "views": 1,
                             "downloads": 0})
    used(started, "days", {"_id": "x", "type": "datasets", "resource": "d1", "day": VIEWED, "views": 2})
    known(started, "datasets", {"_id": "d1", "name": "One", "collections": ["c1", "c2"], "size": 7, "author": "ada"})
    known(started, "collections", {"_id": "c1", "name": "Maps"})
    return started


def refs(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from refs(each)


def test_the_file_itself():
    assert API["openapi"].startswith("3.1")
    for ref in set(refs(API)):
        resolve({"$ref": ref})
    for schema in API["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    used_here = {ref.removeprefix("#/components/") for ref in refs(API)}
    assert used_here == {f"{kind}/{name}" for kind in ("parameters", "responses", "schemas")
                         for name in API["components"][kind]}
    names = [op["operationId"] for method in ("get", "post") for _, _, op in operations(method)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path, item, op", OWN, ids=lambda value: value if isinstance(value, str) else "")
def test_parameters(site, path, item, op):
    said = site.get(address(path) + "?nonsense=1").text
    names = set(re.search(r"there are: ([a-z_, ]+)\.", said).group(1).split(", "))
    assert names == {resolve(each)["name"] for each in op["parameters"] if resolve(each)["in"] == "query"}


@pytest.mark.parametrize("path, item, op", REPORTS, ids=lambda value: value if isinstance(value, str) else "")
def test_forms_of_reports(site, path, item, op):
    content = resolve(op["responses"]["200"])["content"]
    formats = resolve({"$ref": "#/components/parameters/format"})["schema"]["enum"]
    assert len(content) == len(formats)
    for media in content:
        answer = site.get(address(path), headers={"Accept": media})
        assert (answer.status, answer["Content-Type"].partition(";")[0]) == (200, media)
    for name in formats:
        assert site.get(f"{address(path)}?format={name}")["Content-Type"].partition(";")[0] in content


@pytest.mark.parametrize("path, item, op", REPORTS, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("query", ["", "&parents=rows", "&parents=none&limit=1", f"&columns={EXTRAS}", "&agent=machine",
                                   "&since=2026-01-01"])
def test_json(site, path, item, op, query):
    by_day = path.endswith("days")
    if by_day:
        query = query.replace("parents=rows", "per=month").replace("parents=none&", "").replace(EXTRAS, DAYS_EXTRAS)
    answer = site.get(f"{address(path)}?format=json{query}")
    assert answer.status == 200, answer.text
    validate("DaysReport" if by_day else "Report", answer.json)
    assert answer.json["rows"] or "machine" in query or "since" in query
    assert ("period" in answer.json) == ("since" in query)
    columns = [column["name"] for column in answer.json["columns"]]
    assert all(list(row) == columns for row in answer.json["rows"])
    for line in site.get(f"{address(path)}?format=ndjson{query}").text.splitlines():
        validate("DaysRow" if by_day else "Row", json.loads(line))


def test_status(site):
    validate("Status", site.get("/metrics/status").json)


def test_counter(site):
    """Each parameter is one that is known, and takes part or is said to be wrong."""
    for path, op in COUNTER:
        names = [each["name"] for each in op.get("parameters", ())]
        query = "&".join(f"{name}={'2026-01' if 'date' in name else 'month'}" for name in names)
        answer = site.get(f"/metrics{path}?{query.replace('access_method=month&metric_type=month&', '').replace('&format=month', '')}")
        content = op["responses"]["200"]["content"]
        assert (answer.status, answer["Content-Type"]) == (200, "application/json"), answer.text
        Draft202012Validator({**API, **content["application/json"]["schema"]}).validate(answer.json)
        assert "3050" not in answer.text
        for name in names:
            refused = site.get(f"/metrics{path}?{name}=%00")
            assert refused.status in (400, 406)
            validate("Exceptions", refused.json)
            assert name in refused.text


def test_recording(site):
    for path, _, op in operations("post"):
        event = '{"type":"datasets","id":"d1","action":"view"}\n'
        many = "requestBody" in op
        answer = site.post(address(path) + ("?id=a/b" if op.get("parameters") else ""), body=event if many else None,
                           headers={"Content-Type": "application/x-ndjson"} if many else {})
        assert answer.status == 202, (path, answer.text)
        validate("Recorded", answer.json)


@pytest.mark.parametrize("path, status", [
    ("/metrics/datasets?limit=x", 400), ("/metrics/nothing", 404), ("/metrics/events", 405), ("/metrics/datasets.pdf", 406),
])
def test_problems(site, path, status):
    answer = site.get(path, headers={"Accept": "application/problem+json"})
    assert (answer.status, answer["Content-Type"], answer.json["status"]) == (status, "application/problem+json", status)
    validate("Problem", answer.json)
