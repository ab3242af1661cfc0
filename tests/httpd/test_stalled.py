"""Stops and reloads while visitors stall.

httpd gives its children a time to end: SIGTERM 3, 5 and 7 s after a hard stop or restart, SIGKILL at 9 s; after a
graceful stop GracefulShutdownTimeout, and then the same. What it says and how long it takes is compared with a bare
httpd beside it, in the same seconds, with the same visitors: with mod_metrics it must be no worse.
"""

import contextlib
import os
import re
import signal
import threading
import time

import pytest

from environment import wait_for
from environment.httpd import process_alive
from environment.stalled import HTTP1, HTTP2, LARGE_FILE, half_a_body, never_reads

GRACEFUL_SECONDS = 2
HARD_SECONDS = 9  # SIGKILL, see ap_reclaim_child_processes
SLACK_SECONDS = 3  # of a busy machine; httpd looks at its children at growing intervals, and then once a second
CONF = f"""
GracefulShutdownTimeout {GRACEFUL_SECONDS}
Timeout 60
"""
METRICS = """
<Location "/">
    MetricsCapture On
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
</Location>
"""
# What a bare httpd says as well when children do not end in time. No crash is among it.
RECLAIM = r"AH0004[5-8]:|AH00052: child pid \d+ exit signal (Terminated|Killed)|AH00051: .*exit signal Killed"
SIGNALS = {"stop": signal.SIGTERM, "graceful-stop": signal.SIGWINCH, "restart": signal.SIGHUP,
           "graceful": signal.SIGUSR1}
RECLAIMED = re.compile(r"AH0004[5-8]: .*?child process (\d+)")


class Site:
    """One httpd with all its stalled visitors."""

    def __init__(self, make, stack, visitors, **options):
        protocols = "Protocols h2c http/1.1\n" if set(visitors) & set(HTTP2) else ""
        # A stalled visitor keeps a prefork child: there must be some left.
        self.httpd = make(options.pop("conf") + CONF + protocols, children=2, markers=False,
                          modules=["http2"] if protocols else [], **options)
        self.httpd.allow_log(RECLAIM)
        self.httpd.file("datasets/one", "one")
        with open(self.httpd.file("large"), "wb") as large:
            large.truncate(LARGE_FILE)
        self.httpd.start()
        self.visits = 0
        self.took = None
        self.old = []
        for visitor in visitors:
            stack.enter_context(visitor(self.httpd.port))
            self.visits += visitor.__name__ == "half_a_request"

    def visit(self, times):
        for _ in range(times):
            assert self.httpd.get("/datasets/one").status == 200
            self.visits += 1

    def end(self, how):
        """Sends the signal; how long until all children (not the drainer) of before are gone."""
        self.old = self.httpd.children()
        began = time.monotonic()
        os.kill(self.httpd.pid, SIGNALS[how])
        wait_for(lambda: not any(map(process_alive, self.old)), timeout=30, what=f"children end after {how}")
        self.took = time.monotonic() - began


def end_both(sites, how):
    threads = [threading.Thread(target=site.end, args=(how,)) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(site.took is not None for site in sites)


def reclaimed(site):
    """Those of its processes that httpd had to remind or to kill; the drainer is none of them."""
    pids = {int(pid) for pid in RECLAIMED.findall(site.httpd.log_text())}
    assert pids <= set(site.old), "httpd waited for a process that serves nobody"
    return pids


@pytest.mark.parent
@pytest.mark.parametrize("visitors", [HTTP1, pytest.param(HTTP2, marks=pytest.mark.threads)], ids=["http1", "http2"])
@pytest.mark.parametrize("how", ["stop", "graceful-stop", "restart"])
def test_ends_in_the_time_httpd_gives(httpd, how, visitors):
    with contextlib.ExitStack() as stack:
        ours = Site(httpd, stack, visitors, conf=METRICS)
        # Nobody reads a body there: another that does not read stands for the one in the middle of a POST.
        bare = Site(httpd, stack, [never_reads if visitor is half_a_body else visitor for visitor in visitors], conf="",
                    module=None, settings="", types="")
        drainer = ours.httpd.drainer()
        ours.visit(20)
        end_both([ours, bare], how)
        limit = HARD_SECONDS + (GRACEFUL_SECONDS if how == "graceful-stop" else 0)
        assert ours.took < min(limit, bare.took) + SLACK_SECONDS, f"a bare httpd took {bare.took:.1f} s"
        assert not reclaimed(ours) or reclaimed(bare), "only the httpd with mod_metrics had to kill children"
        if how != "restart":
            wait_for(lambda: not ours.httpd.is_running(), what="httpd has ended")
            wait_for(lambda: not process_alive(drainer), what="the drainer has ended")
        else:
            # Not before: a SIGTERM that comes while httpd reads its configuration is lost.
            for site in (ours, bare):
                wait_for(site.httpd.children, what="new children")
    ours.httpd.restart()
    ours.httpd.wait_for_empty_spool()
    assert ours.httpd.counts.of("datasets") == {"one": (ours.visits, 0)}


@pytest.mark.parent
@pytest.mark.parametrize("visitors", [HTTP1, pytest.param(HTTP2, marks=pytest.mark.threads)], ids=["http1", "http2"])
def test_reload_with_stalled_visitors(httpd, visitors):
    """The old children stay until their visitors go; old and new write into the same spool, and nothing is lost."""
    with contextlib.ExitStack() as stack:
        ours = Site(httpd, stack, visitors, conf=METRICS)
        drainer = ours.httpd.drainer()
        old = ours.httpd.children()
        ours.visit(20)
        for _ in range(2):
            ours.httpd.reload()
            ours.visit(20)
        drainer = ours.httpd.drainer(other_than=drainer)
        assert any(map(process_alive, old)), "a visitor was given up"
        ours.httpd.counts.wait("datasets", {"one": (ours.visits, 0)})
    wait_for(lambda: not any(map(process_alive, old)), timeout=30, what="old children end with their visitors")
    ours.httpd.restart()
    ours.httpd.wait_for_empty_spool()
    assert ours.httpd.counts.of("datasets") == {"one": (ours.visits, 0)}
