#!/usr/bin/env python3
"""What recording costs: requests per second of an httpd that records, next to one that does not.

Five httpds with the same files and the same event MPM: bare, with a CustomLog (combined), recording with its drainer
and a real database, recording with MetricsDrainer Off (the request path alone: nothing competes for the CPU), and a
second bare one: by how much it differs from the first is what this run cannot tell from nothing. All five run at the
same time, each with a wrk of its own, of which only one is not stopped: they take turns of a tenth of a second, in an
order of its own each time. A machine whose processors are shared with others is faster and slower from one second to the
next by far more than recording costs, and in this way that meets all of them alike. All are started anew for each round:
the same program at other addresses is up to 3 % faster or slower for as long as it runs. A ratio is that of a round to
the mean of its two bare ones.

What is compared first is the processor time that httpd's processes, the drainer included, had for one request, from the
first until all of them are counted; its inverse is what an httpd can answer per second where its processor is what it
lacks. Beside it stand the requests per second of the turns; there, what a drainer does in the turns of others slows
these.

Where there are two processors or more, httpd has the last of them for itself and its drainer, and wrk the others: two
that compete for the same processors share them differently in each run, by far more than recording costs. The database
has wrk's processors, too, as if it were on a machine of its own; the drainer has httpd's.

At the end the database's totals must equal the requests that wrk saw answered, but for those under way when wrk
stopped.
"""

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

from mm_database import Database  # noqa: E402

from environment import Counts, Httpd, wait_for  # noqa: E402
from environment.httpd import BUILD  # noqa: E402
from site_under_load import (CAPTURE, COMMON, RECORDING, TYPES, answers_of, ask, make_files, on,  # noqa: E402
                             processor_time_us, processors, start_wrk, uri, write_script)

TURN = 0.1  # seconds: what disturbs one of them disturbs the next one, too

CUSTOM_LOG = """
CustomLog "${DIR}/access.log" "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\""
"""


@dataclass
class Candidate:
    name: str
    httpd: Httpd
    drained: bool = False  # by a drainer of its own
    counts: Counts = None
    rates: dict = field(default_factory=dict)  # by workload: requests per second
    costs: dict = field(default_factory=dict)  # by workload: microseconds of processor time for a request
    answered: int = 0
    runs: int = 0

    def warm(self, script, options):
        """Threads, indexes."""
        self.count(ask(self.httpd, script, 1, options.connections, options.threads).requests)

    def count(self, answered):
        self.answered += answered
        self.runs += 1
        if self.drained:
            wait_for(lambda: self.in_database() >= self.answered, timeout=600, what="the spool is drained")

    def in_database(self):
        types = ("datasets", "collections", "files")
        return sum(sum(both) for type_ in types for both in self.counts.of(type_).values())


def make_candidates(docroot, database):
    common = COMMON % docroot
    bare = {"modules": ("dir",), "settings": "", "types": "", "module": None}
    recording = {"modules": ("dir",), "types": TYPES}
    candidates = [
        Candidate("bare", Httpd(common, **bare)),
        Candidate("CustomLog combined", Httpd(common + CUSTOM_LOG, **bare)),
        Candidate("recording", Httpd(common + CAPTURE, settings=RECORDING, mongo_uri=uri(database, "bench_on"),
                                     **recording), True, Counts(database.uri, "bench_on")),
        Candidate("recording, no drainer", Httpd(common + CAPTURE, settings=RECORDING + "MetricsDrainer Off\n",
                                                 mongo_uri=uri(database, "bench_off"), **recording), False,
                  Counts(database.uri, "bench_off")),
        Candidate("bare again", Httpd(common, **bare)),
    ]
    for candidate in candidates:
        if candidate.counts:
            candidate.counts.client.drop_database(candidate.counts.db.name)
    return candidates


class Turns:
    """A wrk that asks an httpd in turns only, and is stopped between them."""

    def __init__(self, httpd, script, options):
        self._httpd, self.seconds = httpd, 0
        self._wrk = start_wrk(httpd, script, 3600, options.connections, options.threads, patience=60)
        self._wrk.send_signal(signal.SIGSTOP)
        self._before = processor_time_us(httpd)

    def take(self, seconds):
        self._wrk.send_signal(signal.SIGCONT)
        began = time.monotonic()
        time.sleep(seconds)
        self._wrk.send_signal(signal.SIGSTOP)
        self.seconds += time.monotonic() - began

    def end(self, count):
        """Requests per second of the turns, and microseconds of processor time for a request once count(requests) is
        through."""
        self._wrk.send_signal(signal.SIGCONT)
        while self._wrk.poll() is None:
            self._wrk.send_signal(signal.SIGINT)  # its main thread must get one, to say what it saw; others may be faster
            with suppress(subprocess.TimeoutExpired):
                self._wrk.wait(0.1)
        requests = answers_of(self._wrk, self._httpd).requests
        count(requests)
        return requests / self.seconds, (processor_time_us(self._httpd) - self._before) / requests


