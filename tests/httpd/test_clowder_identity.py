"""Who somebody is to `MetricsAuthz clowder`, and which reports that opens."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bson import ObjectId

from environment.clowder_world import TERMS, now
from environment.httpd import ROOT

ADA, BOB, ADMIN, LAZY = (f"5a000000000000000000000{n}" for n in "123f")
OF_ADA, OF_BOB, OPEN = (f"5b000000000000000000000{n}" for n in "123")
KEY = "6f1c1f0e-0001-4aaa-8bbb-ada000000000"
SESSION, IDLE, OVER = "ada0" * 64, "1d1e" * 64, "dead" * 64
# Of "secret", at the least cost.
HASH = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

LINES = {
    "plain": "server=private",
    "public": "server=public",
    "passwords": "server=private passwords=on",
    "strict": "server=private passwords=on strict=on",
    "nokeys": "server=private keys=off cookie=none",
    "other": "server=private cookie=session idle=40min",
    "members": "server=private reports=members",
    "admins": "server=private reports=admins admins=all",
    "me": "server=private me=/api/me",
    "header": "server=private user=id as=%{HTTP:X-Name}",
}

CONF = f"Include {ROOT}/conf/clowder.conf\n" + "".join(f"""
<Location "/{name}">
    SetHandler metrics
    MetricsAuthz clowder {words}
    MetricsCapture Off
</Location>
""" for name, words in LINES.items()) + """
<Location "/mail">
    SetHandler metrics
    AuthType Basic
    AuthName "reports"
    AuthUserFile "${DIR}/passwords"
    Require valid-user
    MetricsAuthz clowder server=private user=email
    MetricsCapture Off
</Location>
MetricsAnonymousUser guest
ProxyPass /api/me http://127.0.0.1:BACKEND/api/me
"""


def person(id_, login, status="Active", accepted=True):
    return {"_id": ObjectId(id_), "fullName": login, "email": f"{login}@example.org", "status": status,
            "identityId": {"userId": f"{login}@example.org", "providerId": "userpass"},
            "passwordInfo": {"hasher": "bcrypt", "password": HASH},
            "termsOfServices": {"accepted": accepted, "acceptedDate": TERMS + timedelta(days=1)}}


def session(cookie, login, idle=0, left=60):
    return {"authenticatorId": cookie, "identityId": {"userId": f"{login}@example.org", "providerId": "userpass"},
            "lastUsed": now() - timedelta(minutes=idle), "expirationDate": now() + timedelta(minutes=left)}


class Me(BaseHTTPRequestHandler):
    """Clowder's /api/me, by the key alone."""

    ANSWERS = {"good": (200, {"X-User-ID": ADA}), "ghost": (200, {"X-User-ID": "5a0000000000000000000099"}),
               "odd": (200, {}), "busy": (503, {})}

    def log_message(self, *_):
        pass

    def do_GET(self):
        status, headers = self.ANSWERS.get(self.headers.get("X-API-Key"), (401, {}))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture(scope="module")
def backend():
    with ThreadingHTTPServer(("127.0.0.1", 0), Me) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def site(httpd_of_file, backend):
    httpd = httpd_of_file(CONF.replace("BACKEND", str(backend)), types="", markers=False, modules=(
        "auth_basic", "authn_core", "authn_file", "authz_user", "proxy", "proxy_http"))
    httpd.password_file(("ada@example.org", "a"), ("ghost@example.org", "g"), ("guest", "g"))
    httpd.start()
    httpd.counts.wait_for_indexes()
    db = httpd.counts.db
    db["app.configuration"].insert_one({"key": "tos.date", "value": TERMS})
    db["social.users"].insert_many([person(ADA, "ada"), person(BOB, "bob"), person(ADMIN, "admin", "Admin"),
                                    person(LAZY, "lazy", accepted=False)])
    db["social.authenticator"].insert_many([session(SESSION, "ada"), session(IDLE, "ada", idle=31),
                                            session(OVER, "ada", left=-1), session("admin", "admin"),
                                            session("lazy", "lazy"), session("bob", "bob")])
    db["users.apikey"].insert_one({"name": "k", "key": KEY, "identityId": session("", "ada")["identityId"]})
    db.datasets.insert_many([
        {"_id": ObjectId(OF_ADA), "name": "a", "author": {"_id": ObjectId(ADA)}},
        {"_id": ObjectId(OF_BOB), "name": "b", "author": {"_id": ObjectId(BOB)}},
        {"_id": ObjectId(OPEN), "name": "o", "status": "PUBLIC"}])
    db.metrics_datasets.insert_many([{"_id": id_, "views": 1, "downloads": 0} for id_ in (OF_ADA, OF_BOB, OPEN)])
    return httpd


