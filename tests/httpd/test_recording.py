"""Recording by POST: 202 once the events are in the spool, anything else when none of them is."""

import os
from datetime import datetime, timedelta, timezone

import pytest

from environment import wait_for
from environment.client import encode

CONF = """
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
</Location>
<Location "/closed">
    SetHandler metrics
</Location>
<Location "/known">
    SetHandler metrics
    MetricsRecord On
    MetricsUser "%{HTTP:X-User}"
    MetricsAgent machine "%{HTTP_USER_AGENT} =~ /curl/"
</Location>
<Location "/ignored">
    SetHandler metrics
    MetricsRecord On
    MetricsIgnore "%{HTTP:Sec-GPC} == '1'"
</Location>
<Location "/">
    MetricsCapture On
</Location>
"""

EVENTS = "/metrics/events"
BODY_MAX = 1024 * 1024


@pytest.fixture(scope="module")
def server(httpd_of_file):
    httpd = httpd_of_file(CONF)
    httpd.file("datasets/one", "one")
    return httpd.start()


@pytest.fixture
def site(server):
    server.markers.forget()
    return server


def nothing_recorded(site):
    site.markers.settle()
    return {type_: site.counts.of(type_) for type_ in ("datasets", "collections", "files")} == {
        "datasets": {}, "collections": {}, "files": {}}


def event(**members):
    return {"type": "datasets", "id": "one", "action": "view", **members}


def name_of(value):
    """Of a parameter, short and plain."""
    return ascii(value)[:30]


def rfc3339(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- one event ---

def test_one_view_and_one_download(site):
    answer = site.post("/metrics/datasets/one/views")
    assert (answer.status, answer.json) == (202, {"recorded": 1})
    assert answer["Content-Type"] == "application/json"
    assert site.post("/metrics/datasets/one/downloads").status == 202
    assert site.post("/metrics/files/f1/downloads").status == 202
    assert site.markers.counted() == {"one": (1, 1)}
    assert site.markers.counted("files") == {"f1": (0, 1)}
    assert site.counts.users() == {}


def test_body_of_a_single_event_is_ignored(site):
    assert site.post("/metrics/datasets/one/views", body=b"x" * 100_000).status == 202
    assert site.markers.counted() == {"one": (1, 0)}


@pytest.mark.parametrize("id_", ["a b", "ä", "$set", "a.b", "😀", "100%", "x" * 1024, b"caf\xe9"], ids=name_of)
def test_any_id_in_the_path(site, id_):
    assert site.post(f"/metrics/datasets/{encode(id_)}/views").status == 202
    assert site.markers.counted() == {id_: (1, 0)}


@pytest.mark.parametrize("id_", ["10.5072/abc", "users", "views", "/", "a&b=c", "a+b", "ä", "x" * 1024, b"caf\xe9"],
                         ids=name_of)
def test_any_id_in_the_query(site, id_):
    assert site.post(f"/metrics/datasets/views?id={encode(id_)}").status == 202
    assert site.post(f"/metrics/datasets/downloads?id={encode(id_)}").status == 202
    assert site.markers.counted() == {id_: (1, 1)}


def test_id_that_is_reserved_or_missing_or_too_long(site):
    assert site.post("/metrics/datasets/users/views").status == 404
    assert site.post("/metrics/datasets/views").status == 400
    assert site.post("/metrics/datasets/views?id=").status == 400
    assert site.post(f"/metrics/datasets/{'x' * 1025}/views").status == 400
    assert site.post(f"/metrics/datasets/views?id={'x' * 1025}").status == 400
    assert site.post("/metrics/datasets/views?id=one&id=two").status == 400
    assert site.post("/metrics/datasets/views?id=one&user=ada").status == 400
    assert site.post("/metrics/unknown/one/views").status == 404
    assert nothing_recorded(site)


def test_user_and_mark_of_the_one_who_posts(site):
    answer = site.post("/known/datasets/one/views", headers={"X-User": "ada", "User-Agent": "curl/8"})
    assert answer.status == 202
    site.markers.settle()
    assert site.counts.all_of("datasets") == {"one": (1, 0, 1, 0)}
    assert site.counts.users() == {("datasets", "one", "ada"): (1, 0)}


# --- many events ---

def test_lines_with_all_members(site):
    yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).replace(microsecond=0)
    last_year = yesterday - timedelta(days=365)
    answer = site.post_lines(
        EVENTS,
        event(time=rfc3339(yesterday), user="ada", session="s1", address="2001:db8::1", agent="Mozilla/5.0"),
        event(time=rfc3339(last_year), user="ada"),
        event(id="two", action="download", user="grace", **{"class": "machine"}),
        event(id="two", action="view", **{"class": "robot"}),
        b'{ "action":"download", "id":"10.5072/\\u00e4\\ud83d\\ude00", "type":"files" }\r\n',
        b"\n",
        b'{"type":"collections","id":"c1","action":"view"}')
    assert (answer.status, answer.json) == (202, {"recorded": 6})
    site.markers.settle()
    assert site.counts.all_of("datasets") == {"one": (2, 0, 0, 0), "two": (0, 1, 0, 1)}
    assert site.counts.of("files") == {"10.5072/ä😀": (0, 1)}
    assert site.counts.of("collections") == {"c1": (1, 0)}
    assert site.counts.users() == {("datasets", "one", "ada"): (2, 0), ("datasets", "two", "grace"): (0, 1)}
    document = site.counts.db.metrics_datasets.find_one({"_id": "one"})
    assert document["first_seen"].replace(tzinfo=timezone.utc) == last_year
    assert document["last_viewed"].replace(tzinfo=timezone.utc) == yesterday


