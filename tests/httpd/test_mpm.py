"""A sample of everything under the other MPMs and as one process; `make test-mpm` runs all tests under each."""

import os
import signal

import pytest

from environment import Load
from environment.under_load import counted_for_good, kill_a_child, start_with_pages, views
from environment.waiting import wait_equal

CONF = """
<Location "/">
    MetricsCapture On
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
    MetricsAuthz expr "true"
</Location>
<Location "/closed">
    SetHandler metrics
</Location>
MaxKeepAliveRequests 0
"""
SINGLE = {"mpm": "event", "single": True}
KINDS = [{"mpm": "worker", "single": False}, {"mpm": "prefork", "single": False}]
POSTS = "/metrics/datasets/{}/views"

pytestmark = pytest.mark.sample


def name_of(kind):
    return "single" if kind["single"] else kind["mpm"]


@pytest.fixture
def site(httpd, request):
    return start_with_pages(httpd(CONF, children=2, markers=False, **request.param))


@pytest.mark.parametrize("site", [*KINDS, SINGLE], ids=name_of, indirect=True)
def test_answers_and_records(site):
    assert site.get("/datasets/id1").status == 200
    assert site.head("/datasets/id1").status == 200
    assert site.get("/datasets/none").status == 404
    assert (site.post(POSTS.format("id2")).status, site.get(POSTS.format("id2")).status) == (202, 405)
    assert site.post_lines("/metrics/events", b'{"type":"datasets","id":"id3","action":"view"}\n').status == 202
    assert site.post_lines("/metrics/events", b"nonsense\n").status == 400
    assert site.post("/closed/datasets/id2/views").status == 403
    assert (site.get("/closed/datasets").status, site.get("/metrics/unknown").status) == (401, 404)
    wait_equal(lambda: views(site), {"id1": 1, "id2": 1, "id3": 1})
    assert site.get("/metrics/datasets").rows[1][:4] == ["id1", "", "1", "0"]
    assert counted_for_good(site) == {"id1": 1, "id2": 1, "id3": 1}


@pytest.mark.parametrize("method, path", [("GET", "/datasets/{}"), ("POST", POSTS)], ids=["get", "post"])
@pytest.mark.parametrize("site", KINDS, ids=name_of, indirect=True)
def test_killed_and_reloaded_under_load(site, method, path):
    site.expect_log("MM0706: the drainer ended")
    with Load(site, path=path, method=method) as load:
        load.wait_for_more(100)
        kill_a_child(site)
        load.wait_for_more(100)
        drainer = site.drainer()
        os.kill(drainer, signal.SIGKILL)
        site.drainer(other_than=drainer)
        site.reload()
        load.wait_for_more(100)
    load.check(counted_for_good(site))


@pytest.mark.parametrize("site", [*KINDS, SINGLE], ids=name_of, indirect=True)
def test_stopped_under_load(site):
    with Load(site) as load:
        load.wait_for_more(100)
        site.restart()
        load.wait_for_more(100)
    load.check(counted_for_good(site))
