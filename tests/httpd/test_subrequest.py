"""The provider `subrequest`: who may see what is what the application shows to whoever asks."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest

from environment.client import Client
from environment.httpd import free_port, wait_for

TYPES = """
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
</MetricsType>
"""

CONF = """
AllowEncodedSlashes NoDecode
ProxyPass "/app" "http://127.0.0.1:{port}/app" nocanon
MetricsAuthzTimeout 2
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz subrequest resources="/app/{{type}}/{{id}}" people="/app/people/{{user}}?of={{id}}" cache=0
</Location>
<Location "/get">
    SetHandler metrics
    MetricsAuthz subrequest resources="/app/{{type}}/{{id}}" method=GET report=/app/report cache=0
</Location>
<Location "/cached">
    SetHandler metrics
    MetricsAuthz subrequest resources="/app/{{type}}/{{id}}" cache=60
</Location>
<Location "/short">
    SetHandler metrics
    MetricsAuthz subrequest resources="/app/{{type}}/{{id}}" cache=0.01
</Location>
<Location "/few">
    SetHandler metrics
    MetricsAuthz subrequest resources="/app/{{type}}/{{id}}" max=3 cache=0
</Location>
<Location "/soon">
    SetHandler metrics
    MetricsAuthz subrequest resources="/app/{{type}}/{{id}}" seconds=0.1 cache=0
</Location>
<Location "/round">
    SetHandler metrics
    MetricsAuthz subrequest resources="/round/{{type}}/{{id}}" cache=0
</Location>
<Location "/local">
    SetHandler metrics
    MetricsAuthz subrequest resources="/shown/{{id}}"
</Location>
<Location "/shown/closed">
    Require all denied
</Location>
"""


class Application(BaseHTTPRequestHandler):
    """Answers a path with what `answers` says of its last segment and of whoever asks (Cookie: user=NAME), else 404."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        name = unquote(path.rpartition("/")[2])
        who = self.headers.get("Cookie", "").removeprefix("user=")
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        status = self.server.answers.get((who, name), self.server.answers.get(name, 404))
        if status == "slow":
            time.sleep(0.25)
            status = 200
        body = b"secret words of the application" if self.command == "GET" else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) or 100))
        if status == 302:
            self.send_header("Location", "/app/login")
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def application():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    server.daemon_threads = True
    server.seen, server.answers = [], {}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def site_of_all(httpd_of_file, application):
    httpd = httpd_of_file(CONF.format(port=application.server_address[1]), types=TYPES, markers=False,
                          modules=("proxy", "proxy_http"))
    httpd.file("shown/f1")
    httpd.file("shown/closed")
    httpd.start()
    httpd.counts.wait_for_indexes()
    return httpd


@pytest.fixture
def site(site_of_all, application):
    db = site_of_all.counts.db
    db.metrics_files.delete_many({})
    db.metrics_users.delete_many({})
    application.answers.clear()
    application.seen.clear()
    return site_of_all


def use(site, *ids):
    site.counts.db.metrics_files.insert_many([{"_id": id_, "views": 1000 - n, "downloads": 0}
                                              for n, id_ in enumerate(ids)])


def shown(answer):
    assert answer.status == 200, answer.text
    return [row[0] for row in answer.rows[1:]]


ADA = {"Cookie": "user=ada"}


def test_what_the_application_shows(site, application):
    use(site, "f1", "f2", "f3", "f4", "f5", "f6", "f7")
    application.answers.update({("ada", "f1"): 200, ("ada", "f2"): 204, "f3": 302, "f4": 401, "f5": 403, "f6": 400})
    assert shown(site.get("/metrics/files", headers=ADA)) == ["f1", "f2"]
    assert shown(site.get("/metrics/files")) == []
    assert {method for method, _, _ in application.seen} == {"HEAD"}
    application.seen.clear()
    application.answers["report"] = 200
    answer = site.get("/get/files", headers=ADA)
    assert shown(answer) == ["f1", "f2"] and "secret words" not in answer.text
    assert {method for method, _, _ in application.seen} == {"GET"}


