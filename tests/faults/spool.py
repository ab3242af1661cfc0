"""Harm to what lies in the spool: its bytes, its disk, its place; and to the clock that its files are named by."""

import os
import shutil
import signal
import struct
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import segments
from environment import wait_for
from environment.httpd import process_alive
from fault import fault
from processes import kill

REFUSED = (503, 507)


def _state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def held(site):
    """The drainer stands still, and what it will find is in our hands."""
    pid = site.httpd.drainer()
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: _state(pid) == "T", what="the drainer stands still")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _segments(site):
    return [site.httpd.spool / name for name in site.httpd.segments()]


def _write(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def _wait_for_corrupt(site, path, at, data):
    """What was destroyed is set aside, at its place."""
    aside = path.with_name(path.name + ".corrupt")
    wait_for(lambda: aside.exists() and aside.read_bytes()[at:at + len(data)] == data, timeout=120,
             what=f"{aside.name} holds what was destroyed")
    wait_for(lambda: f"{path.name}: {len(data)} bytes at offset {at} are no whole record" in site.httpd.log_text(),
             what="the log says so")


@fault(weight=3)
def flipped_bit(site, random):
    """In a frame with others behind it that the drainer has not read: that frame is set aside, the others are counted,
    and the books are told what was in it."""
    with held(site):
        seen = {path.name: segments.end(path) for path in _segments(site)}

        def victims():
            return [(path, frame) for path in _segments(site)
                    for frame in list(segments.frames(path, seen.get(path.name, 0)))[:-1]]

        wait_for(lambda: len(victims()) > 3, timeout=60, what="frames that were not read yet")
        path, frame = random.choice(victims())
        place = random.randrange(frame.size)
        whole = bytearray(path.read_bytes()[frame.at:frame.at + frame.size])
        whole[place] ^= 1 << random.randrange(8)
        _write(path, frame.at + place, whole[place:place + 1])
        segments.destroy(site.book, frame.keys())
    _wait_for_corrupt(site, path, frame.at, bytes(whole))


@fault(weight=3)
def torn_tail(site, random):
    """A process dies in the middle of a write: the beginning of a frame stands at the end of its segment."""

    def writers():
        """Children that have a segment of their own with something in it, and it."""
        return [(pid, path) for path in _segments(site) for pid in site.httpd.children()
                if int(path.name.split("-")[1], 16) == pid and segments.end(path)]

    def killed():
        """A child's segment, and where it ends. One that died in an append of its own accord will not do: what other
        threads had appended stands behind that."""
        victim, path = random.choice(wait_for(writers, timeout=60, what="a child with a segment"))
        with site.killing():
            kill(victim)
        at = segments.end(path)
        return None if any(path.read_bytes()[at:]) else (path, at)

    with held(site):
        path, at = wait_for(killed, timeout=60, what="a child dies between two appends")
        begun = struct.pack("<III", segments.MAGIC ^ segments.seed_of(path), 400, 1)
        torn = begun + bytes([7]) * random.randint(1, 300)
        _write(path, at, torn)
        if random.random() < 0.5:
            os.truncate(path, at + len(torn))  # as by write(2); otherwise zeros are behind it, as in a mapped segment
            rest = torn
        else:
            rest = path.read_bytes()[at:]
    _wait_for_corrupt(site, path, at, rest)


@fault(weight=2, sites=(1,), needs_small_disk=True)
def disk_full(site, random):
    """The spool's disk is full while the database is away: posts are refused, pages are not, the drainer makes room
    when the database is back, and posts are taken again."""
    filler = site.httpd.spool / "filler"
    site.proxy.shut()
    try:
        _fill(filler, site)
        assert site.httpd.get("/page").status == 200
        if random.random() < 0.5:
            kill(site.httpd.drainer())
        site.world.wait_for_answers()
    finally:
        site.proxy.open()
    try:
        site.wait_for_progress()
    finally:
        filler.unlink()


def _fill(filler, site):
    with open(filler, "wb") as file:
        while not _is_refused(site):
            try:
                file.write(bytes(1 << 16))
                file.flush()
            except OSError:
                pass  # full: now what was allocated for appends must be used up


def _is_refused(site):
    """Posts much, and says whether that was refused."""
    site.posted += 1
    marker = ("markers", f"big{site.number}-{site.posted}", "", "views")
    keys = [marker] + [("files", "big", "", "views")] * 800
    lines = [{"type": type_, "id": id_, "action": "view"} for type_, id_, _, _ in keys]
    try:
        status = site.httpd.post_lines("/metrics/events", *lines).status
    except OSError:
        status = 0
    site.book.note(marker, keys, status)
    return status in REFUSED


@fault(weight=1, sites=(0,))
def moved_to_another_host(site, _random):
    """The directory goes to another httpd, which goes on where the first one stopped."""
    with site.killing():
        site.httpd.stop()
    site.httpd = site.make(spool=site.httpd.spool, port=site.httpd.port)
    site.httpd.start()
    site.httpd.drainer()


@fault(weight=1, sites=(0,))
def cloned(site, _random):
    """A copy of a spool is refused, however much is in it: the original counts all that was in both."""
    with site.killing():
        site.httpd.stop()
    copy = site.httpd.directory / "copy"
    subprocess.run(["cp", "-a", str(site.httpd.spool), str(copy)], check=True)
    site.httpd.start()
    site.wait_for_progress()
    clone = site.make(spool=copy)
    clone.allow_log("MM0703|MM0206")
    clone.start()
    assert clone.post("/metrics/markers/clone/views").status == 202  # in no book: must never be counted
    wait_for(lambda: "metricsctl new-id" in clone.log_text(), timeout=60, what="the copy is refused")
    clone.stop()
    shutil.rmtree(clone.spool)


@fault(weight=3)
def clock_stepped(site, random):
    """Back or forth, by up to a day; segments that are made behind it are named by it. Where double clicks
    are told, not so far that clicks of before are to be forgotten."""
    steps = (-60, -1, 0, 60) if site.filters_clicks else (-86400, -3600, -60, -1, 0, 60, 3600)
    site.clock.step(random.choice(steps))
    victim = random.choice(site.httpd.children())
    with site.killing():
        kill(victim)
    wait_for(lambda: not process_alive(victim) and site.httpd.children(), what="a child in its place")
    site.world.wait_for_answers()


@fault(weight=1)
def drainer_held(site, random):
    """It stands still for a while, and a backlog grows."""
    with held(site):
        until = time.monotonic() + random.uniform(0.5, 3)
        wait_for(lambda: time.monotonic() > until, what="some time passes")
        site.world.wait_for_answers()
