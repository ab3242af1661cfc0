"""The forms of a report: which one a client gets, and what is in it."""

import csv
import gzip
import hashlib
import io
import json
import re
import socket
import zlib

import pytest

from environment import Gate
from test_reports import (AWKWARD, CONF, DOWNLOADED, FORMULAS, TYPES, VIEWED, known, total, used)

CSV = "text/csv; charset=utf-8; header=present"
TSV = "text/tab-separated-values; charset=utf-8"
JSON = "application/json"
NDJSON = "application/x-ndjson"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.fixture(scope="module")
def server(httpd_of_file):
    started = httpd_of_file(CONF, types=TYPES, markers=False, environ={"TZ": "Asia/Kolkata"}).start()
    started.counts.wait_for_indexes()
    return started


@pytest.fixture
def site(server):
    server.counts.empty()
    return server


def document(site, path):
    answer = site.get(path)
    assert (answer.status, answer["Content-Type"]) == (200, JSON), answer.text
    return answer.json


# --- which ---

@pytest.mark.parametrize("path, accept, type_", [
    ("/metrics/datasets", None, CSV),
    ("/metrics/datasets", "*/*", CSV),
    ("/metrics/datasets", BROWSER, CSV),
    ("/metrics/datasets", "application/json", JSON),
    ("/metrics/datasets", "application/json, text/plain, */*", JSON),
    ("/metrics/datasets", "application/json;q=0.5, text/csv", CSV),
    ("/metrics/datasets", "application/x-ndjson", NDJSON),
    ("/metrics/datasets", "text/tab-separated-values", TSV),
    ("/metrics", "application/json", JSON),
    ("/metrics/datasets.json", None, JSON),
    ("/metrics/datasets.json", "text/csv", JSON),
    ("/metrics/datasets.ndjson", None, NDJSON),
    ("/metrics/datasets.tsv", None, TSV),
    ("/metrics/datasets?format=json", "text/html", JSON),
    ("/metrics?format=ndjson", None, NDJSON),
])
def test_the_form_that_was_asked_for(site, path, accept, type_):
    headers = {"Accept": accept} if accept else {}
    answer, head = site.get(path, headers=headers), site.head(path, headers=headers)
    assert (answer.status, answer["Content-Type"]) == (200, type_)
    assert (head.status, head["Content-Type"], head.body) == (200, type_, b"")
    looked = "." not in path and "?" not in path
    assert answer["Vary"] == ("Accept" if looked else None)
    ending = re.fullmatch(r'(attachment|inline); filename="metrics(?:-datasets)?-\d{4}-\d\d-\d\d\.(\w+)"',
                          answer["Content-Disposition"])
    assert ending.groups() == {CSV: ("attachment", "csv"), TSV: ("attachment", "tsv"), JSON: ("inline", "json"),
                               NDJSON: ("inline", "ndjson")}[type_]
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("accept", ["text/html", "image/*", "*/*;q=0", "application/openmetrics-text"])
def test_nothing_that_is_accepted(site, accept):
    answer = site.get("/metrics/datasets", headers={"Accept": accept})
    assert (answer.status, answer["Vary"]) == (406, "Accept")
    for name in ("text/csv", "application/json", "application/x-ndjson", "format"):
        assert name in answer.text
    assert site.get("/metrics/datasets.csv", headers={"Accept": accept}).status == 200


def test_no_such_format_names_those_that_exist(site):
    answer = site.get("/metrics/datasets.pdf")
    assert answer.status == 406
    for name in ("csv", "json", "ndjson", "tsv"):
        assert name in answer.text


# --- JSON ---