def measure(candidates, workload, script, options, dice):
    turns = [Turns(candidate.httpd, script, options) for candidate in candidates]
    for _ in range(round(options.seconds / TURN)):
        for each in dice.sample(turns, len(turns)):
            each.take(TURN)
    for candidate, each in zip(candidates, turns, strict=True):
        rate, cost = each.end(candidate.count)
        candidate.rates.setdefault(workload, []).append(rate)
        candidate.costs.setdefault(workload, []).append(cost)


def one_round(candidates, scripts, options, dice):
    """Every workload, of all candidates at the same time."""
    with on(processors()[0]):
        for candidate in dice.sample(candidates, len(candidates)):
            candidate.httpd.start()
    for candidate in candidates:
        candidate.warm(scripts["pages"], options)
    for workload, script in scripts.items():
        measure(candidates, workload, script, options, dice)
    for candidate in candidates:
        candidate.httpd.stop()


def drain(candidate):
    """What MetricsDrainer Off has left in the spool, or what the drainer did not get to before its httpd was stopped."""
    command = [str(BUILD / "metricsctl"), "drain", "--once", "--double-click", "0", "--spool", str(candidate.httpd.spool), "--uri",
               candidate.httpd.mongo_uri]
    subprocess.run(command, check=True, capture_output=True, text=True)


def shares(of, candidate, candidates):
    """Of each round, the inverse of the processor time for a request, in parts of that of the mean of the two bare ones,
    where `of` gives these times; the same of requests per second where it gives their inverse."""
    rounds = zip(of(candidate), of(candidates[0]), of(candidates[-1]), strict=True)
    return [statistics.mean(bare) / own for own, *bare in rounds]


def by_cost(workload):
    return lambda candidate: candidate.costs[workload]


def by_rate(workload):
    return lambda candidate: [1 / rate for rate in candidate.rates[workload]]


def spread(ratios):
    low, median, high = statistics.quantiles(ratios, n=4)
    return f"{median:>9.3f} ({low:.3f} to {high:.3f})"


def table(candidates, workload):
    print(f"\n{workload:22}{'CPU us each':>11}{'of bare':>9} (middle half) {'+-':>9}{'requests/s':>12}{'of bare':>9} (middle half)")
    for candidate in candidates:
        own = shares(by_cost(workload), candidate, candidates)
        print(f"{candidate.name:22}{statistics.median(candidate.costs[workload]):>11.2f}{spread(own)}"
              f"{1.25 * statistics.stdev(own) / len(own) ** 0.5:>9.3f}"
              f"{statistics.median(candidate.rates[workload]):>12.0f}"
              f"{spread(shares(by_rate(workload), candidate, candidates))}")


def check_totals(candidates, connections):
    """Whether all that was answered was counted, and nothing else."""
    correct = True
    for candidate in candidates:
        if not candidate.counts:
            continue
        drain(candidate)
        counted = candidate.in_database()
        in_flight = candidate.runs * connections
        right = 0 <= counted - candidate.answered <= in_flight
        correct = correct and right
        print(f"counted ({candidate.name}): {counted} in the database, {candidate.answered} answered, at most "
              f"{in_flight} more under way when wrk stopped: {'ok' if right else 'WRONG'}")
    return correct


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=2, help="of each, in a round of a workload")
    parser.add_argument("--connections", type=int, default=32, help="kept alive, at most 128")
    parser.add_argument("--threads", type=int, default=1, help="of wrk")
    parser.add_argument("--at-least", type=float, metavar="RATIO",
                        help="fail when recording keeps less than this share of bare in any workload")
    return parser.parse_args(arguments)


def run(options, place, database):
    docroot = place / "htdocs"
    scripts = {}
    for workload, paths in make_files(docroot).items():
        scripts[workload] = write_script(place / f"{workload}.lua", paths)
    place.chmod(0o755)
    candidates = make_candidates(docroot, database)
    try:
        for number in range(options.rounds):
            one_round(candidates, scripts, options, random.Random(number))
            print(f"round {number + 1}: CPU us " + ", ".join(
                f"{c.name} {'/'.join(f'{costs[-1]:.1f}' for costs in c.costs.values())}" for c in candidates), flush=True)
        print(f"\n{os.cpu_count()} CPUs, httpd on {len(processors()[0])} of them, {options.rounds} rounds of "
              f"{options.seconds} s in turns of {TURN} s, wrk -t{options.threads} -c{options.connections}, database {database.name}")
        for workload in scripts:
            table(candidates, workload)
        print()
        correct = check_totals(candidates, options.connections)
    finally:
        for candidate in candidates:
            candidate.httpd.remove()
            if candidate.counts:
                candidate.counts.client.drop_database(candidate.counts.db.name)
                candidate.counts.close()
    share = min(statistics.median(shares(by_cost(workload), candidates[2], candidates)) for workload in scripts)
    return correct and (options.at_least is None or share >= options.at_least)


def main():
    options = parse(sys.argv[1:])
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: scripts/bootstrap bench")
    place = Path(tempfile.mkdtemp(prefix="mm-bench-", dir="/tmp"))
    try:
        with on(processors()[1]):
            database = Database(orphan=False).start()
        with database:
            sys.exit(0 if run(options, place, database) else 1)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
