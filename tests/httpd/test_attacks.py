"""What a visitor without the right may try, to see more than others let them see or to count what nobody used."""

import json

import pytest

from environment.client import encode

MODULES = ("auth_basic", "authn_core", "authn_file", "authz_user", "authz_groupfile")
PASSWORDS = (("ada", "a"), ("bob", "b"))
ADA, BOB = PASSWORDS

TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name owner=by
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsCatalog uploads name=name owner=by parents=datasets:datasets:files
</MetricsType>
"""

CONF = """
AccessFileName .none
<Location "/metrics">
    SetHandler metrics
    AuthType Basic
    AuthName "reports"
    AuthUserFile "${DIR}/passwords"
    Require valid-user
    MetricsAuthz owner people=used
</Location>
<Location "/group">
    SetHandler metrics
    AuthType Basic
    AuthName "reports"
    AuthUserFile "${DIR}/passwords"
    AuthGroupFile "${DIR}/groups"
    Require valid-user
    MetricsAuthz group report=readers
</Location>
<Location "/open">
    SetHandler metrics
    MetricsAuthz expr true users true
    MetricsRecord On
</Location>
<Location "/open/files">
    MetricsAuthz none
</Location>
<Location "/admin">
    SetHandler metrics
    MetricsAuthz expr "%{REMOTE_USER} == 'ada'" users "%{REMOTE_USER} == 'ada'"
