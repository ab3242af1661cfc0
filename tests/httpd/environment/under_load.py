"""A site whose processes are killed while it serves: what its tests share."""

import os
import signal

from .waiting import wait_for


def start_with_pages(site):
    """Ten pages to ask for; all children serve, and a drainer works, when it returns."""
    for n in range(10):
        site.file(f"datasets/id{n}", "page\n" * 100)
    site.start()
    wait_for(lambda: len(site.children()) == site.child_count, what="all children serve")
    site.drainer()
    return site


def views(site):
    return {id_: counts[0] for id_, counts in site.counts.of("datasets").items()}


def counted_for_good(site):
    """Stops, starts, and waits until nothing is left that could still be counted."""
    site.restart()
    site.wait_for_empty_spool()
    return views(site)


def kill_a_child(site):
    before = site.children()
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: len(set(site.children()) - {before[0]}) >= len(before), what="a child in its place")
