"""The same report under another address, and the handler among other modules: the same permission, the same answer."""

import pytest

from environment.httpd import wait_for

CONF = """
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr true
</Location>
<Location "/metrics/files">
    MetricsAuthz none
</Location>
<Location "/metrics/collections">
    Require all denied
</Location>
RewriteEngine On
RewriteRule "^/stats$" "/metrics/datasets" [PT]
RewriteRule "^/app/(.*)$" "/app.html?ds=$1" [PT]
<Location "/">
    MetricsCapture On
</Location>
<Location "/broken/">
    MetricsIgnore "file('/nonexistent/file') == '1'"
</Location>
<VirtualHost *>
    ServerName 127.0.0.1
    RewriteEngine On
    RewriteOptions Inherit
</VirtualHost>
<VirtualHost *>
    ServerName proxied.test
    ProxyPass / http://127.0.0.1:9/
</VirtualHost>
"""

TYPES = """
<MetricsType datasets>
    MetricsView "^/(?:app|broken)/([^/]+)$"
    MetricsCatalog datasets name=name parents=collections:collections
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)$"
    MetricsCatalog collections name=name
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
</MetricsType>
"""


@pytest.fixture(scope="module")
def site(httpd_of_file):
    httpd = httpd_of_file(CONF, types=TYPES, markers=False, modules=("rewrite", "proxy", "proxy_http"))
    httpd.file("app.html", "<p>an application</p>")
    httpd.file("broken/x", "x")
    httpd.start()
    httpd.counts.wait_for_indexes()
    for type_ in ("datasets", "collections", "files"):
        httpd.counts.db["metrics_" + type_].insert_one({"_id": "one-of-" + type_, "views": 5, "downloads": 0})
    httpd.counts.db.datasets.insert_one({"_id": "one-of-datasets", "name": "N", "collections": ["one-of-collections"]})
    # The denials of httpd itself.
    httpd.allow_log("AH01630: client denied by server configuration")
    return httpd


@pytest.mark.parametrize("address", ["/metrics/files", "/metrics/files.csv", "/metrics/files?format=csv"])
def test_a_closed_type_is_closed_under_every_address(site, address):
    answer = site.get(address)
    assert answer.status == 401
    assert "one-of-files" not in answer.text


@pytest.mark.parametrize("address", ["/metrics/collections", "/metrics/collections.csv"])
def test_what_httpd_denies_is_denied_under_every_address(site, address):
    assert site.get(address).status in (401, 403)


def test_closed_types_are_missing_in_the_report_on_all(site):
    assert [row[:2] for row in site.get("/metrics").rows[1:]] == [["datasets", "one-of-datasets"]]


def test_closed_types_are_no_parents(site):
    row = site.get("/metrics/datasets.csv").rows[1]
    assert row[:2] + row[6:] == ["one-of-datasets", "N", "", "", ""]


def test_a_rewritten_address_leads_to_the_report(site):
    assert site.get("/stats").rows[1][0] == "one-of-datasets"


def test_reports_before_a_proxy_of_everything(site):
    assert site.get("/metrics/datasets", headers={"Host": "proxied.test"}).rows[1][0] == "one-of-datasets"


def test_a_report_has_no_parts(site):
    whole = site.get("/metrics/datasets")
    part = site.get("/metrics/datasets", headers={"Range": "bytes=0-9"})
    assert (part.status, part.body, part["Content-Range"]) == (200, whole.body, None)
    assert part["Accept-Ranges"] == "none"


def test_tracking_is_refused_for_what_was_asked_whatever_it_was_rewritten_to(site):
    assert site.get("/app/hidden?tracking=false").status == 200
    assert site.get("/app/seen").status == 200
    wait_for(lambda: "seen" in site.counts.of("datasets"), what="the visit is counted")
    assert "hidden" not in site.counts.of("datasets")


def test_an_expression_that_fails_ignores(site):
    site.expect_log("MM0403: an expression of MetricsIgnore failed")
    site.expect_log("Evaluation of expression .* failed: Cannot open file")
    assert site.get("/broken/x").status == 200
    assert site.get("/app/later").status == 200
    wait_for(lambda: "later" in site.counts.of("datasets"), what="the visit is counted")
    assert "x" not in site.counts.of("datasets")