def test_many_lines(site):
    lines = [event(id=f"d{n % 7}", action="view" if n % 2 else "download") for n in range(7000)]
    answer = site.post_lines(EVENTS, *lines)
    assert (answer.status, answer.json) == (202, {"recorded": 7000})
    assert site.markers.counted() == {f"d{n}": (500, 500) for n in range(7)}


def test_empty_body_records_nothing(site):
    answer = site.post_lines(EVENTS)
    assert (answer.status, answer.json) == (202, {"recorded": 0})
    assert nothing_recorded(site)


@pytest.mark.parametrize("line, word", [
    (b"not json", ""),
    (b"[]", ""),
    (b'"text"', ""),
    (b'{"type":"datasets","id":"x"}', "action"),
    (b'{"type":"datasets","action":"view"}', "id"),
    (b'{"id":"x","action":"view"}', "type"),
    (b'{"type":"datasets","id":"","action":"view"}', "id"),
    (b'{"type":"datasets","id":7,"action":"view"}', "id"),
    (b'{"type":"datasets","id":{"$ne":1},"action":"view"}', "id"),
    (b'{"type":"datasets","id":"x","action":"delete"}', "action"),
    (b'{"type":"unknown","id":"x","action":"view"}', "unknown"),
    (b'{"type":"datasets","id":"x","action":"view","usr":"ada"}', "usr"),
    (b'{"type":"datasets","id":"x","action":"view","time":"yesterday"}', "time"),
    (b'{"type":"datasets","id":"x","action":"view","time":"2999-01-01T00:00:00Z"}', "future"),
    (b'{"type":"datasets","id":"x\\u0000y","action":"view"}', ""),
    (b'{"type":"datasets","id":"' + b"x" * 1025 + b'","action":"view"}', "id"),
    (b'{"type":"datasets","id":"x","action":"view","user":"' + b"u" * 257 + b'"}', "user"),
    (b'{"type":"datasets","id":"\xff","action":"view"}', ""),
], ids=name_of)
def test_one_bad_line_and_nothing_is_recorded(site, line, word):
    answer = site.post_lines(EVENTS, event(id="good"), event(id="good"), line + b"\n", event(id="good"))
    assert answer.status == 400
    assert "Line 3" in answer.text and word in answer.text
    assert nothing_recorded(site)


def test_bad_line_as_problem_details(site):
    answer = site.post_lines(EVENTS, b"nonsense\n", headers={"Accept": "application/problem+json"})
    assert answer.status == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.json["status"], answer.json["title"]) == (400, "Bad Request")
    assert answer.json["detail"].startswith("Line 1: ")


