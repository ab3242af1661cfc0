"""/metrics/status and metricsctl status: the numbers are those of what was done, for whoever may see them."""

import json
import os
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from environment import wait_for
from environment.httpd import BUILD, SETTINGS
from environment.waiting import wait_equal

CONF = """
<Location "/">
    MetricsCapture On
</Location>
RewriteEngine On
RewriteRule "^/collections/" "/page"
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr true
    MetricsRecord On
</Location>
"""

ROBOT = """
<Location "/datasets/robot">
    MetricsAgent robot true
</Location>
"""

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture
def site(httpd):
    made = httpd(CONF + ROBOT, markers=False, modules=["rewrite"])
    for name in ("one", "two", "robot"):
        made.file(f"datasets/{name}", name)
    made.file("page", "page")
    return made


def status(site):
    answer = site.get("/metrics/status")
    assert answer.status == 200, answer.text
    return answer.json


def families(text):
    """As strictly as a Prometheus: {name: family}."""
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(text):
    return {(sample.name, *sorted(sample.labels.values())): sample.value
            for family in families(text).values() for sample in family.samples}


def metricsctl(*arguments):
    return subprocess.run([str(BUILD / "metricsctl"), "status", *map(str, arguments)], capture_output=True, text=True,
                          timeout=30)


def visit_both_children(site):
    """Visits until each child has a segment; how many."""
    visits = 0
    while len(site.segments()) < 2:
        assert visits < 2000, "one child answers everything"
        assert site.get("/datasets/one").status == 200
        visits += 1
    return visits


def test_numbers_are_those_of_what_was_done(site):
    site.start()
    site.counts.wait_for_indexes()
    fresh = status(site)
    assert fresh["events_seen"] == 0 and fresh["last_batch_timestamp_seconds"] is None
    for _ in range(3):
        site.get("/datasets/one")
    site.get("/datasets/nothing")
    site.head("/datasets/one")
    site.get("/datasets/robot")
    site.get("/datasets/one?tracking=false")
    site.get("/collections/" + "x" * 1025)
    assert site.post("/metrics/datasets/two/views").status == 202
    assert site.post_lines("/metrics/events", *[{"type": "datasets", "id": "two", "action": "view"}] * 4).status == 202
    wait_equal(lambda: status(site)["events_counted"], 8)
    now = wait_for(lambda: (lambda s: s["spool_bytes"] == 0 and s["last_batch_timestamp_seconds"] and s)(status(site)))
    assert now["events_recorded"] == {"request": 6, "reported": 5}
    assert now["events_read"] == 11 and now["events_seen"] == 13
    assert now["events_ignored"]["status"] == 1
    assert now["events_ignored"]["method"] == 1
    assert now["events_ignored"]["robot"] == 1
    assert now["events_ignored"]["directive"] == 1
    assert now["events_dropped"] == {"full": 0, "no_room": 0, "error": 0, "invalid": 1}
    assert now["batches"] >= 1 and now["documents"]["written"] >= 2 and now["documents"]["rejected"] == 0
    assert now["database_errors"] == 0 and now["reports_failed"] == 0
    assert (now["drainer_starts"], now["drainer_restarts"], now["drainer_running"]) == (1, 0, True)
    assert now["version"] == "0.1.0" and now["covers"] == "spool"


@pytest.mark.parent
def test_children_are_summed_and_a_restart_keeps_the_numbers(httpd):
    site = httpd(CONF, children=2, markers=False, modules=["rewrite"], settings=SETTINGS + "MetricsDrainer Off\n")
    site.file("datasets/one", "one")
    site.start()
    visits = visit_both_children(site)
    answers = [status(site) for _ in range(20)]  # whichever child answers
    assert {answer["events_seen"] for answer in answers} == {visits}
    assert {answer["drainer_running"] for answer in answers} == {False}
    assert answers[0]["spool_bytes"] > 50 * visits and answers[-1]["spool_oldest_seconds"] > 0
    site.restart()
    assert site.get("/datasets/one").status == 200
    assert status(site)["events_recorded"] == {"request": visits + 1, "reported": 0}
    site.reload()
    assert site.get("/datasets/one").status == 200
    wait_equal(lambda: status(site)["events_recorded"]["request"], visits + 2)


def test_a_spool_that_cannot_be_written_is_counted(site):
    site.start()
    site.drainer()
    mode = site.spool.stat().st_mode
    site.spool.chmod(0o500)
    site.allow_log("MM0402|MM0206|MM0207")
    try:
        for _ in range(3):
            assert site.get("/datasets/one").status == 200
        assert site.post("/metrics/datasets/one/views").status == 503
        now = status(site)
    finally:
        site.spool.chmod(mode)
    assert now["events_dropped"] == {"full": 0, "no_room": 0, "error": 4, "invalid": 0}
    assert now["events_seen"] == 4 and now["events_recorded"] == {"request": 0, "reported": 0}


