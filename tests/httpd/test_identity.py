"""Which resource a request is about, when httpd answers with something else than what was asked for."""

import pytest

from environment import Backend

CONF = """
<Location "/">
    MetricsCapture On
</Location>
<Directory "${{DOCROOT}}">
    Options +Includes +FollowSymLinks
    DirectoryIndex index.html
</Directory>
<Files "*.shtml">
    SetOutputFilter INCLUDES
    ForceType text/html
</Files>

RewriteEngine On
RewriteRule "^/d/([^/]+)$" "/hidden/$1.html" [PT]
RewriteRule "^/short/([^/]+)$" "/datasets/$1" [PT]
RewriteRule "^/moved/([^/]+)$" "/datasets/$1" [R=302]

# In a directory's context mod_rewrite makes an internal redirect, a request of its own.
<Directory "${{DOCROOT}}/named">
    RewriteEngine On
    RewriteBase "/named/"
    RewriteRule "^(.*)$" "/datasets/$1" [L]
</Directory>

ErrorDocument 404 /datasets/sorry
<Location "/plain">
    ErrorDocument 404 /datasets/one
</Location>

ProxyPass "/app/" "http://127.0.0.1:{backend}/internal/"
ProxyPassReverse "/app/" "http://127.0.0.1:{backend}/internal/"
<Location "/app/denied">
    Require all denied
</Location>
"""

TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsView "^/d/([^/]+)$"
    MetricsView "^/short/([^/]+)$"
    MetricsView "^/named/([^/]+)$"
    MetricsView "^/moved/([^/]+)$"
    MetricsView "^/app/datasets/([^/]+)$"
    MetricsDownload "^/app/datasets/([^/]+)/download$"
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)/$"
    MetricsView "^/collections/([^/]+)/index\\.html$"
</MetricsType>
<MetricsType files>
    MetricsView "^/hidden/([^/]+)\\.html$"
    MetricsView "^/internal/(.+)$"
</MetricsType>
"""


@pytest.fixture(scope="module")
def backend():
    application = Backend()
    yield application
    application.close()


@pytest.fixture(scope="module")
def server(httpd_of_file, backend):
    httpd = httpd_of_file(CONF.format(backend=backend.port), types=TYPES,
                          modules=("dir", "rewrite", "include", "proxy", "proxy_http"))
    for name in ("one", "two", "sorry", "inc"):
        httpd.file(f"datasets/{name}", f"<h1>{name}</h1>")
    httpd.file("datasets/page.shtml",
               '<!--#include virtual="/datasets/inc" --><!--#include virtual="/datasets/two" -->')
    httpd.file("hidden/one.html", "hidden")
    httpd.file("collections/c1/index.html", "collection")
    httpd.file("named/.keep", "")
    return httpd.start()


@pytest.fixture
def site(server, backend):
    server.markers.forget()
    backend.seen.clear()
    return server


def counted(site):
    """{type: {id: (views, downloads)}} of the types that have any."""
    site.markers.settle()
    return {type_: totals for type_ in ("datasets", "collections", "files") for totals in [site.counts.of(type_)]
            if totals}


def test_directory_index_counts_as_the_directory(site):
    assert site.get("/collections/c1/").text == "collection"
    assert counted(site) == {"collections": {"c1": (1, 0)}}


def test_redirect_to_the_slash_is_not_counted_but_its_target_is(site):
    assert site.get("/collections/c1").status == 301
    assert counted(site) == {}


def test_rewrite_passed_through_counts_as_what_was_asked_for(site):
    assert site.get("/d/one").text == "hidden"
    assert site.get("/short/two").text == "<h1>two</h1>"
    assert counted(site) == {"datasets": {"one": (1, 0), "two": (1, 0)}}


def test_rewrite_in_a_directory_counts_once(site):
    assert site.get("/named/two").text == "<h1>two</h1>"
    assert counted(site) == {"datasets": {"two": (1, 0)}}


def test_external_redirect_counts_only_where_it_leads(site):
    assert site.get("/moved/one").status == 302
    assert counted(site) == {}


def test_error_document_does_not_make_a_use_of_an_error(site):
    answer = site.get("/datasets/missing")
    assert (answer.status, answer.text) == (404, "<h1>sorry</h1>")
    assert site.get("/plain/missing").status == 404
    assert site.get("/named/missing").status == 404
    assert counted(site) == {}


def test_included_pages_are_not_uses(site):
    assert site.get("/datasets/page.shtml").text == "<h1>inc</h1><h1>two</h1>"
    assert counted(site) == {"datasets": {"page.shtml": (1, 0)}}


def test_application_behind_a_proxy(site, backend):
    assert site.get("/app/datasets/d%201").status == 200
    assert site.get("/app/datasets/d%201/download").status == 200
    assert site.get("/app/datasets/gone?status=404").status == 404
    assert site.get("/app/datasets/broken?status=500").status == 500
    assert site.head("/app/datasets/two").status == 200
    assert [path.split("?")[0] for path in backend.seen] == [
        "/internal/datasets/d%201", "/internal/datasets/d%201/download", "/internal/datasets/gone",
        "/internal/datasets/broken", "/internal/datasets/two"]
    assert counted(site) == {"datasets": {"d 1": (1, 1)}}


def test_refused_before_the_proxy(site, backend):
    site.expect_log("AH01630")
    assert site.get("/app/denied").status == 403
    assert backend.seen == []
    assert counted(site) == {}
