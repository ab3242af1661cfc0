"""Visits to real files become counts: by rule, by method and status, by user, by mark."""

import pytest

from environment import wait_for
from environment.client import encode

CONF = """
<Location "/">
    MetricsCapture On
</Location>
<Location "/download/files">
    ForceType application/octet-stream
</Location>
<Location "/datasets/off">
    MetricsCapture Off
</Location>

# Whatever the id, one page.
AliasMatch "^/collections/" "${DOCROOT}/page.html"
AllowEncodedSlashes NoDecode

<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr true
</Location>

<Location "/datasets/private">
    AuthType Basic
    AuthName "demo"
    AuthUserFile "${DIR}/passwords"
    Require valid-user
</Location>
<Location "/datasets/named">
    MetricsUser "%{HTTP:X-User}"
</Location>
<Location "/datasets/agents">
    MetricsAgent robot "%{HTTP_USER_AGENT} =~ /bot/i"
    MetricsAgent machine "%{HTTP_USER_AGENT} =~ /^(curl|wget)/"
    MetricsAgent extractor "%{QUERY_STRING} =~ /key=secret/"
</Location>
<Location "/datasets/choosy">
    MetricsIgnore "%{QUERY_STRING} =~ /preview=1/"
    MetricsIgnore "%{HTTP:X-Internal} == 'yes'"
</Location>
<Location "/datasets/everything">
    MetricsIgnore none
</Location>
"""


@pytest.fixture(scope="module")
def server(httpd_of_file):
    httpd = httpd_of_file(CONF, modules=("alias", "auth_basic", "authn_core", "authn_file", "authz_user", "headers"))
    httpd.password_file(("ada", "engine"), ("örsted", "Straße"))
    httpd.file("page.html", "<h1>page</h1>")
    for name in ("one", "two", "private", "named", "agents", "choosy", "everything", "off"):
        httpd.file(f"datasets/{name}", f"<h1>{name}</h1>")
    httpd.file("download/datasets/one", b"\0" * 100_000)
    httpd.file("datasets/large", b"\0" * 20_000_000)
    httpd.file("download/datasets/large", b"\0" * 20_000_000)
    httpd.file("files/f1", "file page")
    httpd.file("download/files/f1", b"data")
    return httpd.start()


@pytest.fixture
def site(server):
    server.markers.forget()
    return server


def test_views_and_downloads_by_rule(site):
    for path in ("/datasets/one", "/datasets/one", "/datasets/two", "/download/datasets/one", "/files/f1",
                 "/download/files/f1", "/download/files/f1", "/page.html"):
        assert site.get(path).status == 200
    assert site.markers.counted() == {"one": (2, 1), "two": (1, 0)}
    assert site.markers.counted("files") == {"f1": (1, 2)}
    assert site.markers.counted("collections") == {}
    assert site.counts.users() == {}


def test_document_has_the_fields_of_the_data_model(site):
    site.get("/datasets/one")
    site.get("/download/datasets/one")
    site.markers.settle()
    document = site.counts.db.metrics_datasets.find_one({"_id": "one"})
    assert {name: document.get(name) for name in ("views", "downloads")} == {"views": 1, "downloads": 1}
    assert document["first_seen"] <= document["last_viewed"] <= document["last_downloaded"]
    assert list(document["seq"]) == [(site.spool / "id").read_text().strip()]


@pytest.mark.parametrize("id_", [
    "a b", "ä", "数据", "😀", "a,b", 'quo"te', "it's", "$set", "$where", "a.b", '{"$gt":""}', "100%", "what?", "#1",
    "a;b", "a+b", "=1+1", "..", "....", "\\", "a\tb", "new\nline", "back\\slash", "x" * 200, "'; DROP",
    b"\xff\xfe", b"caf\xe9",
], ids=lambda id_: ascii(id_)[:20])
def test_any_id_is_data(site, id_):
    answer = site.get("/collections/" + encode(id_))
    if id_ == "..":
        assert answer.status == 404  # the path of the parent, not an id
        assert site.markers.counted("collections") == {}
        return
    assert answer.status == 200
    assert site.markers.counted("collections") == {id_: (1, 0)}