def test_whether_there_is_a_report(site, application):
    use(site, "f1")
    application.answers["f1"] = 200
    assert site.get("/get/files", headers=ADA).status == 401
    application.answers["report"] = 200
    assert shown(site.get("/get/files", headers=ADA)) == ["f1"]
    assert (site.get("/get/status").status, site.get("/metrics/status").status) == (200, 401)


def test_people(site, application):
    use(site, "f1", "f2")
    site.counts.db.metrics_users.insert_many(
        [{"_id": f"{id_}{user}", "type": "files", "resource": id_, "user": user, "views": 1, "downloads": 0}
         for id_, user in (("f1", "ada"), ("f1", "a b&c=d"), ("f2", "ada"))])
    application.answers.update({"f1": 200, "ada": 200})
    assert [row[2] for row in site.get("/metrics/files/users", headers=ADA).rows[1:]] == ["ada"]
    assert "/app/people/a%20b%26c%3Dd?of=f1" in [path for _, path, _ in application.seen]


@pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
def test_application_that_cannot_tell(site, application, status):
    use(site, "f1", "f2")
    application.answers.update({"f1": 200, "f2": status})
    site.expect_log(f"MM0510: MetricsAuthz subrequest: /app/files/f2 answers {status}")
    site.allow_log("MM0601: .*MetricsAuthz subrequest could not tell|proxy")
    answer = site.get("/metrics/files")
    assert answer.status == 503 and "f1" not in answer.text


def test_requests_and_time_of_one_report_are_bounded(site, application):
    use(site, *(f"f{n}" for n in range(12)))
    application.answers.update({f"f{n}": 200 for n in range(12)})
    assert len(shown(site.get("/metrics/files"))) == 12
    site.allow_log("MM0601: .*MetricsAuthz subrequest could not tell")
    site.expect_log("MM0511: .*asked 3 times")
    site.allow_log("MM0511: ")
    assert site.get("/few/files").status == 503
    application.answers.update({f"f{n}": "slow" for n in range(12)})
    for base, most in (("/soon", 2), ("/metrics", 9)):  # seconds=, and the time that any answer of a provider may take
        application.seen.clear()
        assert site.get(f"{base}/files").status == 503
        assert len(application.seen) <= most


def test_answers_are_kept_for_the_same_requester_only(site, application):
    use(site, "f1", "f2")
    application.answers.update({("ada", "f1"): 200})
    assert [shown(site.get("/cached/files", headers=ADA)) for _ in range(3)] == [["f1"]] * 3
    assert len(application.seen) == 2
    assert shown(site.get("/cached/files", headers={"Cookie": "user=bob"})) == []
    assert shown(site.get("/cached/files")) == []
    assert shown(site.get("/cached/files", headers={**ADA, "X-Api-Key": "f2"})) == ["f1"]
    assert len(application.seen) == 8
    application.answers.clear()
    assert shown(site.get("/cached/files", headers=ADA)) == ["f1"]  # for a minute
    assert shown(site.get("/metrics/files", headers=ADA)) == []


def test_answers_are_kept_for_the_same_virtual_host_only(httpd, application):
    """Of one name on two ports: what the one shows by its own settings, the other need not."""
    port = free_port()
    site = httpd(CONF.format(port=application.server_address[1]) + f"""
                 Listen 127.0.0.1:{port}
                 <VirtualHost 127.0.0.1:{port}>
                     ServerName 127.0.0.1
                     <Location "/app">
                         RequestHeader set Cookie user=ada
                     </Location>
                 </VirtualHost>""", types=TYPES, markers=False, modules=("proxy", "proxy_http", "headers")).start()
    site.counts.wait_for_indexes()
    use(site, "f1")
    application.answers.clear()
    application.answers.update({("ada", "f1"): 200})
    same = {"Host": "repository.example"}
    assert shown(Client(port).get("/cached/files", headers=same)) == ["f1"]
    assert shown(site.get("/cached/files", headers=same)) == []


