"""MetricsSpool's sync= and max=: what is recorded is counted exactly in every mode, and what cannot be recorded hurts no
visitor."""

import os
import signal
import subprocess

import pytest

from environment import Counts, Load, wait_for
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