def test_openmetrics(site):
    site.start()
    site.get("/datasets/one")
    wait_for(lambda: status(site)["last_batch_timestamp_seconds"])
    prometheus = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"}
    answer = site.get("/metrics/status", headers=prometheus)
    assert answer.status == 200 and answer["Content-Type"] == OPENMETRICS and answer["Cache-Control"] == "no-store"
    assert answer.text.endswith("\n# EOF\n")
    found = families(answer.text)
    assert found["mod_metrics_events_seen"].type == "counter"
    assert found["mod_metrics_build"].type == "info"
    assert found["mod_metrics_spool_bytes"].unit == "bytes"
    assert found["mod_metrics_last_batch_timestamp_seconds"].unit == "seconds"
    for name, family in found.items():
        assert family.documentation and (not family.unit or name.endswith("_" + family.unit))
        assert family.samples
    values = samples(answer.text)
    assert values["mod_metrics_events_recorded_total", "request"] == 1
    assert values["mod_metrics_events_counted_total",] == 1
    assert values["mod_metrics_events_ignored_total", "robot"] == 0
    assert values["mod_metrics_drainer_running",] == 1
    # The same numbers under the same names as in JSON.
    names = {"mod_metrics_" + name for name in status(site)} - {"mod_metrics_version", "mod_metrics_covers"}
    assert names == set(found) - {"mod_metrics_build"}


@pytest.mark.parametrize("path, accept, kind", [
    ("/metrics/status", None, "application/json"),
    ("/metrics/status", "*/*", "application/json"),
    ("/metrics/status", "application/json, application/openmetrics-text;q=0.5", "application/json"),
    ("/metrics/status", "application/json, application/openmetrics-text", OPENMETRICS),
    ("/metrics/status", "application/openmetrics-text;q=0", "application/json"),
    ("/metrics/status", "application/openmetrics-textile", "application/json"),
    ("/metrics/status", "text/plain;q=0.5 , APPLICATION/OpenMetrics-Text", OPENMETRICS),
    ("/metrics/status.json", "application/openmetrics-text", "application/json"),
    ("/metrics/status?format=openmetrics", "application/json", OPENMETRICS),
    ("/metrics/status?format=json", None, "application/json"),
])
def test_formats(shared, path, accept, kind):
    answer = shared.get(path, headers={"Accept": accept} if accept else {})
    assert (answer.status, answer["Content-Type"]) == (200, kind)
    assert answer["Vary"] == "Accept"
    head = shared.head(path, headers={"Accept": accept} if accept else {})
    assert (head.status, head["Content-Type"], head.body) == (200, kind, b"")


@pytest.fixture(scope="module")
def shared(httpd_of_file):
    return httpd_of_file(CONF, markers=False, modules=["rewrite"]).start()


def test_wrong_requests(shared):
    assert shared.get("/metrics/status?format=csv").status == 406
    assert shared.get("/metrics/status.xml").status == 406
    assert shared.get("/metrics/status.json?format=openmetrics").status == 400
    answer = shared.get("/metrics/status?limit=1")
    assert answer.status == 400 and "there are: format" in answer.text
    assert shared.get("/metrics/status/").status == 404
    answer = shared.post("/metrics/status")
    assert answer.status == 405 and answer.allowed == {"GET", "HEAD"}


GUARDED = """
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr true
    AuthType Basic
    AuthName "usage"
    AuthUserFile "${DIR}/passwords"
    Require valid-user
</Location>
<Location "/metrics/status">
    MetricsAuthz expr "%{REMOTE_USER} == 'operator'"
</Location>
<Location "/closed">
    SetHandler metrics
</Location>
<Location "/denied">
    SetHandler metrics
    MetricsAuthz expr true
</Location>
<Location "/denied/status">
    Require all denied
</Location>
"""


def test_permission(httpd):
    site = httpd(GUARDED, modules=("auth_basic", "authn_core", "authn_file", "authz_user"), markers=False)
    site.password_file(("operator", "one"), ("ada", "two"))
    site.allow_log("AH01630")  # denied by Require
    site.start()
    for path in ("/metrics/status", "/metrics/status.json", "/metrics/status?format=openmetrics"):
        answer = site.get(path)
        assert answer.status == 401 and "events" not in answer.text
        assert site.get(path, user=("ada", "two")).status == 403, path
        assert site.get(path, user=("operator", "one")).status == 200, path
    site.counts.wait_for_indexes()
    assert site.get("/metrics", user=("ada", "two")).status == 200  # what the section does not close stays open
    assert site.get("/closed/status").status == 401
    assert site.get("/denied/status").status == 403
    assert site.get("/denied/status.json").status == 401


