"""Who may see what: nobody, until a provider grants it."""

import http.client
from pathlib import Path

import pytest

from environment.httpd import apxs, wait_for

EXPR = """
<Location "/unguarded">
    SetHandler metrics
</Location>
<Location "/none">
    SetHandler metrics
    MetricsAuthz none
</Location>
<Location "/known">
    SetHandler metrics
    AuthType Basic
    AuthName "reports"
    AuthUserFile "${DIR}/passwords"
    AuthBasicProvider file
    <RequireAny>
        Require valid-user
        Require all granted
    </RequireAny>
    MetricsAuthz expr "%{REMOTE_USER} == 'admin'"
</Location>
<Location "/login">
    SetHandler metrics
    AuthType Basic
    AuthName "reports"
    AuthUserFile "${DIR}/passwords"
    Require valid-user
    MetricsAuthz expr "%{REMOTE_USER} == 'admin'"
</Location>
<Location "/header">
    SetHandler metrics
    MetricsAuthz expr "%{HTTP:X-Right} == 'yes'"
</Location>
<Location "/open">
    SetHandler metrics
    MetricsAuthz expr true
</Location>
<Location "/open/files">
    MetricsAuthz none
</Location>
<Location "/open/collections">
    Require all denied
</Location>
<Location "/posting">
    SetHandler metrics
    MetricsRecord On
</Location>
"""

TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
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

PATHS = ("", "/datasets", "/datasets.csv")


def fill(httpd):
    httpd.counts.wait_for_indexes()
    db = httpd.counts.db
    db.metrics_datasets.insert_many([{"_id": id_, "views": views, "downloads": 0}
                                     for id_, views in (("d1", 4), ("secret-d", 3), ("d2", 2), ("gone", 1))])
    db.metrics_collections.insert_many([{"_id": "secret-c", "views": 9, "downloads": 0},
                                        {"_id": "c1", "views": 8, "downloads": 0}])
    db.datasets.insert_many([
        {"_id": "d1", "name": "One", "collections": ["secret-c", "c1"]},
        {"_id": "d2", "name": "Two", "collections": ["secret-c"]},
        {"_id": "secret-d", "name": "Hidden", "collections": ["c1"]}])
    db.collections.insert_many([{"_id": "c1", "name": "Shown"}, {"_id": "secret-c", "name": "Covered"}])


SECRETS = ("d1", "secret", "One", "Hidden", "Shown", "Covered", "resource_id")


def shows_nothing(answer):
    return not any(word in answer.text for word in SECRETS) and answer["Content-Disposition"] is None


@pytest.fixture(scope="module")
def site(httpd_of_file):
    httpd = httpd_of_file(EXPR, types=TYPES, markers=False,
                          modules=("auth_basic", "authn_core", "authn_file", "authz_user"))
    httpd.password_file(("admin", "a"), ("guest", "g"))
    httpd.start()
    fill(httpd)
    return httpd


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("base", ["/unguarded", "/none", "/posting"])
def test_closed_unless_a_provider_is_named(site, base, path):
    for method in ("GET", "HEAD"):
        answer = site.request(method, base + path)
        assert answer.status == 401
        assert shows_nothing(answer)


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_asked_who_it_is_and_somebody_is_refused(site, path):
    nobody = site.get("/known" + path)
    assert (nobody.status, nobody["WWW-Authenticate"]) == (401, 'Basic realm="reports"')
    assert shows_nothing(nobody)
    guest = site.get("/login" + path, user=("guest", "g"))
    assert (guest.status, guest["WWW-Authenticate"]) == (403, None)
    assert shows_nothing(guest)
    assert site.get("/login" + path, user=("admin", "a")).status == 200


def test_wrong_password_is_httpds_own_answer(site):
    site.expect_log("AH01617")
    answer = site.get("/login/datasets", user=("admin", "wrong"))
    assert answer.status == 401
    assert shows_nothing(answer)


def test_anonymous_without_any_login_configured(site):
    answer = site.get("/header/datasets")
    assert (answer.status, answer["WWW-Authenticate"]) == (401, None)
    assert shows_nothing(answer)
    assert site.get("/header/datasets", headers={"X-Right": "yes"}).rows[1][:2] == ["d1", "One"]


def test_inner_section_can_close_what_an_outer_one_opens(site):
    site.expect_log("AH01630")
    assert site.get("/open/datasets").status == 200
    assert site.get("/open/files").status == 401
    assert site.get("/open/collections").status == 403  # httpd's own Require comes first


def test_refusal_in_the_form_that_is_accepted(site):
    answer = site.get("/unguarded/datasets", headers={"Accept": "application/problem+json"})
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status, answer.json["status"]) == (401, 401)


def test_permission_to_record_is_not_permission_to_read_and_the_other_way_round(site):
    assert site.post("/posting/files/f1/views").status == 202
    assert site.get("/posting/files").status == 401
    assert site.post("/open/files/f1/views").status == 403


# --- a provider of another module ---

