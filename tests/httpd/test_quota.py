"""MetricsMaxReports: how many reports run at once, whoever or whatever they wait for."""

import contextlib
import os
import signal
import socket
import threading

import pytest

from environment import wait_for
from test_formats import SMALL_BUFFERS, begin
from test_reports import CONF, TYPES, total, used

LIMIT = "\nMetricsMaxReports 2\n"
CLOSED = """
<Location "/closed">
    SetHandler metrics
    MetricsAuthz none
</Location>
"""


@pytest.fixture
def site(httpd):
    started = httpd(CONF + CLOSED + SMALL_BUFFERS, types=TYPES + LIMIT, markers=False, children=2).start()
    started.counts.wait_for_indexes()
    used(started, "datasets", *(total(f"{n:06}" + "x" * 1000, n + 1) for n in range(1500)))
    return started


@contextlib.contextmanager
def stalled(site, n):
    """Clients that have taken the first bytes of a report of 1.5 MB."""
    lines = []
    try:
        for _ in range(n):
            line, got = begin(site, "/metrics/datasets?parents=none")
            lines.append(line)
            assert got.startswith(b"HTTP/1.1 200 ")
        yield lines
    finally:
        for line in lines:
            line.close()


def asked(site):
    return site.get("/metrics/datasets?limit=1").status


def test_beyond_the_limit_and_below_it_again(site):
    with stalled(site, 1):
        assert asked(site) == 200
    with stalled(site, 2) as lines:
        site.expect_log("MM0605")
        refused = site.get("/metrics/datasets.json", headers={"Accept": "application/json"})
        assert (refused.status, refused["Content-Type"]) == (429, "application/problem+json")
        assert int(refused["Retry-After"]) > 0 and refused["Content-Disposition"] is None
        assert site.head("/metrics").status == 429
        assert site.get("/metrics/status").status == 200
        lines.pop().close()
        wait_for(lambda: asked(site) == 200, what="one place is free again")
    site.allow_log("MM0603")


def test_without_permission_nothing_is_told(site):
    with stalled(site, 2):
        assert (asked(site), site.get("/closed/datasets").status) == (429, 401)
    site.allow_log("MM060[35]")


@pytest.mark.parent
def test_places_of_a_killed_child_are_free(site):
    with stalled(site, 2):
        assert asked(site) == 429
        before = site.children()
        for child in before:
            os.kill(child, signal.SIGKILL)
        wait_for(lambda: set(site.children()) - set(before), what="httpd starts other children")
        wait_for(lambda: asked(site) == 200, what="the places of the dead are given away")
    site.allow_log("AH00052|MM060[35]")


def test_silent_database(httpd):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/x?serverSelectionTimeoutMS=60000&connectTimeoutMS=60000"
        site = httpd(CONF, types=TYPES + LIMIT + "MetricsDrainer Off\n", markers=False, children=2,
                     settings=f'MetricsMongoURI "{uri}"\n').start()
        waiting = [threading.Thread(target=asked, args=(site,)) for _ in range(2)]
        for thread in waiting:
            thread.start()
        silent.settimeout(30)
        lines = [silent.accept()[0] for _ in waiting]
        assert asked(site) == 429
        site.allow_log("MM060[15]")
        for line in lines:
            line.close()
    for thread in waiting:
        thread.join()
