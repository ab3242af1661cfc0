"""MetricsSpool's sync= and max=: what is recorded is counted exactly in every mode, and what cannot be recorded hurts no
visitor."""

import errno
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from environment import Gate, Load, wait_for
from environment.httpd import BUILD, SETTINGS
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


def settings(*options, spool="${SPOOL}", more=""):
    return SETTINGS.replace('"${SPOOL}"', " ".join((f'"{spool}"', *options))) + more


def with_files(site, names):
    for name in names:
        site.file(f"datasets/{name}", name)
    return site


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


# --- sync= ---

@pytest.mark.parametrize("sync", ["none", "batch", "event"])
def test_everything_is_counted_in_every_mode(httpd, sync):
    site = with_files(httpd(CONF, settings=settings(f"sync={sync}"), markers=False, children=2),
                      [f"id{n}" for n in range(10)])
    site.start()
    site.counts.wait_for_indexes()
    with Load(site, visitors=4) as visits, Load(site, "/metrics/datasets/{}/downloads", method="POST") as posts:
        visits.wait_for_more(100)
        posts.wait_for_more(100)
    expected = {name: (visits.certain[name], posts.certain[name]) for name in visits.certain | posts.certain}
    site.counts.wait("datasets", expected)


@pytest.mark.parent
@pytest.mark.parametrize("sync", ["batch", "event"])
def test_children_and_drainer_killed_in_every_mode(httpd, sync):
    site = with_files(httpd(CONF, settings=settings(f"sync={sync}"), markers=False), [])
    site.start()
    site.allow_log("MM0706|exit signal")
    site.counts.wait_for_indexes()
    with Load(site, "/metrics/datasets/{}/views", method="POST") as load:
        for _ in range(3):
            load.wait_for_more(30)
            for pid in site.children():
                os.kill(pid, signal.SIGKILL)
        os.kill(site.drainer(), signal.SIGKILL)
        load.wait_for_more(30)

    def counted():
        views = {name: counts[0] for name, counts in site.counts.of("datasets").items()}
        return all(views.get(name, 0) >= number for name, number in load.certain.items()) and views
    load.check(wait_for(counted, what="all that was acknowledged is counted"))


@pytest.mark.parent
def test_batch_has_a_thread_that_flushes(httpd):
    """It is there before the database is, ends with the drainer, and does not keep it from ending."""
    site = httpd(CONF, settings=settings("sync=batch"), markers=False, mongo_uri="mongodb://127.0.0.1:9/none")
    site.allow_log("MM0206")
    site.start()
    drainer = site.drainer()
    wait_for(lambda: threads_of(drainer) == 2, what="the thread runs")
    os.kill(drainer, signal.SIGTERM)
    wait_for(lambda: not os.path.exists(f"/proc/{drainer}"), what="the drainer has ended")
    site.allow_log("MM0706")
    site.settings = settings("sync=none")
    site.write_conf()
    site.reload()
    assert threads_of(site.drainer()) == 1