def test_body_of_the_largest_size_and_one_byte_more(site):
    line = b'{"type":"datasets","id":"big","action":"view"}\n'
    body = line * (BODY_MAX // len(line))
    body += b"\n" * (BODY_MAX - len(body))
    headers = {"Content-Type": "application/x-ndjson"}
    assert site.post(EVENTS, body=body + b"\n", headers=headers).status == 413
    assert site.post(EVENTS, body=iter([body, b"\n"]), headers=headers).status == 413  # chunked: no length beforehand
    assert nothing_recorded(site)
    answer = site.post(EVENTS, body=body, headers=headers)
    assert (answer.status, answer.json) == (202, {"recorded": BODY_MAX // len(line)})
    assert site.markers.counted() == {"big": (BODY_MAX // len(line), 0)}


@pytest.mark.parametrize("type_", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                                   "text/csv", "application/jsonx"])
def test_other_content_types_are_refused(site, type_):
    body = b'{"type":"datasets","id":"one","action":"view"}\n'
    assert site.post(EVENTS, body=body, headers={"Content-Type": type_} if type_ else {}).status == 415
    assert nothing_recorded(site)


@pytest.mark.parametrize("type_", ["application/x-ndjson", "application/json", "Application/X-NDJSON; charset=utf-8"])
def test_content_types_that_are_taken(site, type_):
    body = b'{"type":"datasets","id":"one","action":"view"}\n'
    assert site.post(EVENTS, body=body, headers={"Content-Type": type_}).status == 202
    assert site.markers.counted() == {"one": (1, 0)}


# --- who may, and how ---

def test_closed_without_record_on(site):
    for path in ("/closed/datasets/one/views", "/closed/datasets/views?id=one"):
        answer = site.post(path)
        assert answer.status == 403
        assert "MetricsRecord" in answer.text
    assert site.post_lines("/closed/events", event()).status == 403
    assert nothing_recorded(site)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/metrics/datasets/one/views", "/metrics/datasets/downloads?id=one", EVENTS])
def test_only_post_records(site, method, path):
    answer = site.request(method, path)
    assert (answer.status, answer.allowed) == (405, {"POST"})
    assert nothing_recorded(site)


def test_post_itself_is_not_a_visit(site):
    # Capture is on everywhere, and a rule that matched this path would find a POST, which is no use.
    assert site.post("/datasets/one").status == 200
    assert nothing_recorded(site)


def test_spool_that_cannot_be_written(httpd):
    site = httpd(CONF)
    site.file("datasets/one", "one")
    site.start()
    site.drainer()
    os.chmod(site.spool, 0o500)
    site.expect_log("MM0402: 1 event")
    site.allow_log("MM07|MM08|MM09")  # the drainer may complain as well
    answer = site.post("/metrics/datasets/one/views")
    assert answer.status == 503 and answer["Retry-After"]
    assert site.post_lines(EVENTS, event()).status == 503
    assert site.get("/datasets/one").text == "one"  # a visitor notices nothing
    os.chmod(site.spool, 0o700)
    wait_for(lambda: site.post("/metrics/datasets/one/views").status == 202, what="recording works again")
    assert site.markers.counted() == {"one": (1, 0)}
    # Three failed within a minute: said once.
    assert site.log_text().count("MM0402") == 1


def test_without_a_spool_nothing_is_taken(httpd):
    site = httpd('<Location "/metrics">\nSetHandler metrics\n</Location>\n', settings="", markers=False)
    site.start()
    assert site.post("/metrics/datasets/one/views").status == 403
    assert not site.spool.exists()


@pytest.mark.parametrize("headers", [{"Origin": "http://elsewhere.example"}, {"Origin": "null"},
                                     {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_pages_of_other_sites_cannot_record(site, headers):
    assert site.post("/metrics/datasets/forged/views", headers=headers).status == 403
    assert site.post("/metrics/datasets/own/views", headers={"Origin": f"http://127.0.0.1:{site.port}"}).status == 202
    assert site.post("/metrics/datasets/own/views", headers={"Sec-Fetch-Site": "same-origin"}).status == 202
    assert site.markers.counted() == {"own": (2, 0)}


def test_who_asks_not_to_be_counted_is_not(site):
    answer = site.post("/ignored/datasets/gpc/views", headers={"Sec-GPC": "1"})
    assert (answer.status, answer.json) == (202, {"recorded": 0})
    assert site.post("/ignored/datasets/other/views").json == {"recorded": 1}
    assert site.markers.counted() == {"other": (1, 0)}


@pytest.mark.parametrize("path", ["/metrics/datasets", "/closed/events", "/metrics/events"])
def test_a_refused_body_is_not_asked_for(site, path):
    """No "100 Continue", no reading of 900 MB: an answer at once, and the connection ends."""
    answer = site.raw(f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                      "Content-Type: application/x-ndjson\r\nContent-Length: 900000000\r\n\r\n".encode())
    head = answer.split(b"\r\n\r\n")[0]
    assert head.split(b" ")[1] in (b"403", b"405", b"413")
    assert b"Connection: close" in head