def test_answers_are_forgotten(site, application):
    use(site, "f1")
    application.answers.update({"f1": 200})
    assert shown(site.get("/short/files")) == ["f1"]
    application.answers.clear()
    wait_for(lambda: shown(site.get("/short/files")) == [], what="the answer is asked for again")


def test_ids_are_one_segment_whatever_they_are(site, application):
    odd = ["a/b", "a?b=c", "a#b", "a%2fb", "a%00b", "a b\r\nX-Evil: 1", "ä\u202e", "{user}", "..%2f..", "%2e%2e", "a;b"]
    dots = ["..", ".", "../admin", "a/../b", "a//b", "/a", "a/", "./a"]
    use(site, *odd, *dots)
    site.counts.db.metrics_files.insert_one({"_id": b"\xff\xfe", "views": 1, "downloads": 0})
    application.answers.update({name: 200 for name in odd})
    answer = site.get("/metrics/files.json")
    seen = [row["resource_id"] for row in answer.json["rows"]]
    asked = [path for _, path, _ in application.seen]
    assert all(re.fullmatch(r"/app/files/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", path) for path in asked), asked
    assert not any("X-Evil" in headers for _, _, headers in application.seen)
    assert {unquote(path.rpartition("/")[2]) for path in asked} <= {*odd, "\ufffd\ufffd"}
    assert not set(dots) & set(seen)
    assert {"a?b=c", "a#b", "{user}", "a;b", "a b\r\nX-Evil: 1"} <= set(seen)


def test_requests_carry_who_asks_and_nothing_of_the_report(site, application):
    use(site, "f1")
    application.answers["f1"] = 200
    site.get("/metrics/files?format=json&user=", headers={
        **ADA, "Authorization": "Bearer 1", "If-None-Match": '"x"', "If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT",
        "Range": "bytes=0-1", "If-Range": '"x"'})
    assert shown(site.get("/metrics/files", headers={"If-None-Match": '"x"', "Range": "bytes=0-1", **ADA})) == ["f1"]
    for _, path, headers in application.seen:
        assert path == "/app/files/f1"
        assert not {"If-None-Match", "If-Modified-Since", "Range", "If-Range"} & set(headers)
        assert headers["Cookie"] == "user=ada"


# Frameworks let these say another method or address than the request's line, and would answer about that.
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL")


def test_nobody_makes_the_application_answer_another_question(site, application):
    use(site, "hidden")
    application.answers.update({"hidden": 403, "public": 200})
    for name in OVERRIDES:
        assert shown(site.get("/metrics/files", headers={**ADA, name: "/app/files/public"})) == []
    assert len(application.seen) == len(OVERRIDES)
    for _, _, headers in application.seen:
        assert not {name.lower() for name in OVERRIDES} & {name.lower() for name in headers}


def test_own_files_and_httpds_access_control(site):
    site.expect_log("AH01630")
    use(site, "f1", "closed", "missing")
    assert shown(site.get("/local/files")) == ["f1"]


def test_a_way_that_leads_back_ends(site):
    use(site, "f1")
    assert shown(site.get("/round/files")) == []


def test_what_the_provider_asks_is_no_visit(httpd, application):
    site = httpd(CONF.format(port=application.server_address[1]) +
                 '<Location "/app">\nMetricsCapture On\n</Location>', modules=("proxy", "proxy_http"),
                 types='<MetricsType files>\nMetricsView "^/app/files/([^/]+)$"\n</MetricsType>').start()
    application.answers.update({"f1": 200})
    site.get("/app/files/f1")
    site.markers.settle()
    assert shown(site.get("/metrics/files")) == ["f1"]
    site.markers.settle()
    assert site.counts.db.metrics_files.find_one({"_id": "f1"})["views"] == 1
