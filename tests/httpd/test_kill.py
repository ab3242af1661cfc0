"""Exactly once, while processes die and reload under load."""

import os
import signal

import pytest

from environment import Load, wait_for
from environment.under_load import counted_for_good, kill_a_child, start_with_pages, views
from environment.waiting import wait_equal

CONF = """
<Location "/">
    MetricsCapture On
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
</Location>
MaxKeepAliveRequests 0
"""


@pytest.fixture
def site(httpd):
    return start_with_pages(httpd(CONF, children=2, markers=False))


def test_load_alone_is_counted_exactly(site):
    with Load(site) as load:
        load.wait_for_more(1000)
    wait_equal(lambda: views(site), dict(load.certain))
    assert load.uncertain == {}
    assert counted_for_good(site) == dict(load.certain)


@pytest.mark.parent
def test_children_killed_under_load(site):
    with Load(site) as load:
        for _ in range(3):
            load.wait_for_more(100)
            kill_a_child(site)
        load.wait_for_more(100)
    assert sum(load.uncertain.values()) > 0, "no request was under way when a child was killed"
    load.check(counted_for_good(site))


@pytest.mark.parent
def test_children_killed_while_events_are_posted(site):
    """202 means that the event is in the spool, whatever becomes of the child a moment later."""
    with Load(site, path="/metrics/datasets/{}/views", method="POST") as load:
        for _ in range(3):
            load.wait_for_more(100)
            kill_a_child(site)
        load.wait_for_more(100)
    load.check(counted_for_good(site))


@pytest.mark.parent
def test_drainer_killed_under_load(site):
    site.expect_log("MM0706: the drainer ended")
    with Load(site) as load:
        for _ in range(2):
            drainer = site.drainer()
            load.wait_for_more(100)
            os.kill(drainer, signal.SIGKILL)
            site.drainer(other_than=drainer)
        load.wait_for_more(100)
    assert load.uncertain == {}
    wait_equal(lambda: views(site), dict(load.certain))
    assert counted_for_good(site) == dict(load.certain)


@pytest.mark.parent
def test_graceful_reload_under_load(site):
    with Load(site, keep_alive=False) as load:
        for _ in range(3):
            load.wait_for_more(100)
            site.reload()
        load.wait_for_more(100)
    assert load.uncertain == {}, "a graceful reload broke a request"
    wait_equal(lambda: views(site), dict(load.certain))
    assert counted_for_good(site) == dict(load.certain)


@pytest.mark.parent
def test_children_recycled_under_load(site):
    """MaxConnectionsPerChild: children come and go all the time."""
    site.write_conf(CONF + "MaxConnectionsPerChild 20\n")
    site.restart()
    seen = set(site.children())
    with Load(site, keep_alive=False) as load:
        wait_for(lambda: seen.update(site.children()) or len(seen) > 3 * site.child_count, what="children are recycled")
        load.wait_for_more(100)
    assert load.uncertain == {}
    wait_equal(lambda: views(site), dict(load.certain))
    assert counted_for_good(site) == dict(load.certain)


def test_stopped_and_started_under_load(site):
    with Load(site) as load:
        for _ in range(2):
            load.wait_for_more(100)
            site.restart()
        load.wait_for_more(100)
    load.check(counted_for_good(site))


def test_everything_killed_at_once(site):
    """Parent, children and drainer, as a machine's power does (its disk's cache aside)."""
    site.expect_log("AH00098: pid file .* overwritten")
    with Load(site) as load:
        load.wait_for_more(300)
        for pid in [site.pid, *site.kill_parent()]:
            if pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        site.start()
        load.wait_for_more(100)
    load.check(counted_for_good(site))