def test_document(site):
    used(site, "datasets", total("d1", 2, 2, last_viewed=VIEWED, last_downloaded=DOWNLOADED), total("d2", 1))
    known(site, "datasets", {"_id": "d1", "name": "One", "collections": ["c2", "c1"], "spaces": ["s1"]})
    known(site, "collections", {"_id": "c1", "name": "=Maps"})
    found = document(site, "/metrics/datasets.json")
    assert list(found) == ["generated", "parameters", "columns", "rows"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["generated"])
    assert found["parameters"] == {"limit": None, "offset": 0}
    assert [column["name"] for column in found["columns"]] == [
        "resource_id", "resource_name", "views", "downloads", "last_viewed", "last_downloaded", "parents"]
    assert found["rows"] == [
        {"resource_id": "d1", "resource_name": "One", "views": 2, "downloads": 2,
         "last_viewed": "2026-01-31T12:00:00Z", "last_downloaded": "1999-12-31T23:59:59Z",
         "parents": [{"type": "collections", "id": "c1", "name": "=Maps"},
                     {"type": "collections", "id": "c2", "name": None}, {"type": "spaces", "id": "s1", "name": None}]},
        {"resource_id": "d2", "resource_name": None, "views": 1, "downloads": 0, "last_viewed": None,
         "last_downloaded": None, "parents": []}]


def test_empty_document(site):
    found = document(site, "/metrics?format=json")
    assert found["rows"] == []
    assert found["columns"][0] == {"name": "resource_type", "kind": "text"}


def test_parents_as_asked(site):
    used(site, "datasets", total("d1", 1))
    known(site, "datasets", {"_id": "d1", "collections": ["c2", "c1"]})
    rows = document(site, "/metrics/datasets.json?parents=rows")["rows"]
    assert [[parent["id"] for parent in row["parents"]] for row in rows] == [["c1"], ["c2"]]
    assert "parents" not in document(site, "/metrics/datasets.json?parents=none")["rows"][0]


def test_pages_by_their_links(site):
    used(site, "datasets", *(total(f"d{n}", 9 - n) for n in range(5)))
    found, query = [], "?limit=2&parents=none&format=json"
    while query:
        page = document(site, "/metrics/datasets" + query)
        found += [row["resource_id"] for row in page["rows"]]
        query = page.get("next")
    assert found == ["d0", "d1", "d2", "d3", "d4"]
    assert document(site, "/metrics/datasets.json?limit=2&parents=none")["next"] == "?limit=2&parents=none&offset=2"
    assert "next" not in document(site, "/metrics/datasets.json?limit=6")
    assert "next" not in document(site, "/metrics/datasets.json?limit=0")
    assert document(site, "/metrics/datasets.json?limit=2&offset=1&parents=rows")["parameters"] == {
        "limit": 2, "offset": 1, "parents": "rows"}


def test_awkward_texts_are_read_back_unchanged(site):
    texts = AWKWARD + FORMULAS + ["\x01\x1f\x7f\b\f", "\u2028", "</script>"]
    used(site, "datasets", *(total(text, 100 - n) for n, text in enumerate(texts)))
    known(site, "datasets", *({"_id": text, "name": text} for text in texts))
    rows = document(site, "/metrics/datasets.json")["rows"]
    assert [(row["resource_id"], row["resource_name"]) for row in rows] == [(text, text) for text in texts]
    lines = site.get("/metrics/datasets.ndjson").body.decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == rows


def test_ids_that_are_no_utf8(site):
    used(site, "datasets", total(b"caf\xe9", 1))
    assert document(site, "/metrics/datasets.json")["rows"][0]["resource_id"] == "caf%E9"
    assert json.loads(site.get("/metrics/datasets.ndjson").text)["resource_id"] == "caf%E9"


def test_numbers_and_times_at_their_limits(site):
    used(site, "datasets", total("big", 2**62, 2**53 + 1), total("future", 1))
    site.counts.db.metrics_datasets.update_one({"_id": "future"}, {"$set": {"last_viewed": VIEWED.replace(year=9999)}})
    rows = document(site, "/metrics/datasets.json")["rows"]
    assert (rows[0]["views"], rows[0]["downloads"]) == (2**62, 2**53 + 1)
    assert rows[1]["last_viewed"] == "9999-01-31T12:00:00Z"


def test_no_rows_no_lines(site):
    assert site.get("/metrics/datasets.ndjson").body == b""


# --- TSV ---

def test_tabs(site):
    names = AWKWARD + FORMULAS
    used(site, "datasets", *(total(f"d{n:02}", 100 - n) for n in range(len(names))))
    known(site, "datasets", *({"_id": f"d{n:02}", "name": name} for n, name in enumerate(names)))
    body = site.get("/metrics/datasets.tsv?raw=1").body.decode()
    assert body.startswith("resource_id\tresource_name\tviews")
    assert [row[1] for row in csv.reader(io.StringIO(body, newline=""), "excel-tab")][1:] == names
    guarded = list(csv.reader(io.StringIO(site.get("/metrics/datasets.tsv").body.decode(), newline=""), "excel-tab"))
    assert [row[1] for row in guarded][1:] == AWKWARD + ["'" + name for name in FORMULAS]


