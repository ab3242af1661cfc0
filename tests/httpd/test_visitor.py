"""Who a visit is of: names that are nobody, cookies that tell visitors apart, and what wins over Clowder's word."""

import hashlib
import json
import os
import subprocess

import pytest

from environment import Gate, clowder, wait_for
from environment.clowder import ADA, COOKIE_ADA, KEY_ADA
from environment.httpd import BUILD, SETTINGS

COOKIE_BOB = "b0b0" * 64
SESSION = "s3cret-session-value"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest().encode()


def section(path, lines):
    return f'<Location "{path}">\n{lines}\n</Location>\n'


CONF = section("/", 'MetricsCapture On\nMetricsUser "%{HTTP:X-User}"\nMetricsIdentity clowder cookie=id') + \
    section("/datasets/in", "MetricsIdentity none") + \
    section("/metrics", 'SetHandler metrics\nMetricsAuthz expr "true"\nMetricsRecord On')


@pytest.fixture(scope="module")
def server(httpd_of_file):
    httpd = httpd_of_file(CONF, settings=SETTINGS + "MetricsAnonymousUser guest :guest\nMetricsAnonymousUser nobody\n")
    httpd.file("datasets/a")
    httpd.file("datasets/in")
    httpd.start()
    httpd.counts.wait_for_indexes()
    clowder.fill(httpd.counts.db)
    return httpd


@pytest.fixture
def site(server):
    settle(server)
    server.counts.forget()
    return server


def settle(site):
    site.markers.settle()
    site.markers.settle()


def users(site):
    settle(site)
    return {key[2] for key in site.counts.users()}


def visit(site, path="/datasets/a", **headers):
    assert site.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()}).status == 200


def test_names_that_are_nobody(site):
    for name in ("guest", ":guest", "nobody", "Guest", "guests"):
        visit(site, X_User=name)
    assert site.post_lines("/metrics/events", {"type": "datasets", "id": "a", "action": "view", "user": "guest"},
                           {"type": "datasets", "id": "a", "action": "view", "user": "eve"}).status == 202
    assert users(site) == {"Guest", "guests", "eve"}
    assert site.counts.of("datasets") == {"a": (7, 0)}


def test_nobody_may_still_be_somebody_to_clowder(site):
    visit(site, X_User="guest", Cookie=f"id={COOKIE_ADA}")
    assert users(site) == {ADA}


def test_whom_httpd_knows_wins(site):
    visit(site, X_User="root", Cookie=f"id={COOKIE_ADA}")
    assert users(site) == {"root"}


def test_without_a_name_of_httpds_clowder_is_asked(site):
    visit(site, Cookie=f"id={COOKIE_ADA}")
    assert users(site) == {ADA}


def test_a_use_that_is_posted_is_of_who_posts_it(site):
    assert site.post("/metrics/datasets/a/views", headers={"Cookie": f"id={COOKIE_ADA}"}).status == 202
    assert users(site) == {ADA}


def test_none_in_a_section(site):
    visit(site, "/datasets/in", Cookie=f"id={COOKIE_ADA}")
    assert users(site) == set()
    assert site.counts.of("datasets") == {"in": (1, 0)}


def test_settings_for_metricsctl(server):
    settings = json.loads((server.spool / "settings.json").read_text())
    assert settings["anonymous_users"] == ["guest", ":guest", "nobody"]


def test_sessions_are_spooled_as_hashes_only(httpd):
    conf = section("/", "MetricsCapture On\nMetricsSessionCookie JSESSIONID") + \
        section("/datasets/in", "MetricsSessionCookie none") + section("/datasets/other", "MetricsSessionCookie sid")
    site = httpd(conf, settings=SETTINGS + "MetricsDrainer Off\n")
    for name in ("a", "in", "other"):
        site.file(f"datasets/{name}")
    site.start()
    visit(site, "/datasets/in", Cookie=f"JSESSIONID={SESSION}")
    visit(site, "/datasets/other", Cookie=f"JSESSIONID={SESSION}")
    assert sha256(SESSION) not in spooled(site)
    visit(site, Cookie=f"x=1; JSESSIONID={SESSION}")
    assert sha256(SESSION) in spooled(site)
    visit(site, "/datasets/other", Cookie=f"sid={SESSION}2")
    assert sha256(SESSION + "2") in spooled(site)
    assert SESSION.encode() not in spooled(site)
    assert SESSION not in site.log_text()