def test_id_longer_than_the_limit_is_not_cut(site):
    assert site.get("/collections/" + "x" * 1024).status == 200
    assert site.get("/collections/" + "x" * 1025).status == 200
    assert site.markers.counted("collections") == {"x" * 1024: (1, 0)}


def test_slash_in_an_encoded_segment_is_left_encoded(site):
    assert site.get("/collections/10.5072%2Fabc").status == 200
    assert site.markers.counted("collections") == {"10.5072%2Fabc": (1, 0)}


def test_same_resource_however_its_path_is_written(site):
    for path in ("/datasets/one", "/datasets/%6Fne", "//datasets/one", "/x/../datasets/./one", "/datasets/one?a=b"):
        assert site.get(path).status == 200
    assert site.markers.counted() == {"one": (5, 0)}


def test_zero_byte_in_a_path_is_no_use(site):
    site.allow_log(r"AH\d+.*(Invalid|decode|unescape)")
    assert site.get("/collections/a%00b").status in (400, 404)
    assert site.markers.counted("collections") == {}


@pytest.mark.parametrize("method, status", [("HEAD", 200), ("POST", 200), ("OPTIONS", 200), ("DELETE", 405),
                                            ("PROPFIND", 405), ("NONSENSE", 501)])
def test_only_get_is_a_use(site, method, status):
    site.allow_log(r"AH00135|AH02429")  # httpd's own words about methods it does not know
    assert site.request(method, "/datasets/one").status == status
    assert site.markers.counted() == {}


def test_only_some_answers_are_uses(site):
    assert site.get("/datasets/missing").status == 404
    tag = site.get("/datasets/one")["ETag"]
    assert site.get("/datasets/one", headers={"If-None-Match": tag}).status == 304
    assert site.get("/datasets/one", headers={"Range": "bytes=5-"}).status == 206
    assert site.get("/datasets/one", headers={"If-Match": '"other"'}).status == 412
    assert site.get("/datasets/private").status == 401
    assert site.markers.counted() == {"one": (2, 0)}


@pytest.mark.parametrize("range_, uses", [("bytes=0-", 1), ("bytes=0-4", 1), ("bytes=0-4,10-14", 1), ("bytes=5-", 0),
                                          ("bytes=7-9,0-4", 0), ("bytes=-5", 0),
                                          # What httpd makes one part of, and a suffix that is the whole.
                                          ("bytes=5-9,0-4", 1), ("bytes=-1000000", 1)])
def test_of_parts_the_one_with_the_first_byte_is_a_use(site, range_, uses):
    assert site.get("/download/datasets/one", headers={"Range": range_}).status == 206
    assert site.markers.counted() == ({"one": (0, 1)} if uses else {})


def test_download_that_is_broken_off_is_none(site):
    for path in ("/download/datasets/large", "/datasets/large"):
        site.leave(path)
    # A child logs such a request when it notices; what it has logged is read from the spool in order.
    wait_for(lambda: site.get("/metrics/status").json["events_ignored"].get("incomplete"), what="it is noticed")
    wait_for(lambda: site.counts.of("datasets"), what="the page is counted")
    assert site.markers.counted() == {"large": (1, 0)}