# --- what broke is not whole ---

@pytest.fixture
def behind_a_gate(httpd, database):
    host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
    gate = Gate(host, int(port))
    site = httpd(CONF + SMALL_BUFFERS + "SetOutputFilter DEFLATE\n", types=TYPES, markers=False, modules=["filter", "deflate"],
                 settings='MetricsMongoURI "${MONGO_URI}"\n')
    site.mongo_uri = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
    return site, gate


SMALL_BUFFERS = "SendBufferSize 65536\n"  # so that what a client does not read is soon not written either


def begin(site, path, more=""):
    """The socket of a request of which a little has been read; its buffers are small, so the server has to wait."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(30)
    line.connect(("127.0.0.1", site.port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n".encode())
    return line, line.recv(1024)


def read_on(line, got):
    parts = [got]
    try:
        while part := line.recv(1 << 16):
            parts.append(part)
    except ConnectionError:
        pass
    line.close()
    return b"".join(parts)


def unchunk(data, cut=False):
    """The body so far, and whether its last chunk came; cut: data may end anywhere."""
    body, data = [], data.partition(b"\r\n\r\n")[2]
    while data and not (cut and b"\r\n" not in data):
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return b"".join(body), True
        body.append(data[:length])
        data = data[length + 2:]
    return b"".join(body), False


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_broken_off(behind_a_gate, kind):
    site, gate = behind_a_gate
    site.start()
    used(site, "datasets", *(total(f"{n:06}" + "x" * 700, n + 1) for n in range(3000)))
    line, got = begin(site, f"/metrics/datasets.{kind}?parents=none")
    assert got.startswith(b"HTTP/1.1 200 ")
    gate.shut()
    site.allow_log("MM02")  # the drainer, too, is cut off
    site.expect_log("MM0603")
    body, whole = unchunk(read_on(line, got))
    assert len(body) > 50_000 and not whole
    if kind == "json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)


# --- packed by mod_deflate ---

def scrambled(n):
    """Some 700 characters that do not pack well."""
    return f"{n:06}" + "".join(hashlib.sha256(f"{n} {part}".encode()).hexdigest() for part in range(11))


def test_packed_is_the_same_and_streams(behind_a_gate):
    site, gate = behind_a_gate
    site.start()
    used(site, "datasets", *(total(scrambled(n), n + 1) for n in range(3000)))
    packed = site.get("/metrics/datasets?parents=none&limit=1000", headers={"Accept-Encoding": "gzip"})
    plain = site.get("/metrics/datasets?parents=none&limit=1000")
    assert (packed["Content-Encoding"], plain["Content-Encoding"]) == ("gzip", None)
    assert gzip.decompress(packed.body) == plain.body
    assert {"Accept", "Accept-Encoding"} == {name.strip() for value in packed.headers.get_all("Vary")
                                             for name in value.split(",")}

    # The first rows are there while the server is still far from the last. What breaks off then has no last chunk, though
    # mod_deflate ends its own stream properly.
    line, got = begin(site, "/metrics/datasets?parents=none", "Accept-Encoding: gzip\r\n")
    while len(got) < 100_000:
        got += line.recv(4096)
    begun = zlib.decompressobj(wbits=31).decompress(unchunk(got, cut=True)[0])
    assert begun.startswith(b"resource_id,") and begun.count(b"\r\n") > 50
    gate.shut()
    site.allow_log("MM02")  # the drainer, too, is cut off
    site.expect_log("MM0603")
    assert not unchunk(read_on(line, got))[1]


def test_what_is_packed_already_is_left_alone(behind_a_gate):
    site, _ = behind_a_gate
    site.start()
    answer = site.get("/metrics/datasets.xlsx", headers={"Accept-Encoding": "gzip"})
    assert (answer.status, answer["Content-Encoding"], answer.body[:2]) == (200, None, b"PK")