PROVIDERS = """
LoadModule %s
<Location "/example">
    SetHandler metrics
    MetricsAuthz example ada
</Location>
<Location "/error">
    SetHandler metrics
    MetricsAuthz example-error
</Location>
<Location "/late">
    SetHandler metrics
    MetricsAuthz example-error late
</Location>
<Location "/abi">
    SetHandler metrics
    MetricsAuthz example-abi
</Location>
<Location "/odd">
    SetHandler metrics
    MetricsAuthz example-odd
</Location>
<Location "/old">
    SetHandler metrics
    MetricsAuthz example-old ada
</Location>
<Location "/new">
    SetHandler metrics
    MetricsAuthz example-new
</Location>
<Location "/slow">
    SetHandler metrics
    MetricsAuthz example-slow
</Location>
<Location "/later">
    SetHandler metrics
    MetricsAuthz example-later
</Location>
<Location "/narrow">
    SetHandler metrics
    MetricsAuthz example-narrow d1 gone no-such
</Location>
<Location "/narrow-none">
    SetHandler metrics
    MetricsAuthz example-narrow
</Location>
<Location "/narrow-many">
    SetHandler metrics
    MetricsAuthz example-narrow many
</Location>
<Location "/narrow-error">
    SetHandler metrics
    MetricsAuthz example-narrow error
</Location>
<Location "/pairs">
    SetHandler metrics
    MetricsAuthz example-pairs
</Location>
MetricsAuthzTimeout 0.5
<Location "/unknown">
    SetHandler metrics
    MetricsAuthz no-such-provider "with arguments"
</Location>
"""


@pytest.fixture(scope="module")
def guarded(httpd_of_file, example_module):
    httpd = httpd_of_file(PROVIDERS % example_module, types=TYPES, markers=False)
    # At the first start, and again at every reload.
    httpd.allow_log(r"MM0501: MetricsAuthz example-abi .*stay closed")
    httpd.allow_log(r"MM0501: MetricsAuthz example-new .*stay closed")
    httpd.allow_log(r"MM0502: MetricsAuthz no-such-provider .*known are: .*example.*stay closed")
    httpd.start()
    fill(httpd)
    return httpd


ADA = {"X-Requester": "ada"}


def new_lines(httpd, offset):
    return [line.split("example ", 1)[1].split(", referer")[0] for line in httpd.log_text()[offset:].splitlines()
            if "[example_authz:info]" in line]


def test_example_hides_rows_and_parents(guarded):
    assert [row[:3] + row[6:] for row in guarded.get("/example/datasets", headers=ADA).rows[1:]] == [
        ["d1", "One", "4", "collections", "c1", "Shown"], ["d2", "Two", "2", "", "", ""], ["gone", "", "1", "", "", ""]]
    assert [row[:2] for row in guarded.get("/example/collections", headers=ADA).rows[1:]] == [["c1", "Shown"]]
    assert [row[:2] for row in guarded.get("/example", headers=ADA).rows[1:]] == [
        ["datasets", "d1"], ["datasets", "d2"], ["datasets", "gone"], ["collections", "c1"]]


def test_limit_counts_the_rows_that_may_be_seen(guarded):
    def ids(query):
        return [row[0] for row in guarded.get(f"/example/datasets?{query}", headers=ADA).rows[1:]]

    assert ids("limit=2") == ["d1", "d2"]
    assert ids("offset=1&limit=1") == ["d2"]


def test_example_refuses_others(guarded):
    assert guarded.get("/example/datasets").status == 401
    answer = guarded.get("/example/datasets", headers={"X-Requester": "bob"})
    assert answer.status == 403
    assert shows_nothing(answer)


def test_every_open_has_its_close(guarded):
    offset = len(guarded.log_text())
    guarded.get("/example/datasets", headers=ADA)
    guarded.get("/example", headers={"X-Requester": "bob"})
    wait_for(lambda: new_lines(guarded, offset).count("close") == 2, what="both sessions are closed")
    lines = new_lines(guarded, offset)
    assert [line for line in lines if line.startswith("open")] == [
        "open type=datasets id=- per_user=0 kind=totals parent=-:-", "open type=- id=- per_user=0 kind=totals parent=-:-"]
    assert "see type=datasets n=4 first=d1" in lines
    assert lines[-1] == "close"


@pytest.mark.parametrize("base", ["/error", "/late"])
@pytest.mark.parametrize("path", ["", "/datasets"])
def test_error_of_a_provider_shows_nothing(guarded, base, path):
    # The second of these is said once a minute.
    guarded.expect_log("MM0504") if base == "/error" else guarded.allow_log("MM0601: .*MetricsAuthz example-error")
    answer = guarded.get(base + path)
    assert answer.status == 503
    assert answer["Retry-After"] is not None
    assert shows_nothing(answer)


@pytest.mark.parametrize("path", ["", "/datasets"])
def test_verdict_that_is_neither_is_a_denial(guarded, path):
    odd = guarded.get("/odd" + path, headers={"X-Odd": "1"})
    assert odd.status == 401
    assert shows_nothing(odd)
    answer = guarded.get("/odd" + path)
    assert (answer.status, len(answer.rows)) == (200, 1)  # granted, but no row of it