def seen(site, path, headers=None, user=None):
    """The datasets of a report; or the status, where there is none."""
    answer = site.get(f"/{path}/datasets", headers=headers or {}, user=user)
    if answer.status != 200:
        return answer.status
    return {row[0] for row in answer.rows[1:]}


NOBODY = {OPEN}
IS_ADA = {OPEN, OF_ADA}
ALL = {OPEN, OF_ADA, OF_BOB}
GOOD, BAD = ("ada@example.org", "secret"), ("ada@example.org", "Secret")


def cookie(value, name="id"):
    return {"Cookie": f"a=b; {name}={value}"}


@pytest.mark.parametrize("path, headers, user, expected", [
    ("plain", {}, None, NOBODY),
    ("plain", cookie(SESSION), None, IS_ADA),
    ("plain", cookie(IDLE), None, NOBODY),
    ("plain", cookie(OVER), None, NOBODY),
    ("plain", cookie("nonsense"), None, NOBODY),
    ("plain", {"X-API-Key": KEY}, None, IS_ADA),
    ("plain", {"X-API-Key": SESSION}, None, NOBODY),
    ("plain", cookie(KEY), None, NOBODY),
    ("plain", {"X-API-Key": '{"$ne": ""}'}, None, NOBODY),
    ("plain", {**cookie(OVER), "X-API-Key": KEY}, None, IS_ADA),
    ("plain", {}, GOOD, NOBODY),
    ("passwords", {}, GOOD, IS_ADA),
    ("passwords", {}, ("ADA@Example.org", "secret"), IS_ADA),
    ("passwords", {}, BAD, NOBODY),
    ("passwords", {"X-API-Key": KEY}, BAD, IS_ADA),
    ("passwords", {"Authorization": "Bearer x"}, None, NOBODY),
    ("strict", {}, BAD, 401),
    ("strict", {"X-API-Key": "x"}, None, 401),
    ("strict", {}, GOOD, IS_ADA),
    ("strict", cookie("x"), None, NOBODY),
    ("nokeys", {**cookie(SESSION), "X-API-Key": KEY}, None, NOBODY),
    ("other", cookie(SESSION), None, NOBODY),
    ("other", cookie(IDLE, "session"), None, IS_ADA),
    ("me", {}, None, NOBODY),
    ("me", {"X-API-Key": "good"}, None, IS_ADA),
    ("me", {"X-API-Key": "bad"}, None, NOBODY),
    ("me", cookie(SESSION), None, NOBODY),
    ("me", {"X-API-Key": "ghost"}, None, NOBODY),
    ("header", {"X-Name": ADA}, None, IS_ADA),
    ("header", {"X-Name": ADA.upper()}, None, IS_ADA),
    ("header", {"X-Name": "ada@example.org"}, None, NOBODY),
    ("header", {"X-Name": "nobody", "X-API-Key": KEY}, None, NOBODY),
    ("header", {"X-API-Key": KEY}, None, IS_ADA),
    ("mail", {}, ("ada@example.org", "a"), IS_ADA),
    ("mail", cookie(SESSION), ("ghost@example.org", "g"), NOBODY),
    ("mail", cookie(SESSION), ("guest", "g"), IS_ADA),
    # the gate
    ("plain", cookie("lazy"), None, 401),
    ("public", cookie("lazy"), None, 401),
    ("public", {}, None, ALL),
    # admins
    ("plain", cookie("admin"), None, NOBODY),
    ("plain", cookie("admin; superAdmin=true"), None, ALL),
    ("plain", cookie("admin; superAdmin=1"), None, NOBODY),
    ("plain", cookie(f"{SESSION}; superAdmin=true"), None, IS_ADA),
    # who may have reports
    ("members", {}, None, 401),
    ("members", cookie("bob"), None, {OPEN, OF_BOB}),
    ("admins", cookie("bob"), None, 401),
    ("admins", cookie("admin"), None, ALL),
])
def test_who_it_is(site, path, headers, user, expected):
    assert seen(site, path, headers, user) == expected