def test_metricsctl_flushes_when_told(httpd):
    site = with_files(httpd(CONF, settings=settings("sync=batch", more="MetricsDrainer Off\n"), markers=False), ["one"])
    site.start()
    assert site.get("/datasets/one").status == 200
    command = [str(BUILD / "metricsctl"), "drain", "--spool", str(site.spool), "--uri", site.mongo_uri]
    wrong = subprocess.run([*command, "--sync", "often"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2 and "none, batch or event" in wrong.stderr
    process = subprocess.Popen([*command, "--sync", "batch"])
    try:
        wait_for(lambda: threads_of(process.pid) == 2, what="the thread runs")
        site.counts.wait("datasets", {"one": (1, 0)})
    finally:
        process.terminate()
        assert process.wait(30) == 0


# --- full ---

BIG = 900  # bytes of an id: what fills a spool fast, and of few: what is counted fast
LINES = [{"type": "datasets", "id": f"{n % 20}".ljust(BIG, "x"), "action": "view"} for n in range(1000)]


def status(site):
    answer = site.get("/metrics/status")
    assert answer.status == 200, answer.text
    return answer.json


def dropped(site, cause):
    return status(site)["events_dropped"][cause]


def views_in_database(site):
    return sum(views for views, _ in site.counts.of("datasets").values())


@pytest.fixture
def away(httpd, database):
    """A site, not started, and the gate before its database."""
    gates = []

    def make(options, **more):
        host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
        gate = Gate(host, int(port))
        gates.append(gate)
        site = httpd(CONF, settings=settings(*options), markers=False, **more)
        site.mongo_uri = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
        site.allow_log("MM0206")
        return site, gate
    yield make
    for gate in gates:
        try:
            gate.close()
        except OSError:
            pass  # it was shut already


def count_one(site):
    """The drainer has its connection and its indexes, and nothing is left to do."""
    site.file("datasets/one", "one")
    assert site.get("/datasets/one").status == 200
    site.counts.wait("datasets", {"one": (1, 0)})


def fill_to_the_limit(site):
    """POSTs many events, and then fewer, until not one more is taken; how many were. It is quick, so that the database,
    which is away meanwhile, is asked for again soon."""
    taken = 0
    for number in (1000, 100, 10, 1):
        for _ in range(30):
            answer = site.post_lines("/metrics/events", *LINES[:number])
            if answer.status != 202:
                break
            taken += answer.json["recorded"]
        assert answer.status == 503 and int(answer["Retry-After"]) > 0, "there is no limit"
        assert "Nothing was recorded" in answer.text
    return taken


def test_a_limit_of_the_spool(away):
    site, gate = away(["max=8M"], children=2)
    count_one(site.start())
    gate.shut()
    site.expect_log(r"MM0402: \d+ event\(s\) could not be recorded \(the spool is at its limit\)")
    taken = fill_to_the_limit(site)
    while site.post(f"/metrics/datasets/{LINES[0]['id']}/views").status == 202:
        taken += 1  # what is smaller still fits
    full = status(site)
    assert 8 * 2**20 - 2 * BIG < full["spool_bytes"] <= 8 * 2**20
    # A visitor notices nothing.
    while dropped(site, "full") == full["events_dropped"]["full"]:
        answer = site.get("/datasets/one")
        assert (answer.status, answer.text) == (200, "one")
    gate.open()
    wait_for(lambda: site.post(f"/metrics/datasets/{LINES[0]['id']}/views").status == 202, what="there is room again")
    visits = status(site)["events_recorded"]["request"]
    wait_equal(lambda: views_in_database(site), taken + visits + 1)


def test_the_limit_holds_over_a_restart_without_the_page(away):
    """What waits is looked at before the database is there."""
    site, gate = away(["max=8M"])
    count_one(site.start())
    gate.shut()
    site.allow_log("MM0402")
    # With this one in a batch, nothing more is read.
    assert site.get("/datasets/one").status == 200
    wait_for(lambda: "MM0206" in site.log_text(), what="the drainer waits for the database")
    fill_to_the_limit(site)
    site.stop()
    (site.spool / "status").unlink()
    site.start()
    wait_for(lambda: status(site)["spool_bytes"] > 6 * 2**20, what="the drainer has looked")
    assert status(site)["spool_bytes"] <= 8 * 2**20
    assert site.post_lines("/metrics/events", *LINES, *LINES[:100]).status == 503


def test_a_limit_that_nobody_could_lower_is_not_heeded(httpd):
    site = httpd(CONF, settings=settings("max=8M", more="MetricsDrainer Off\n"), markers=False)
    site.start()
    site.stop()
    (site.spool / "status").chmod(0o400)
    site.expect_log("MM0407")
    site.start()
    for _ in range(12):
        assert site.post_lines("/metrics/events", *LINES).status == 202


@pytest.fixture
def small_disk():
    """A directory with a disk of 24 MiB of its own. Not below tmp_path: pytest keeps httpd's User out of that."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; tests/unit/test_spool_writer.c has one of its own")
    with tempfile.TemporaryDirectory(prefix="mm-disk-", dir="/tmp") as above:
        os.chmod(above, 0o755)
        spool = Path(above) / "spool"
        spool.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(spool)], check=True)
        yield spool
        subprocess.run(["umount", "-l", str(spool)], check=True)


def fill(disk):
    """Leaves not a byte; whoever removes the file makes room."""
    ballast = disk / "ballast"
    with open(ballast, "ab", buffering=0) as file:
        for size in (2**20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as full:
                assert full.errno == errno.ENOSPC
    return ballast


@pytest.mark.parametrize("database_is", ["up", "away"])
@pytest.mark.parametrize("sync", ["none", "event"])
def test_a_full_disk_and_room_again(away, small_disk, sync, database_is):
    """Under load: no visitor notices, what was acknowledged is counted once, what was dropped is counted as dropped."""
    site, gate = away([f"sync={sync}"])
    site.settings = settings(f"sync={sync}", spool=small_disk)
    site.allow_log("MM010|MM0206|MM0207")
    site.expect_log(r"MM0402: \d+ event\(s\) could not be recorded \(no room on the disk\)")
    with_files(site, [f"id{n}" for n in range(10)]).start()
    site.counts.wait_for_indexes()
    if database_is == "away":
        gate.shut()
    posted = []

    def post():
        # What a drainer that works has freed is taken, too.
        fill(small_disk)
        answer = site.post_lines("/metrics/events", *LINES[:100])
        if answer.status == 202:
            posted.append(answer.json["recorded"])
        return answer.status

    with Load(site, visitors=4) as load:
        load.wait_for_more(50)
        wait_for(lambda: post() == 507, what="a POST is refused")
        wait_for(lambda: post() and dropped(site, "no_room") > 300, what="visits are dropped")
        load.wait_for_more(50)
        (small_disk / "ballast").unlink()
        wait_for(lambda: site.post("/metrics/datasets/one/views").status == 202, what="recording goes on")
        posted.append(1)
        load.wait_for_more(50)
    posted = sum(posted)
    gate.open() if database_is == "away" else None
    # Of the visits, every one was recorded or dropped; the last of each connection is, a moment after its answer.
    wait_equal(lambda: views_in_database(site) - posted - status(site)["events_recorded"]["request"], 0)
    now = status(site)
    assert now["events_seen"] == sum(now["events_recorded"].values()) + sum(now["events_dropped"].values())
    assert now["events_recorded"]["request"] + now["events_dropped"]["no_room"] >= load.answered