def test_works_without_a_database_and_tells_of_it(httpd):
    uri = "mongodb://secret-user:secret@127.0.0.1:1/nothing?serverSelectionTimeoutMS=300&connectTimeoutMS=300"
    site = httpd(CONF, markers=False, modules=["rewrite"], mongo_uri=uri)
    site.file("datasets/curious-id", "one")
    site.allow_log("MM0206|MM0601")
    site.start()
    assert site.get("/datasets/curious-id").status == 200
    assert site.get("/metrics/datasets").status == 503
    # A visit in the instant in which the drainer looks may be missing in spool_bytes until it looks again.
    now = wait_for(lambda: (lambda s: s["database_errors"] > 0 and s["spool_bytes"] > 0 and s)(status(site)))
    assert now["events_seen"] == 1 and now["reports_failed"] == 1
    assert now["drainer_running"] is True
    for kind in ("json", "openmetrics"):
        text = site.get(f"/metrics/status?format={kind}").text
        assert not any(word in text for word in ("secret", "mongodb:", "/tmp", "curious-id")), text


@pytest.mark.parent
def test_a_drainer_that_is_replaced_is_counted(site):
    site.start()
    first = site.drainer()
    wait_equal(lambda: status(site)["drainer_starts"], 1)
    site.expect_log("MM0706")
    os.kill(first, 9)
    site.drainer(other_than=first)
    wait_equal(lambda: (status(site)["drainer_starts"], status(site)["drainer_restarts"]), (2, 1))


def test_metricsctl_tells_the_same(site):
    site.start()
    site.get("/datasets/one")
    wait_for(lambda: status(site)["last_batch_timestamp_seconds"])
    wait_equal(lambda: status(site)["spool_bytes"], 0)
    moving = {"spool_emptied_timestamp_seconds"}
    told = json.loads(metricsctl("--json", "--spool", site.spool).stdout)
    assert {k: v for k, v in told.items() if k not in moving} == \
           {k: v for k, v in status(site).items() if k not in moving}
    values = samples(metricsctl("--openmetrics", "--spool", site.spool).stdout)
    assert values["mod_metrics_events_counted_total",] == 1
    text = metricsctl("--spool", site.spool).stdout
    assert any(line.split() == ["drainer_running", "yes"] for line in text.splitlines()), text
    site.stop()
    told = json.loads(metricsctl("--json", "--spool", site.spool).stdout)
    assert told["drainer_running"] is False and told["events_counted"] == 1


def test_metricsctl_without_a_spool(tmp_path):
    nothing = metricsctl("--spool", tmp_path / "nothing")
    assert nothing.returncode == 1 and "nothing" in nothing.stderr and not nothing.stdout
    assert metricsctl("--spool", tmp_path).returncode == 1
    assert metricsctl().returncode == 2
    assert metricsctl("--json", "--openmetrics", "--spool", tmp_path).returncode == 2
    assert metricsctl("--spool", tmp_path, "more").returncode == 2
    assert metricsctl("--xml", "--spool", tmp_path).returncode == 2


def test_a_damaged_page_does_not_keep_httpd_from_recording(site):
    site.start()
    site.drainer()
    site.stop()
    (site.spool / "status").write_bytes(b"rubbish")
    site.expect_log("MM0709")
    site.start()
    site.get("/datasets/one")
    site.counts.wait("datasets", {"one": (1, 0)})
    assert status(site)["events_seen"] == 1


@pytest.mark.parent
def test_without_the_page_one_httpd_counts_together(httpd):
    """The page cannot be written: its children and its drainer share memory instead."""
    site = httpd(CONF, children=2, markers=False, modules=["rewrite"])
    site.file("datasets/one", "one")
    site.start()
    site.drainer()
    site.stop()
    (site.spool / "status").chmod(0o400)
    site.expect_log("MM0213")
    site.start()
    visits = visit_both_children(site)
    site.counts.wait("datasets", {"one": (visits, 0)})
    for _ in range(20):
        now = status(site)
        assert (now["covers"], now["events_seen"], now["drainer_starts"]) == ("httpd", visits, 1)
    site.reload()
    assert site.get("/datasets/one").status == 200
    wait_equal(lambda: status(site)["events_seen"], visits + 1)
    wait_equal(lambda: status(site)["drainer_starts"], 2)
    assert json.loads(metricsctl("--json", "--spool", site.spool).stdout)["events_seen"] == 0