def test_the_log_says_why_the_gate_is_shut(site):
    assert seen(site, "plain", cookie("lazy")) == 401
    assert "MM0514: MetricsAuthz clowder: a user of Clowder's who has not accepted the terms" in site.log_text()
    assert SESSION not in site.log_text() and KEY not in site.log_text()


def test_the_status_is_for_admins(site):
    assert site.get("/plain/status").status == 401
    assert site.get("/plain/status", headers=cookie(SESSION)).status == 401
    assert site.get("/plain/status", headers=cookie("admin")).status == 200
    assert site.get("/public/status").status == 401


@pytest.mark.parametrize("key, said", [("odd", "answers without X-User-ID"), ("busy", "answers 503")])
def test_an_answer_of_clowder_that_is_none_shows_nothing(site, key, said):
    site.expect_log(f"MM0512: MetricsAuthz clowder: /api/me {said}")
    site.expect_log("MM0504: MetricsAuthz clowder could not tell")
    assert seen(site, "me", {"X-API-Key": key}) == 503


def test_looking_renews_nothing(site):
    before = list(site.counts.db["social.authenticator"].find())
    seen(site, "plain", cookie(SESSION))
    assert list(site.counts.db["social.authenticator"].find()) == before


def test_rights_are_asked_about_anew_each_time(site):
    users = site.counts.db["social.users"]
    assert seen(site, "plain", {"X-API-Key": KEY}) == IS_ADA
    users.update_one({"_id": ObjectId(ADA)}, {"$set": {"status": "Inactive"}})
    assert seen(site, "plain", {"X-API-Key": KEY}) == 401
    users.update_one({"_id": ObjectId(ADA)}, {"$set": {"status": "ReadOnly"}})
    assert seen(site, "plain", {"X-API-Key": KEY}) == IS_ADA


@pytest.mark.parametrize("words, said", [
    ("", "server=private or server=public must say"),
    ("server=closed", "server=closed is none of: private, public"),
    ("server=private strict=yes", "strict=yes is none of: on, off"),
    ("server=private idle=soon", "idle=soon is no time"),
    ("server=private idle=0", "idle=0 is no time"),
    ("server=private as=%{REMOTE_USER}", "as= needs user="),
    ("server=private user=id as=%{", "cannot read as="),
    ("server=private me=/api/me keys=off", "me= is a path of this site"),
    ("server=private me=http://x/", "me= is a path of this site"),
    ("server=private commkey=x", '"commkey=x" is no argument'),
])
def test_a_wrong_line_stops_the_start(httpd, words, said):
    site = httpd(f'<Location "/m">\nSetHandler metrics\nMetricsAuthz clowder {words}\n</Location>')
    status, output = site.check()
    assert status != 0 and said in output


def test_no_answer_shows_nothing(httpd):
    site = httpd('<Location "/m">\nSetHandler metrics\nMetricsAuthz clowder server=private\n</Location>\n'
                 'MetricsCatalogURI "mongodb://127.0.0.1:9/clowder?serverSelectionTimeoutMS=200"').start()
    site.expect_log("MM0512: MetricsAuthz clowder: .*app.configuration|MM0512: .*social")
    site.expect_log("MM0504: MetricsAuthz clowder could not tell")
    site.allow_log("MM0215|MM02")
    answer = site.get("/m/datasets", headers=cookie(SESSION))
    assert answer.status == 503
    assert "app.configuration" not in answer.text and "social" not in answer.text