</Location>
"""


@pytest.fixture(scope="module")
def site(httpd_of_file):
    httpd = httpd_of_file(CONF, types=TYPES, modules=MODULES)
    httpd.allow_log("AH01666|AH01667")
    httpd.password_file(*PASSWORDS)
    (httpd.directory / "groups").write_text("readers: ada bob\n")
    httpd.start()
    httpd.counts.wait_for_indexes()
    db = httpd.counts.db
    db.metrics_datasets.insert_many([{"_id": name, "views": 3, "downloads": 0} for name in ("mine", "theirs")])
    db.metrics_files.insert_many([{"_id": name, "views": 5, "downloads": 0} for name in ("hidden-file", "own-file")])
    db.uploads.insert_many([{"_id": "hidden-file", "by": "bob"}, {"_id": "own-file", "by": "ada"}])
    db.metrics_users.insert_many([
        {"_id": f"{name}{user}", "type": "datasets", "resource": name, "user": user, "views": 1, "downloads": 0}
        for name, user in (("mine", "eve"), ("theirs", "mallory"), ("theirs", "ada"))])
    db.datasets.insert_many([{"_id": "mine", "name": "Mine", "by": "ada", "files": ["hidden-file"]},
                             {"_id": "theirs", "name": "Covered", "by": "bob", "files": ["own-file"]}])
    return httpd


SECRETS = ("Covered", "mallory", "hidden-file")


def ids(answer):
    assert answer.status == 200, answer.text
    return [row[0] for row in answer.rows[1:]]


# --- operators of the database ---

OPERATORS = ('{"$ne": null}', '{"$gt": ""}', "$ne", "$where", "[$ne]", "mine' || '1'=='1", '"} , {"', "mine\\", "*", ".*",
             "/.*/", "{$regex: 'm'}", "mine,theirs", "_id", "author.$")


@pytest.mark.parametrize("value", OPERATORS)
def test_operators_are_text_in_every_parameter(site, value):
    coded = encode(value)
    for path in (f"/metrics/datasets?id={coded}", f"/metrics/datasets/{coded}", f"/metrics/datasets/users?user={coded}",
                 f"/metrics/datasets?parent=datasets:{coded}", f"/metrics/files?parent=datasets:{coded}",
                 f"/open/datasets?id={coded}", f"/open/datasets/users?user={coded}"):
        answer = site.get(path, user=ADA)
        assert answer.status in (200, 404) and not any(word in answer.text for word in ("Mine", *SECRETS)), path
    for name in ("user[$ne]", "id[$gt]", "user.$ne", "$where", "sort[$meta]", "limit[$gt]"):
        assert site.get(f"/open/datasets/users?{encode(name)}={coded}").status == 400
    for name in ("sort", "order", "columns", "agent", "parents", "format", "limit", "offset", "since", "until",
                 "not_accessed_since"):
        answer = site.get(f"/open/datasets?{name}={coded}")
        assert answer.status in (400, 404, 406), name


def test_operators_are_text_in_what_is_recorded(site):
    before = set(site.counts.of("datasets"))
    for value in OPERATORS:
        assert site.post(f"/open/datasets/views?id={encode(value)}").status == 202
    lines = [{"type": "datasets", "id": value, "action": "view", "user": value, "agent": value} for value in OPERATORS]
    assert site.post_lines("/open/events", *lines).status == 202
    site.markers.settle()
    assert set(site.counts.of("datasets")) - before == set(OPERATORS)
    stored = site.counts.db.metrics_users.find({"user": {"$in": list(OPERATORS)}})
    assert {(row["resource"], row["user"]) for row in stored} == {(value, value) for value in OPERATORS}
    assert site.counts.db.list_collection_names(filter={"name": {"$regex": r"\$|ne|where"}}) == []


@pytest.mark.parametrize("line", [
    {"id": {"$ne": 1}}, {"user": {"$gt": ""}}, {"type": {"$ne": ""}}, {"type": "meta"}, {"type": "../users"},
    {"id": ["mine"]}, {"user": ["ada"]}, {"action": {"$in": ["view"]}}, {"$where": "1"}, {"time": {"$date": 1}}])
def test_operators_in_a_line_are_an_error(site, line):
    good = {"type": "datasets", "id": "x", "action": "view"}
    answer = site.post_lines("/open/events", good, {**good, **line})
    assert answer.status == 400 and "Line 2:" in answer.text


# --- headers and paths ---

@pytest.mark.parametrize("evil", ["%0d%0aX-Evil:%201", "%0aX-Evil:%201", "%0d%0a%0d%0a<html>", "%22;%20X-Evil=%22",
                                  "%e5%98%8a%e5%98%8dX-Evil:%201"])
def test_nothing_of_an_address_becomes_a_header(site, evil):
    for path in (f"/open/datasets/{evil}", f"/open/datasets?id={evil}", f"/open/datasets?user={evil}",
                 f"/open/datasets?format={evil}", f"/open/{evil}", f"/open/datasets.{evil}", f"/open/datasets?{evil}=1",
                 f"/metrics/datasets?columns={evil}"):
        for accept in ("text/csv", "application/problem+json", "text/plain"):
            answer = site.get(path, headers={"Accept": accept}, user=ADA)
            assert answer["X-Evil"] is None
            disposition = answer["Content-Disposition"]
            assert disposition is None or "Evil" not in disposition
            assert "html" not in answer["Content-Type"]


ADDRESSES = ("/files", "/files.csv", "/files.json", "/files.xlsx", "/files/hidden-file", "/files?id=hidden-file", "//files",
             "/./files", "/datasets/../files", "/%66iles", "/files/", "/files/users", "/files_by_user",
             "/datasets/mine/files", "/files%2ecsv", "/FILES", "/files%00", "/files%0a", "/files;a=b", "/files%20",
             "/%2566iles", "/files%c0%af", "/datasets%2f..%2ffiles", "/files#", "/files?type=datasets")


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_spelling_of_an_address_opens_what_is_closed(site, address):
    site.allow_log("AH00026|AH10244|AH00127|AH10508|invalid URI|URI path")
    answer = site.get("/open" + address)
    assert answer.status in (400, 401, 403, 404), address
    assert "hidden-file" not in answer.text.replace(address, "")
    listing = site.get("/open?parents=rows").text
    assert "mine" in listing and "hidden-file" not in listing


# --- who one is ---

FORGED = ("Remote-User", "X-Remote-User", "REMOTE_USER", "X-Forwarded-User", "X-Authenticated-User", "X-User", "Proxy-User",
          "X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Host", "Via",
          "SSL_CLIENT_S_DN_CN", "X-SSL-Client-Verify", "METRICS_PERSON", "METRICS_ID", "User")


def test_forged_headers_make_nobody_somebody(site):
    forged = {name: "ada" for name in FORGED}
    assert site.get("/admin/datasets", headers=forged).status == 401
    assert site.get("/metrics/datasets", headers=forged).status == 401
    assert ids(site.get("/metrics/datasets", headers=forged, user=BOB)) == ["theirs"]
    for method in ("X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"):
        before = site.counts.of("datasets")
        assert site.get("/open/datasets/mine/views", headers={method: "POST"}).status == 405
        assert site.counts.of("datasets") == before
    assert site.get("/open/datasets?_method=POST").status == 400


def test_what_is_not_ones_own_is_like_what_does_not_exist(site):
    def answer(path, word):
        got = site.get(path, user=ADA)
        headers = {name: value for name, value in got.headers.items() if name not in ("Date", "Expires")}
        if got["Content-Type"].startswith("application/json"):
            body = {**json.loads(got.text.replace(word, "?")), "generated": None}
            return got.status, {**headers, "Content-Length": None}, body
        return got.status, {**headers, "Content-Length": None}, got.text.replace(word, "?")

    assert ids(site.get("/metrics/files", user=ADA)) == ["own-file"]
    for path, there, not_there in (
            ("/metrics/datasets/{}", "theirs", "nosuch"), ("/metrics/datasets?id={}", "theirs", "nosuch"),
            ("/metrics/datasets/{}/users", "theirs", "nosuch"), ("/metrics/datasets/{}/files", "theirs", "nosuch"),
            ("/metrics/datasets/{}/users?others=1", "theirs", "nosuch"),
            ("/metrics/files?parent=datasets:{}", "theirs", "nosuch"), ("/metrics/files/own-file?parent=datasets:{}", "theirs", "nosuch"),
            ("/metrics/datasets/users?user={}", "mallory", "nosuch"),
            ("/metrics/datasets/users?user={}&others=1", "mallory", "nosuch")):
        for form in ("csv", "json"):
            joined = path + ("&" if "?" in path else "?") + f"format={form}"
            assert answer(joined.format(there), there) == answer(joined.format(not_there), not_there), joined


def test_another_in_user_shows_only_what_one_may_see_anyway(site):
    assert [row[:3] for row in site.get("/metrics/datasets/users?user=eve", user=ADA).rows[1:]] == [["mine", "Mine", "eve"]]
    for somebody in ("mallory", "bob", "ADA", "ada%00", "%61da%20", "ada,eve", "ada&user=mallory"):
        answer = site.get(f"/metrics/datasets/users?user={somebody}", user=ADA)
        assert answer.status in (200, 400)
        assert not any(word in answer.text.replace(somebody, "") for word in SECRETS)
    # One's own uses of what is not one's own are no exception.
    assert ids(site.get("/metrics/datasets/users?user=ada", user=ADA)) == []


@pytest.mark.parametrize("one, other", [("caf\u00e9", "cafe\u0301"), ("\u212b", "\u00c5"), ("ada", "\uff41da"), ("ada", "ada "),
                                        ("ada", "\u200bada"), ("i", "\u0131")])
def test_names_that_look_alike_are_two(site, one, other):
    db = site.counts.db
    db.metrics_datasets.insert_one({"_id": f"of {one}", "views": 1, "downloads": 0})
    try:
        assert ids(site.get("/open/datasets?id=" + encode(f"of {one}"))) == [f"of {one}"]
        assert ids(site.get("/open/datasets?id=" + encode(f"of {other}"))) == []
    finally:
        db.metrics_datasets.delete_one({"_id": f"of {one}"})


@pytest.mark.parametrize("coded", ["%c0%ae%c0%ae", "%f8%80%80%80%ae", "%ed%a0%80", "%fe%ff", "%u0041", "%", "%2", "%zz"])
def test_odd_encodings_find_nothing(site, coded):
    for path in (f"/open/datasets?id={coded}", f"/open/datasets/users?user={coded}"):
        answer = site.get(path)
        assert answer.status == 400 or (answer.status, len(answer.rows)) == (200, 1), answer.text


# --- a request from before ---

def test_conditional_request_from_before_a_right_was_withdrawn(site):
    def groups(text):
        (site.directory / "groups").write_text(text)

    first = site.get("/group/datasets", user=BOB)
    assert (first.status, first["ETag"], first["Last-Modified"]) == (200, None, None)
    assert first["Cache-Control"] == "private, no-cache"
    again = {"If-None-Match": '*, "x"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT", "Range": "bytes=0-3",
             "If-Range": '"x"', "If-Match": "*", "If-Unmodified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert site.get("/group/datasets", headers=again, user=BOB).text == first.text
    groups("readers: ada\n")
    try:
        for headers in ({}, again, {"If-None-Match": "*"}, {"Range": "bytes=0-3"}):
            for method in ("GET", "HEAD"):
                answer = site.request(method, "/group/datasets", headers=headers, user=BOB)
                assert answer.status == 403 and "mine" not in answer.text
        assert site.get("/group/datasets", user=ADA).status == 200
    finally:
        groups("readers: ada bob\n")


# --- from another site ---

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/plain; application/json",
         "", "application/json, text/plain", "application/jsonx")
EVENT = b'{"type":"datasets","id":"forged","action":"view"}\n'


def test_form_on_another_site_cannot_post_events(site):
    for content in FORMS:
        answer = site.post("/open/events", EVENT, headers={"Content-Type": content} if content else {})
        assert answer.status == 415, content
    for origin in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                   {"Origin": f"http://127.0.0.1:{site.port}.elsewhere.example"}, {"Origin": "http://"}):
        for path in ("/open/events", "/open/datasets/forged/views", "/open/datasets/downloads?id=forged"):
            headers = {"Content-Type": "application/json", **origin}
            assert site.post(path, EVENT, headers=headers).status == 403, origin
    answer = site.request("OPTIONS", "/open/events", headers={"Origin": "https://elsewhere.example",
                                                              "Access-Control-Request-Method": "POST"})
    assert answer["Access-Control-Allow-Origin"] is None
    site.markers.settle()
    assert "forged" not in site.counts.of("datasets")
