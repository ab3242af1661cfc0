"""kill -9 of every process there is, and the signals that httpd knows."""

import os
import signal
import socket

from environment import wait_for
from environment.httpd import process_alive
from fault import fault


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    wait_for(lambda: not process_alive(pid), what=f"{pid} is dead")


@fault(weight=8)
def child_killed(site, random):
    victims = site.httpd.children()
    with site.killing():
        kill(random.choice(victims))
    wait_for(lambda: site.httpd.children(), what="a child serves")


@fault(weight=3)
def all_children_killed(site, _random):
    victims = site.httpd.children()
    with site.killing():
        for victim in victims:
            kill(victim)
    wait_for(lambda: set(site.httpd.children()) - set(victims), what="new children serve")


@fault(weight=10)
def drainer_killed(site, _random):
    victim = site.httpd.drainer()
    kill(victim)
    site.httpd.drainer(other_than=victim)


@fault(weight=4)
def drainer_killed_twice(site, _random):
    """The second is killed at its first chance, mostly while it repeats what the first began."""
    for _ in range(2):
        victim = site.httpd.drainer()
        kill(victim)
        site.httpd.drainer(other_than=victim)


@fault(weight=2)
def parent_killed(site, random):
    """The parent alone; its orphans are killed when the next one starts, or have ended before."""
    with site.killing():
        left = site.httpd.kill_parent()
        random.shuffle(left)
        for pid in left:
            kill(pid)
    site.httpd.start()
    site.httpd.drainer()


@fault(weight=3)
def graceful_reload(site, _random):
    site.httpd.reload()


@fault(weight=2)
def hard_restart(site, _random):
    """SIGHUP: children are told to end at once, and are replaced by the same parent."""
    before = set(site.httpd.children())
    with site.killing():
        os.kill(site.httpd.pid, signal.SIGHUP)
        wait_for(lambda: set(site.httpd.children()) - before and not any(map(process_alive, before)), timeout=60,
                 what="new children behind a restart")


def _stalled(site, number=2):
    """Clients that begin a request and stop in its middle."""
    lines = []
    for _ in range(number):
        line = socket.create_connection(("127.0.0.1", site.httpd.port), timeout=5)
        line.sendall(b"POST /metrics/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                     b"Content-Length: 500\r\n\r\n" + b'{"type":"markers","id":"stalled","action":"view"}\n')
        lines.append(line)
    return lines


@fault(weight=2)
def stopped_with_stalled_clients(site, _random):
    lines = _stalled(site)
    with site.killing():
        site.httpd.stop()
    for line in lines:
        line.close()
    site.httpd.start()
    site.httpd.drainer()


@fault(weight=2)
def graceful_stop_with_stalled_clients(site, _random):
    lines = _stalled(site)
    with site.killing():  # GracefulShutdownTimeout kills whom a stalled client holds
        site.httpd.stop(signal.SIGWINCH)
    for line in lines:
        line.close()
    site.httpd.start()
    site.httpd.drainer()


@fault(weight=2)
def graceful_reload_with_stalled_clients(site, _random):
    lines = _stalled(site)
    site.httpd.reload()
    site.wait_for_progress()
    for line in lines:
        line.close()