def spooled(site):
    return b"".join(path.read_bytes() for path in site.spool.iterdir())


@pytest.mark.parametrize("says", ["settings", "option"])
def test_metricsctl_drain_asks_the_database_of_the_catalogue(httpd, says):
    """A database of its own, that httpd's configuration or the command line names by a file."""
    site = httpd(CONF, settings="")
    elsewhere = site.counts.db.name + "_clowder"
    uri_file = site.directory / "catalog.uri"
    uri_file.write_text(site.mongo_uri.replace(site.counts.db.name, elsewhere) + "\n")
    catalogue = f'MetricsCatalogURI "file:{uri_file}"\n' if says == "settings" else ""
    site.settings = SETTINGS + "MetricsDrainer Off\n" + catalogue
    site.file("datasets/a")
    site.start()
    clowder.fill(site.counts.client[elsewhere])
    visit(site, Cookie=f"id={COOKIE_ADA}")
    options = ["--catalog-uri-file", uri_file] if says == "option" else []
    subprocess.run([BUILD / "metricsctl", "drain", "--once", "--spool", site.spool, *options],
                   env={**os.environ, "MONGODB_URI": site.mongo_uri}, check=True, capture_output=True, timeout=60)
    assert {key[2] for key in site.counts.users()} == {ADA}
    site.counts.client.drop_database(elsewhere)


@pytest.mark.parametrize("seconds, uses", [(0, 3), (30, 1)], ids=["every click", "double clicks"])
def test_while_clowders_database_is_away_everything_waits(httpd, database, seconds, uses):
    """Not only who needs it: a batch is one. Then all of it counts, once, and for whom it was."""
    host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
    gate = Gate(host, int(port))
    site = httpd(CONF)
    catalogue = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
    site.settings = SETTINGS + f'MetricsCatalogURI "{catalogue}"\nMetricsDoubleClick {seconds}\n'
    for name in ("a", "b"):
        site.file(f"datasets/{name}")
    site.start()
    site.counts.wait_for_indexes()
    clowder.fill(site.counts.db)
    gate.shut()
    site.expect_log("MM0206: the spool .*cannot be drained.*social.users")
    for _ in range(3):
        visit(site, "/datasets/a", X_User="eve")
        visit(site, "/datasets/b", Cookie=f"id={COOKIE_ADA}")
    wait_for(lambda: "MM0206" in site.log_text(), what="the drainer complains")
    before = site.counts.of("datasets")
    assert "b" not in before
    gate.open()
    wait_for(lambda: site.counts.of("datasets").get("b") == (uses, 0), what="who waited is counted")
    settle(site)
    assert site.counts.of("datasets") == {"a": (uses, 0), "b": (uses, 0)}
    assert site.counts.users() == {("datasets", "a", "eve"): (uses, 0), ("datasets", "b", ADA): (uses, 0)}
    gate.close()


def test_double_clicks_are_a_visitors(httpd):
    """Behind one address and one agent: two sessions are two, two people are two, one of each is one."""
    conf = section("/", "MetricsCapture On\nMetricsIdentity clowder cookie=id header=X-API-Key") + \
        section("/datasets/sessions", "MetricsSessionCookie JSESSIONID")
    site = httpd(conf, settings=SETTINGS + "MetricsDoubleClick 30\n")
    for name in ("sessions", "address", "people"):
        site.file(f"datasets/{name}")
    site.start()
    site.counts.wait_for_indexes()
    clowder.fill(site.counts.db)
    for name in ("sessions", "address"):
        for session in ("one", "one", "two", "two"):
            visit(site, f"/datasets/{name}", Cookie=f"JSESSIONID={session}")
    clowder.sign_in(site.counts.db, COOKIE_BOB, "bob")
    for who in ({"Cookie": f"id={COOKIE_ADA}"}, {"Cookie": f"id={COOKIE_BOB}"}, {"X_API_Key": KEY_ADA}):
        visit(site, "/datasets/people", **who)
    settle(site)
    assert site.counts.of("datasets") == {"sessions": (2, 0), "address": (1, 0), "people": (2, 0)}
    assert site.counts.users() == {("datasets", "people", ADA): (1, 0), ("datasets", "people", clowder.BOB): (1, 0)}
