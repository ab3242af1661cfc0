#!/usr/bin/env python3
"""What recording costs: requests per second of an httpd that records, next to one that does not.

Five httpds with the same files and the same event MPM: bare, with a CustomLog (combined), recording with its drainer
and a real database, recording with MetricsDrainer Off (the request path alone: nothing competes for the CPU), and a
second bare one: by how much it differs from the first is what this run cannot tell from nothing. In each round wrk asks
all of them, in an order of its own, so that whatever else the machine does meets all of them alike; a ratio is that of a
run to the mean of the round's two bare ones. Each httpd is started anew for each round: the same program at other
addresses is up to 3 % faster or slower for as long as it runs. Before the next one is asked, the drainer has emptied
the spool: its work is never charged to another.

Beside requests per second stands the processor time that httpd's processes, the drainer included, had for one request,
from the first until all of them are counted. On a machine whose processors are shared with others, requests per second
say how much of them there was to be had in those seconds, and by how much that differs from one second to the next is
many times what recording costs; processor time is only disturbed by what others leave in the caches.

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
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

from mm_database import Database  # noqa: E402

from environment import Counts, Httpd, wait_for  # noqa: E402
from environment.httpd import BUILD  # noqa: E402
from site_under_load import (CAPTURE, COMMON, RECORDING, TYPES, ask, make_files, on, processor_time_us,  # noqa: E402
                             processors, uri, write_script)

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

    def ask(self, script, options, seconds):
        """Requests per second, and microseconds of processor time for one of them."""
        before = processor_time_us(self.httpd)
        answers = ask(self.httpd, script, seconds, options.connections, options.threads)
        self.answered += answers.requests
        self.runs += 1
        if self.drained:
            wait_for(lambda: self.in_database() >= self.answered, timeout=600, what="the spool is drained")
        return answers.per_second, (processor_time_us(self.httpd) - before) / answers.requests

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


def measure(candidate, scripts, options):
    """One round of one candidate: every workload."""
    with on(processors()[0]):
        candidate.httpd.start()
    candidate.ask(scripts["pages"], options, 1)  # warm: threads, indexes
    for workload, script in scripts.items():
        rate, cost = candidate.ask(script, options, options.seconds)
        candidate.rates.setdefault(workload, []).append(rate)
        candidate.costs.setdefault(workload, []).append(cost)
    candidate.httpd.stop()


def drain(candidate):
    """What MetricsDrainer Off has left in the spool, or what the drainer did not get to before its httpd was stopped."""
    command = [str(BUILD / "metricsctl"), "drain", "--once", "--double-click", "0", "--spool", str(candidate.httpd.spool), "--uri",
               candidate.httpd.mongo_uri]
    subprocess.run(command, check=True, capture_output=True, text=True)


def shares(candidate, candidates, workload):
    """Of each round: the share of the requests per second of the mean of the two bare ones."""
    first, last = candidates[0].rates[workload], candidates[-1].rates[workload]
    return [rate / statistics.mean(bare) for rate, *bare in zip(candidate.rates[workload], first, last)]


def shares_by_cost(candidate, candidates, workload):
    """The same, had every request the processor time that it took and nobody else the processor."""
    first, last = candidates[0].costs[workload], candidates[-1].costs[workload]
    return [statistics.mean(bare) / cost for cost, *bare in zip(candidate.costs[workload], first, last)]


def spread(ratios):
    low, median, high = statistics.quantiles(ratios, n=4)
    return f"{median:>10.3f} ({low:.3f} to {high:.3f})"


def table(candidates, workload):
    print(f"\n{workload:22}{'requests/s':>11}{'of bare':>10} (middle half)   {'CPU us each':>12}{'of bare':>10} (middle half)")
    for candidate in candidates:
        print(f"{candidate.name:22}{statistics.median(candidate.rates[workload]):>11.0f}"
              f"{spread(shares(candidate, candidates, workload))}"
              f"{statistics.median(candidate.costs[workload]):>12.2f}"
              f"{spread(shares_by_cost(candidate, candidates, workload))}")


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
    parser.add_argument("--seconds", type=int, default=2, help="of each run")
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
            for candidate in random.Random(number).sample(candidates, len(candidates)):
                measure(candidate, scripts, options)
            print(f"round {number + 1}: " + ", ".join(
                f"{c.name} {'/'.join(f'{rates[-1]:.0f}' for rates in c.rates.values())}" for c in candidates),
                flush=True)
        print(f"\n{os.cpu_count()} CPUs, httpd on {len(processors()[0])} of them, {options.rounds} rounds of "
              f"{options.seconds} s, wrk -t{options.threads} -c{options.connections}, database {database.name}")
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
    share = min(statistics.median(shares(candidates[2], candidates, workload)) for workload in scripts)
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