@pytest.mark.parametrize("base", ["/abi", "/new", "/unknown"])
@pytest.mark.parametrize("path", ["", "/datasets"])
def test_provider_that_cannot_be_used_keeps_reports_closed(guarded, base, path):
    answer = guarded.get(base + path)
    assert answer.status == 503
    assert shows_nothing(answer)


def test_what_cannot_be_used_is_said_at_the_start(guarded):
    log = guarded.log_text()
    assert "MM0501: MetricsAuthz example-abi" in log
    assert "MM0502: MetricsAuthz no-such-provider" in log


def test_provider_of_the_first_header_does_what_it_did(guarded):
    assert [row[0] for row in guarded.get("/old/datasets", headers=ADA).rows[1:]] == ["d1", "d2", "gone"]
    assert guarded.get("/old/datasets").status == 401
    guarded.counts.db.metrics_users.insert_one(
        {"_id": "old", "type": "collections", "resource": "c1", "user": "secret-eve", "views": 1, "downloads": 0})
    assert len(guarded.get("/old/collections/users", headers=ADA).rows) == 1


def test_answer_that_comes_too_late_is_none(guarded):
    """Whether it is a second or thirty makes no difference to what is shown."""
    offset = len(guarded.log_text())
    assert len(guarded.get("/slow/datasets").rows) == 5
    assert "patience=500" in new_lines(guarded, offset)[0]
    guarded.expect_log("MM0504: MetricsAuthz example-slow took .* more than MetricsAuthzTimeout allows")
    guarded.allow_log("MM0601: .*MetricsAuthz example-slow took")
    for header in ("X-Slow", "X-Slow-See"):
        answer = guarded.get("/slow/datasets", headers={header: "600"})
        assert answer.status == 503
        assert shows_nothing(answer)


@pytest.mark.parametrize("then", ["error", "600", "garbage"])
def test_provider_that_goes_wrong_after_rows_were_sent(guarded, then):
    """The transfer breaks, so that nobody takes it for the whole; or rows are missing of which nobody said yes."""
    totals = guarded.counts.db.metrics_files
    totals.insert_many([{"_id": f"later{n:04}" + "x" * 200, "views": 1, "downloads": 0} for n in range(1200)])
    guarded.allow_log("MM0603: report broken off: MetricsAuthz example-later")
    try:
        assert len(guarded.get("/later/files").rows) == 1201
        if then == "garbage":
            assert len(guarded.get("/later/files", headers={"X-Then": then}).rows) == 501
        else:
            with pytest.raises(http.client.IncompleteRead) as broken:
                guarded.get("/later/files", headers={"X-Then": then})
            assert 0 < broken.value.partial.count(b"later") <= 500
    finally:
        totals.delete_many({"_id": {"$regex": "^later"}})


def test_provider_can_narrow_a_report_before_it_is_read(guarded):
    def ids(path):
        return [row[0] for row in guarded.get(path).rows[1:]]

    assert ids("/narrow/datasets") == ["d1", "gone"]
    assert ids("/narrow/datasets?sort=resource_id&order=desc&limit=1") == ["gone"]
    assert ids("/narrow/datasets/d2") == ["d2"]  # is about one already, and this provider lets everything pass
    assert ids("/narrow-none/datasets") == []
    late = guarded.get("/narrow/datasets", headers={"X-Slow-Narrow": "600"})
    assert [row[0] for row in late.rows[1:]] == ["d1", "secret-d", "d2", "gone"]
    assert ids("/narrow-many/datasets") == ["d1", "secret-d", "d2", "gone"]
    guarded.allow_log("MM0601: .*MetricsAuthz example-narrow")
    assert guarded.get("/narrow-error/datasets").status == 503


def test_people_can_depend_on_what_they_are_named_with(guarded):
    guarded.counts.db.metrics_users.insert_many(
        [{"_id": f"pair{n}", "type": "files", "resource": resource, "user": user, "views": 1, "downloads": 0}
         for n, (resource, user) in enumerate([("alpha", "ada"), ("beta", "ada"), ("beta", "bob"), ("alpha", "bob")])])
    assert [row[0:3:2] for row in guarded.get("/pairs/files/users?sort=resource_id").rows[1:]] == [
        ["alpha", "ada"], ["beta", "bob"]]


@pytest.mark.parent
def test_provider_of_a_module_that_is_loaded_later(httpd, example_module):
    """MetricsAuthz is read before LoadModule of its provider."""
    before = '<Location "/example">\nSetHandler metrics\nMetricsAuthz example ada\n</Location>\n'
    site = httpd(before + f"LoadModule {example_module}\n", types=TYPES, markers=False).start()
    fill(site)
    assert len(site.get("/example/datasets", headers=ADA).rows) == 4
    assert site.get("/example/datasets").status == 401
    site.reload()
    wait_for(lambda: len(site.get("/example/datasets", headers=ADA).rows) == 4, what="granted after a reload")


def test_apxs_is_the_one_of_this_httpd():
    assert Path(apxs("INCLUDEDIR"), "httpd.h").is_file()
