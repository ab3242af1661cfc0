#!/usr/bin/env python3
"""Every way to die, at random points under load, and then the comparison: what clients were answered against what is in
the database, for each id and each user. Any difference is an error.

    tests/faults/torture.py --minutes 30 [--seed N] [--mpm event|prefork|worker]
    tests/faults/torture.py --short             each kind of fault once, then the comparison; part of make test

The faults follow from the seed, for each site by itself; when exactly they hit does not, so that no two runs are the
same. MM_DATABASE chooses the server.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "httpd"), str(ROOT / "scripts")]

from environment import waiting  # noqa: E402

waiting.POLL_SECONDS = 0.03  # a look at all processes is not free, and the machine is small

import database  # noqa: E402, F401
import processes  # noqa: E402, F401
import spool  # noqa: E402, F401
from clicks import compare_counters, expect, read_counters  # noqa: E402
from fault import KINDS  # noqa: E402
from ledger import compare, read_database, read_rejected  # noqa: E402
from world import ALL_TYPES, World  # noqa: E402

SHOWN = 40
# In the short run clients wait so many times longer: it has other tests beside it, and must not leave a backlog to a slow
# database that grows faster than it is counted.
SHORT_PACE = 4


class Tormentor(threading.Thread):
    """Does one fault after the other to one site."""

    def __init__(self, site, options, until):
        super().__init__(daemon=True, name=f"site {site.number}")
        self.site, self.world, self.until = site, site.world, until
        self.random = random.Random(f"{options.seed} {site.number}")
        self.kinds = [kind for kind in KINDS.values() if site.number in kind.sites
                      and (self.world.has_small_disk or not kind.needs_small_disk)]
        if options.only:
            self.kinds = [kind for kind in self.kinds if kind.name in options.only]
        self.once = self._shared_out() if options.short else None
        self.done = Counter()
        self.failure = None

    def _shared_out(self):
        """For the short run: each kind once, on one of the sites that it suits."""
        mine = [kind for number, kind in enumerate(KINDS.values())
                if kind in self.kinds and kind.sites[number % len(kind.sites)] == self.site.number]
        self.random.shuffle(mine)
        return mine

    def next(self):
        if self.once is not None:
            return self.once.pop() if self.once else None
        if time.monotonic() > self.until:
            return None
        return self.random.choices(self.kinds, [kind.weight for kind in self.kinds])[0]

    def run(self):
        while (kind := self.next()) is not None and not self.world.failed.is_set():
            begin = time.monotonic()
            if self.world.verbose:
                print(f"{self.name}: {kind.name} …", flush=True)
            try:
                self.do(kind)
                self.done[kind.name] += 1
            except Exception:
                self.failure = f"{self.name}, {kind.name}:\n{traceback.format_exc()}"
                self.world.failed.set()
            if self.world.verbose:
                print(f"{self.name}: {kind.name} {time.monotonic() - begin:.1f} s", flush=True)

    def do(self, kind):
        if kind.exclusive:
            with self.world.database_lock:
                kind.run(self.site, self.random)
        else:
            kind.run(self.site, self.random)
        self.site.wait_for_progress()


def judge(world, book):
    totals, users = read_database(world.counts.db, ALL_TYPES)
    rejected = [site.httpd.spool / "rejected.ndjson" for site in world.sites]
    for path in rejected:
        for found, part in zip((totals, users), read_rejected(path)):
            found.update(part)
    verdict = compare(book, world.sites[0].kills, totals, users)
    compare_counters(verdict, expect(book, totals)[1], *read_counters(world.counts.db, ALL_TYPES, rejected))
    return verdict


def report(options, world, tormentors, verdict, book, seconds):
    done = sum((tormentor.done for tormentor in tormentors), Counter())
    print(f"\nseed {options.seed}, {options.mpm}, {world.database.name}: {sum(done.values())} faults, "
          f"{verdict.events} events in {seconds:.0f} s")
    for name in KINDS:
        print(f"  {done[name]:5} {name}")
    print("answers: " + ", ".join(f"{status or 'none'} {count}" for status, count in sorted(book.answers.items())))
    print(f"visits by GET: {len(book.visits)} connections, {verdict.uncertain} visits that a kill leaves in doubt")
    clicks = sum(len(chain.clicks) for chain in book.chains.values())
    print(f"chains of clicks: {len(book.chains)}, {clicks} clicks, {verdict.uses} uses; "
          f"days of {verdict.by_day} resources were added up")
    for line in verdict.lines[:SHOWN]:
        print(line)
    print(f"lost {verdict.lost}, doubled {verdict.doubled}", flush=True)


def torture(options):
    begin = time.monotonic()
    print(f"torture: seed {options.seed}, {options.mpm}", flush=True)
    world = World(options.seed, options.mpm, options.pause, SHORT_PACE if options.short else 1, options.verbose)
    try:
        world.start()
        tormentors = [Tormentor(site, options, begin + options.minutes * 60) for site in world.sites]
        for tormentor in tormentors:
            tormentor.start()
        for tormentor in tormentors:
            tormentor.join()
        failures = [tormentor.failure for tormentor in tormentors if tormentor.failure]
        if failures:
            print("\n".join(failures))
            for site in world.sites:
                print(f"--- error log of site {site.number}", *site.httpd.log_text().splitlines()[-30:], sep="\n")
            print("--- what the books say all the same", flush=True)
        book = world.finish()
        verdict = judge(world, book)
        surprises = world.surprises()
        report(options, world, tormentors, verdict, book, time.monotonic() - begin)
        for line in surprises[:SHOWN]:
            print(f"SURPRISE in the error log: {line}")
        return 1 if failures or verdict.lost or verdict.doubled or surprises else 0
    finally:
        world.close()


def main():
    parser = argparse.ArgumentParser(description="Every way to die, and then: is everything counted, once?")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    parser.add_argument("--mpm", default=os.environ.get("MM_MPM", "event"), choices=("event", "worker", "prefork"))
    parser.add_argument("--short", action="store_true", help="each kind of fault once")
    parser.add_argument("--only", action="append", choices=sorted(KINDS), help="only this kind; may come again")
    parser.add_argument("--pause", type=float, default=0.12, help="seconds between a client's POSTs of many events")
    parser.add_argument("--verbose", action="store_true", help="say each fault")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and so everything is taken down again
    return torture(options)


if __name__ == "__main__":
    sys.exit(main())
