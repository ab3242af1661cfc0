"""The drainer's process: who it is, how it ends, and what waits when it cannot work."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from mm_database import Database

from environment import Counts, Gate, wait_for
from environment.httpd import BUILD, SETTINGS, free_port, parent_of, process_alive
from environment.waiting import wait_equal

CONF = """
<Location "/">
    MetricsCapture On
</Location>
"""


@pytest.fixture
def site(httpd):
    made = httpd(CONF)
    made.file("datasets/one", "one")
    made.file("datasets/two", "two")
    return made


def visit(site, *names):
    for name in names:
        assert site.get(f"/datasets/{name}").status == 200


def status_of(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return line.split()[1:]
    raise AssertionError(field)


def test_runs_as_the_user_and_apart_from_httpds_group(site):
    site.start()
    drainer = site.drainer()
    children = site.children()
    assert status_of(drainer, "Uid") == [str(site.user_id)] * 4
    assert parent_of(drainer) == site.pid
    assert os.getpgid(drainer) == drainer != os.getpgid(site.pid)
    assert os.getsid(drainer) == drainer
    assert len(children) == 1 and os.getpgid(children[0]) == os.getpgid(site.pid)
    # It keeps no listening socket: an httpd that is started anew must get its port.
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {columns[9] for columns in sockets if columns[3] == "0A"}
    held = {os.readlink(entry) for entry in Path(f"/proc/{drainer}/fd").iterdir()}
    assert {f"socket:[{inode}]" for inode in listening} & held == set()


def test_spool_belongs_to_the_user_and_is_closed_to_others(site):
    site.start()
    site.drainer()
    visit(site, "one")
    site.markers.settle()
    state = site.spool.stat()
    assert (state.st_uid, state.st_mode & 0o777) == (site.user_id, 0o700)
    assert [path.stat().st_uid for path in site.spool.iterdir()] == [site.user_id] * len(list(site.spool.iterdir()))
    assert len(site.segments()) == 1


def test_indexes_are_there(site):
    site.start()
    visit(site, "one")
    site.markers.settle()
    for name in ("metrics_datasets", "metrics_users"):
        wait_for(lambda: len(site.counts.db[name].index_information()) > 1, what=f"indexes of {name}")


def test_stop_leaves_nobody_and_start_goes_on(site):
    site.start()
    visit(site, "one", "one", "two")
    site.stop()  # fails when a process stays
    site.start()
    visit(site, "two")
    site.counts.wait("datasets", {"one": (2, 0), "two": (2, 0)})
    wait_for(lambda: len(site.segments()) <= 1, what="the first life's segment is gone")


def test_stop_is_not_slow(site):
    """With the database there and with it away, stopping takes less than the 3 s after which APR would kill."""
    site.mongo_uri = f"mongodb://127.0.0.1:{free_port()}/away"
    site.allow_log("MM0206")
    site.start()
    site.drainer()
    visit(site, "one")
    began = time.monotonic()
    site.stop()
    assert time.monotonic() - began < 3


def test_backlog_of_a_stopped_httpd_is_counted_by_the_next(site):
    """Killed before anything was drained: what is in the spool is counted after the next start."""
    uri = site.mongo_uri
    site.mongo_uri = f"mongodb://127.0.0.1:{free_port()}/away"
    site.allow_log("MM0206")
    site.start()
    visit(site, "one", "two", "two")
    site.stop()
    assert len(site.segments()) == 1
    site.write_conf(mongo_uri=uri)
    site.start()
    site.counts.wait("datasets", {"one": (1, 0), "two": (2, 0)})
    site.wait_for_empty_spool()


def test_starts_without_a_network(site):
    """No name is looked up and nothing is connected to before httpd serves."""
    uri = site.mongo_uri
    site.mongo_uri = "mongodb://no-such-host.invalid:27017/metrics"
    site.expect_log("MM0206: the spool .*cannot be drained")
    site.start()
    visit(site, "one")
    wait_for(lambda: "MM0206" in site.log_text(), what="the drainer complains")
    site.write_conf(mongo_uri=uri)
    site.stop()
    site.start()
    site.counts.wait("datasets", {"one": (1, 0)})


def test_database_away_and_back(site, database):
    host, port = database.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].rsplit(":", 1)
    gate = Gate(host, int(port))
    site.mongo_uri = site.mongo_uri.replace(f"{host}:{port}", f"127.0.0.1:{gate.port}")
    site.start()
    visit(site, "one")
    site.counts.wait("datasets", {"one": (1, 0)})
    gate.shut()
    site.expect_log("MM0206: the spool .*cannot be drained")
    visit(site, "one", "two")
    wait_for(lambda: "MM0206" in site.log_text(), what="the drainer complains")
    visit(site, "two")
    assert site.counts.of("datasets") == {"one": (1, 0)}
    gate.open()
    site.counts.wait("datasets", {"one": (2, 0), "two": (2, 0)})
    site.markers.settle()
    wait_for(lambda: "MM0207" in site.log_text(), what="the drainer says that it works again")
    gate.close()
    site.allow_log("MM0206")


def test_database_killed_and_started_again(httpd):
    with Database(orphan=False) as own:
        if own.is_external:
            pytest.skip("the database is not ours to kill; the test with the gate covers the rest")
        site = httpd(CONF, mongo_uri=own.uri.replace("/?", "/own?"), markers=False)
        site.allow_log("MM0206")
        site.file("datasets/one", "one")
        site.start()
        counts = Counts(own.uri, "own")
        visit(site, *["one"] * 20)
        counts.wait("datasets", {"one": (20, 0)})
        own.kill()
        visit(site, *["one"] * 20)
        own.start()
        visit(site, *["one"] * 20)
        counts.wait("datasets", {"one": (60, 0)})
        site.stop()
        counts.close()


def test_ends_soon_after_httpd_was_killed(site):
    site.start()
    drainer = site.drainer()
    visit(site, "one")
    left = site.kill_parent()
    assert drainer in left
    try:
        wait_for(lambda: not process_alive(drainer), timeout=10, what="the drainer ends without its parent")
    finally:
        for pid in left:
            if process_alive(pid):
                os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(process_alive, left)), what="nobody is left")
    site.expect_log("AH00098: pid file .* overwritten")
    site.start()
    visit(site, "two")
    site.counts.wait("datasets", {"one": (1, 0), "two": (1, 0)})


def test_second_httpd_on_the_same_spool_waits_for_it(site, httpd):
    site.start()
    drainer = site.drainer()
    other = httpd(CONF, markers=False, mongo_uri=site.mongo_uri,
                  settings=SETTINGS.replace("${SPOOL}", str(site.spool)))
    other.file("datasets/one", "one")
    other.start()
    wait_for(lambda: "MM0701" in other.log_text(), what="the second says that it waits")
    assert str(drainer) in other.log_text()
    visit(site, "one")
    visit(other, "one", "one")
    site.counts.wait("datasets", {"one": (3, 0)})
    assert site.drainer() == drainer
    site.stop()
    visit(other, "one")
    site.counts.wait("datasets", {"one": (4, 0)})


def test_drainer_off_leaves_everything_in_the_spool(httpd):
    site = httpd(CONF, settings=SETTINGS + "MetricsDrainer Off\n", markers=False)
    site.file("datasets/one", "one")
    site.start()
    visit(site, "one", "one")
    assert not (site.spool / "drain.lock").exists()
    assert len(site.segments()) == 1
    # Somebody else runs it, here as under systemd: metricsctl, as the same user.
    command = [str(BUILD / "metricsctl"), "drain", "--once", "--spool", str(site.spool), "--uri", site.mongo_uri,
               "--types", "datasets,collections,files"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    assert site.counts.of("datasets") == {"one": (2, 0)}


def test_other_words_in_the_spool_do_no_harm(site):
    """Files that are none of ours, and a segment that holds no frames."""
    site.start()
    site.drainer()
    site.stop()
    (site.spool / "README").write_text("not a segment")
    (site.spool / "1-2-3-00000000.seg").write_bytes(b"no frame at all" * 1000)
    (site.spool / "zero.seg").write_bytes(b"")
    for path in site.spool.iterdir():
        os.chown(path, site.user_id, -1)
    site.allow_log("MM01|MM02")  # what it found
    site.start()
    visit(site, "one")
    site.counts.wait("datasets", {"one": (1, 0)})
    assert (site.spool / "README").read_text() == "not a segment"


@pytest.mark.parent
def test_reload_keeps_one_drainer(site):
    site.start()
    first = site.drainer()
    for _ in range(3):
        site.reload()
        visit(site, "one")
    second = site.drainer(other_than=first)
    wait_for(lambda: len([pid for pid in site.family() if _is_drainer(pid)]) == 1, what="one drainer is left")
    assert parent_of(second) == site.pid
    site.counts.wait("datasets", {"one": (3, 0)})


def _is_drainer(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "metrics-drain"
    except OSError:
        return False


@pytest.mark.parent
def test_reload_takes_the_new_settings(site):
    site.start()
    visit(site, "one")
    site.counts.wait("datasets", {"one": (1, 0)})
    other = site.counts.db.name + "_other"
    site.write_conf(mongo_uri=site.mongo_uri.replace(site.counts.db.name, other))
    before = site.drainer()
    site.reload()
    site.drainer(other_than=before)
    visit(site, "two")
    try:
        wait_equal(lambda: [doc["_id"] for doc in site.counts.client[other].metrics_datasets.find()], ["two"])
        assert site.counts.of("datasets") == {"one": (1, 0)}
    finally:
        site.stop()
        site.counts.client.drop_database(other)


@pytest.mark.parent
def test_a_reload_survives_a_spool_that_cannot_be_used(httpd):
    site = httpd(CONF).start()
    site.file("datasets/one", "one")
    site.spool.chmod(0o770)
    site.expect_log("MM0707: MetricsSpool: .*httpd goes on")
    site.allow_log("MM070[36]|MM040[12]")
    site.reload()
    assert site.get("/datasets/one").status == 200
    site.spool.chmod(0o700)
    wait_for(lambda: site.get("/datasets/one").status == 200 and site.counts.of("datasets").get("one", (0,))[0] > 1,
             what="recording goes on")
