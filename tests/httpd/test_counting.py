"""Double-clicks, unique uses and days, from POST and visits to documents, across restarts of the drainer."""

import os
import random
import signal
from datetime import datetime, timedelta, timezone

import pytest

from environment.httpd import SETTINGS
from environment.waiting import wait_equal

CONF = """
<Location "/">
    MetricsCapture On
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr true
    MetricsRecord On
</Location>
"""
NOON = (datetime.now(timezone.utc) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
COUNTERS = ("views", "downloads", "unique_views", "unique_downloads", "unique_investigations")


@pytest.fixture
def site(httpd):
    site = httpd(CONF, settings=SETTINGS.replace("MetricsDoubleClick 0", "MetricsDoubleClick 30"))
    site.file("datasets/one", "one")
    site.start()
    site.markers.settle()  # a visit of today: what is posted of yesterday is remembered for an hour from here
    return site


def click(id_, seconds, **more):
    time = (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": "datasets", "id": id_, "action": "view", "session": "s", "time": time, **more}


def post(site, *clicks):
    answer = site.post_lines("/metrics/events", *clicks)
    assert answer.status == 202, answer.text


def sums(collection, query=None):
    found = list(collection.find(query or {}))
    return tuple(sum(doc.get(name, 0) for doc in found) for name in COUNTERS)


def of(site, id_):
    return sums(site.counts.db.metrics_datasets, {"_id": id_})


def test_audit(site):
    """COUNTER 5.1, E.2.3: 30 items clicked twice, 15 within 30 s and 15 beyond; 100 items once."""
    twice = [click(f"t{n}", second) for n in range(30) for second in (0, 10 if n < 15 else 35)]
    once = [click(f"o{n}", 0) for n in range(100)]
    post(site, *twice)
    post(site, *once)
    site.markers.settle()
    totals = site.counts.db.metrics_datasets
    assert sums(totals, {"_id": {"$regex": "^t"}}) == (45, 0, 30, 0, 30)
    assert sums(totals, {"_id": {"$regex": "^o"}}) == (100, 0, 100, 0, 100)
    assert sums(site.counts.db.metrics_days, {"type": "datasets"}) == (145, 0, 130, 0, 130)


def test_a_visitor_who_clicks_twice(site):
    for _ in range(3):
        assert site.get("/datasets/one", headers={"User-Agent": "Mozilla/5.0"}).status == 200
    site.markers.settle()
    assert of(site, "one") == (1, 0, 1, 0, 1)
    assert site.get("/datasets/one", headers={"User-Agent": "Mozilla/4.0"}).status == 200
    site.markers.settle()
    assert of(site, "one") == (2, 0, 2, 0, 2)
    status = site.get("/metrics/status").json
    assert status["events_ignored"]["double_click"] == 2


def kill_drainer(site):
    before = site.drainer()
    os.kill(before, signal.SIGKILL)
    site.drainer(other_than=before)


@pytest.mark.parent
def test_a_chain_goes_on_behind_a_drainer_that_was_killed(site):
    site.allow_log("MM0706")
    for second in (0, 20, 40, 60):
        post(site, click("chain", second), click("pair", second))
        site.markers.settle()
        assert of(site, "chain") == (1, 0, 1, 0, 1)
        if second in (0, 40):
            kill_drainer(site)
    post(site, click("chain", 95))
    site.markers.settle()
    assert of(site, "chain") == (2, 0, 1, 0, 1)
    document = site.counts.db.metrics_datasets.find_one({"_id": "chain"})
    assert document["last_viewed"].replace(tzinfo=timezone.utc) == NOON + timedelta(seconds=95)
    assert document["first_seen"].replace(tzinfo=timezone.utc) == NOON


def test_days(site):
    midnight = 12 * 3600 - 86400
    post(site, click("d", midnight - 1, user="ada"), click("d", midnight + 3600), click("d", midnight + 3600, user="ada"))
    site.markers.settle()
    post(site, click("d", midnight + 10, user="ada", action="download"))
    post(site, click("d", midnight + 1, user="ada"))  # takes the use of yesterday with it
    site.markers.settle()
    days = {(doc["day"].replace(tzinfo=timezone.utc), doc.get("user")): tuple(doc.get(name, 0) for name in COUNTERS)
            for doc in site.counts.db.metrics_days.find({"resource": "d"})}
    today = NOON + timedelta(seconds=midnight)
    assert days == {(today, None): (1, 0, 1, 0, 1), (today, "ada"): (2, 1, 2, 1, 2),
                    (today - timedelta(days=1), "ada"): (0, 0, 0, 0, 0)}
    assert of(site, "d") == (3, 1, 3, 1, 3)


@pytest.mark.parametrize("seed", range(3))
def test_any_order_gives_the_same(site, seed):
    """In many small batches, while the drainer works, against an oracle."""
    chance = random.Random(seed)
    times = {(session, chance.randrange(0, 1200)) for session in "abc" for _ in range(60)}
    expected = sum(not any(other == session and second < later <= second + 30 for other, later in times)
                   for session, second in times)
    clicks = [click("x", second, session=session) for session, second in times]
    chance.shuffle(clicks)
    while clicks:
        n = chance.randrange(1, 12)
        post(site, *clicks[:n])
        del clicks[:n]
    site.markers.settle()
    wait_equal(lambda: of(site, "x"), (expected, 0, 3, 0, 3))
