"""Harm to the database itself, and to the way to it."""

import os
import signal
from contextlib import contextmanager

from environment import wait_for
from fault import fault
from processes import all_children_killed, child_killed, drainer_killed, graceful_reload

HIT_PATIENCE = 120  # until the drainer comes by, which waits longer and longer while the database is away


@contextmanager
def mode(site, name, hits=1):
    """The proxy does such harm until it did so often; visitors go on meanwhile."""
    site.proxy.set(name)
    try:
        yield
        wait_for(lambda: site.proxy.hits >= hits, timeout=HIT_PATIENCE, what=f"the proxy's mode {name} met somebody")
    finally:
        site.proxy.set("pass")


@contextmanager
def backlog(site):
    """What is posted within waits, and is counted behind it; visitors are served all the time."""
    first = site.post()
    site.world.wait_for_answers()
    assert not site.is_counted(first), "counted, although the database is away"
    yield
    site.world.wait_for_answers()


def reply_of_update(name):
    def harm(site, random):
        with mode(site, name, random.randint(1, 3)):
            site.world.wait_for_answers(10)

    harm.__name__ = name
    return harm


for _name, _weight in (("cut_request", 5), ("lose_reply", 10), ("cut_reply", 6), ("leave", 6), ("busy", 6)):
    fault(weight=_weight)(reply_of_update(_name))


@fault(weight=4, sites=(0, 1))  # a use that is refused and one that is taken back later are not of one batch
def poison(site, _random):
    """One document of a batch is refused for good: it is set aside, and the rest goes on."""
    path = site.httpd.spool / "rejected.ndjson"
    before = path.stat().st_size if path.exists() else 0
    with mode(site, "poison"):
        pass
    wait_for(lambda: path.exists() and path.stat().st_size > before, timeout=HIT_PATIENCE,
             what="what was refused is in rejected.ndjson")


@fault(weight=4)
def slow(site, random):
    with mode(site, "slow", random.randint(2, 10)):
        site.world.wait_for_answers()


@fault(weight=3)
def silent(site, _random):
    """Connections are accepted and nothing is answered."""
    with mode(site, "silent"), backlog(site):
        pass


@fault(weight=4)
def reset(site, random):
    for _ in range(random.randint(1, 3)):
        site.proxy.reset()
        site.world.wait_for_answers(10)


@fault(weight=5)
def refused(site, _random):
    site.proxy.shut()
    try:
        with backlog(site):
            pass
    finally:
        site.proxy.open()


@fault(weight=1)
def long_outage(site, random):
    """The database is away while other things happen."""
    site.proxy.shut()
    try:
        with backlog(site):
            for harm in random.choices((child_killed, drainer_killed, all_children_killed, graceful_reload),
                                       k=random.randint(3, 6)):
                harm(site, random)
                site.post()
                site.world.wait_for_answers(500)
    finally:
        site.proxy.open()


@fault(weight=4)
def drainer_killed_between_request_and_reply(site, _random):
    """What it had sent was obeyed, and it never heard so."""
    with mode(site, "lose_reply"):
        pass
    drainer_killed(site, _random)


@fault(weight=3, exclusive=True)
def database_killed(site, _random):
    """kill -9, and a start on what its disk holds."""
    database = site.world.database
    database.kill()
    with backlog(site):
        pass
    database.start()


@fault(weight=1, exclusive=True)
def database_stopped_orderly(site, _random):
    database = site.world.database
    os.kill(database.pid, signal.SIGTERM)
    wait_for(lambda: not database.is_running(), timeout=60, what="the database has stopped")
    with backlog(site):
        pass
    database.start()


@fault(weight=2, exclusive=True)
def database_frozen(site, _random):
    pid = site.world.database.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        site.world.wait_for_answers()
    finally:
        os.kill(pid, signal.SIGCONT)
