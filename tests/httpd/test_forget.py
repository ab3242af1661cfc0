"""metricsctl forget-user: the person goes, every sum stays, and counting goes on."""

import os
import subprocess
import threading

import pytest

from environment import wait_for
from environment.httpd import BUILD

CONF = """
<Location "/">
    MetricsCapture On
    MetricsUser "%{req:X-User}"
</Location>
"""


@pytest.fixture
def site(httpd):
    made = httpd(CONF)
    made.file("datasets/one", "one")
    made.file("files/two", "two")
    made.start()
    return made


def visit(site, user, path="/datasets/one", agent="Firefox"):
    assert site.request("GET", path, headers={"X-User": user, "User-Agent": agent}).status == 200


def forget(site, *arguments, expect=0):
    result = subprocess.run([BUILD / "metricsctl", "forget-user", "--spool", site.spool, *arguments],
                            env={**os.environ, "MONGODB_URI": site.mongo_uri}, capture_output=True, text=True, timeout=90)
    assert result.returncode == expect, result.stderr
    return result.stdout + result.stderr


def days(site):
    """{counter: sum over all days and people}"""
    sums = {}
    for doc in site.counts.db.metrics_days.find({"type": {"$ne": "markers"}}):
        for name, value in doc.items():
            if isinstance(value, int):
                sums[name] = sums.get(name, 0) + value
    return sums


def names_of(site):
    return {doc["user"] for name in ("metrics_users", "metrics_days")
            for doc in site.counts.db[name].find({"user": {"$exists": True}})}


def test_the_person_goes_and_the_sums_stay(site):
    for user in ("ada", "bob", ""):
        visit(site, user)
        visit(site, user, "/files/two")
    site.markers.settle()
    before = site.counts.of("datasets"), site.counts.of("files"), days(site)
    assert {"ada", "bob"} <= names_of(site)
    assert "2 resource(s)" in forget(site, "ada")
    assert names_of(site) == {"bob"}
    assert (site.counts.of("datasets"), site.counts.of("files"), days(site)) == before
    assert "Nothing is known" in forget(site, "ada")
    assert "Nothing is known" in forget(site, "nobody's id $")
    # Who comes back is known again, from then on.
    visit(site, "ada", "/files/two", agent="another")
    site.markers.settle()
    assert "ada" in names_of(site)


def test_counting_goes_on_behind_it(site):
    """Under load: what is recorded meanwhile is counted, each visit once, and no half of a batch comes back."""
    stop = threading.Event()
    done = []

    def load(number):
        while not stop.is_set():
            visit(site, "ada" if number == 0 else f"user{number}", agent=f"agent {number} {len(done)}")
            done.append(number)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(done) > 50, what="there is traffic")
        for _ in range(3):
            forget(site, "ada")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    site.markers.settle()
    before = site.counts.of("datasets"), days(site)
    assert sum(site.counts.of("datasets")["one"]) > 0
    forget(site, "ada")
    assert "ada" not in names_of(site)
    assert (site.counts.of("datasets"), days(site)) == before
    assert not site.counts.db.metrics_meta.find_one({"paused_until": {"$exists": True}})


def test_a_host_with_a_batch_under_way_is_waited_for(site):
    visit(site, "ada")
    site.markers.settle()
    site.counts.db.metrics_meta.insert_one(
        {"_id": "spool:0123456789abcdef01234567", "seq": 7, "nonce": "x", "host": "web2", "settled": 6})
    said = forget(site, "--wait", "0.1", "ada", expect=1)
    assert "web2" in said and "--force" in said
    assert "ada" in names_of(site)
    assert not site.counts.db.metrics_meta.find_one({"paused_until": {"$exists": True}})
    forget(site, "--force", "ada")
    assert "ada" not in names_of(site)