def test_malformed_requests_do_no_harm(site):
    site.expect_log("AH10244: invalid URI path")
    for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET /datasets/%zz HTTP/1.0\r\n\r\n",
                 b"GET datasets/one HTTP/1.0\r\n\r\n", b"GET /datasets/one HTTP/1.1\r\n\r\n"):
        site.raw(data)
    assert site.raw(b"GET http://127.0.0.1/datasets/two HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert site.markers.counted() == {"two": (1, 0)}


def test_section_with_capture_off(site):
    assert site.get("/datasets/off").status == 200
    assert site.markers.counted() == {}


def test_user_of_basic_authentication(site):
    site.allow_log("AH01617")  # wrong password
    assert site.get("/datasets/private", user=("ada", "engine")).status == 200
    assert site.get("/datasets/private", user=("ada", "engine")).status == 200
    assert site.get("/datasets/private", user=("örsted", "Straße")).status == 200
    assert site.get("/datasets/private", user=("ada", "wrong")).status == 401
    assert site.get("/datasets/one").status == 200
    assert site.markers.counted() == {"private": (3, 0), "one": (1, 0)}
    assert site.counts.users() == {("datasets", "private", "ada"): (2, 0), ("datasets", "private", "örsted"): (1, 0)}


def test_user_by_expression(site):
    for user in ("grace", "grace", "a.b$c", "", "u" * 256, "u" * 257):
        assert site.get("/datasets/named", headers={"X-User": user}).status == 200
    assert site.get("/datasets/named").status == 200
    assert site.markers.counted() == {"named": (7, 0)}
    assert site.counts.users() == {("datasets", "named", "grace"): (2, 0), ("datasets", "named", "a.b$c"): (1, 0),
                                   ("datasets", "named", "u" * 256): (1, 0)}


def test_user_that_is_no_utf8(site):
    assert site.raw(b"GET /datasets/named HTTP/1.0\r\nX-User: caf\xe9\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    site.markers.settle()
    assert site.counts.users() == {("datasets", "named", b"caf\xe9"): (1, 0)}


def test_agents_marked_by_the_administrator(site):
    for agent in ("Mozilla/5.0", "Googlebot/2.1", "curl/8.0", "Wget/1.21", "wget/1.21"):
        assert site.get("/datasets/agents", headers={"User-Agent": agent}).status == 200
    assert site.get("/datasets/agents?key=secret", headers={"User-Agent": "python"}).status == 200
    assert site.get("/datasets/one", headers={"User-Agent": "Googlebot/2.1"}).status == 200
    site.markers.settle()
    # The robot is counted nowhere; two of the others and the extractor are counted, and are the machines' part.
    assert site.counts.all_of("datasets") == {"agents": (5, 0, 3, 0), "one": (1, 0, 0, 0)}


def test_tracking_false_leaves_no_trace(site):
    for query in ("tracking=false", "tracking=0", "a=b&tracking=false", "tracking=false&a=b"):
        assert site.get(f"/datasets/one?{query}").status == 200
    for query in ("tracking=true", "tracking=1", "tracking", "notracking=false", "tracking=falsehood", "tracking=00"):
        assert site.get(f"/datasets/two?{query}").status == 200
    assert site.markers.counted() == {"two": (6, 0)}


def test_ignore_by_expression_replaces_the_default(site):
    assert site.get("/datasets/choosy?preview=1").status == 200
    assert site.get("/datasets/choosy", headers={"X-Internal": "yes"}).status == 200
    assert site.get("/datasets/choosy?preview=0", headers={"X-Internal": "no"}).status == 200
    assert site.get("/datasets/choosy?tracking=false").status == 200
    assert site.markers.counted() == {"choosy": (2, 0)}


def test_ignore_none(site):
    assert site.get("/datasets/everything?tracking=false").status == 200
    assert site.markers.counted() == {"everything": (1, 0)}


def test_last_use_is_when_the_request_was_made(site):
    site.get("/datasets/one")
    site.markers.settle()
    first = site.counts.db.metrics_datasets.find_one({"_id": "one"})
    site.get("/datasets/one")
    site.markers.settle()
    second = site.counts.db.metrics_datasets.find_one({"_id": "one"})
    assert first["first_seen"] == first["last_viewed"] == second["first_seen"]
    assert first["last_viewed"] < second["last_viewed"]
    assert second.get("last_downloaded") is None


def test_nothing_of_the_visitor_is_stored_but_the_user(site):
    site.get("/datasets/named", headers={"X-User": "grace", "User-Agent": "secret-agent/1.0"})
    site.markers.settle()
    everything = repr([list(site.counts.db[name].find()) for name in site.counts.db.list_collection_names()])
    assert "secret-agent" not in everything and "127.0.0.1" not in everything
    assert "grace" in everything
