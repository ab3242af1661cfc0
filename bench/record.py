#!/usr/bin/env python3
"""What recording costs: requests per second of an httpd that records, next to one that does not.

Five httpds with the same files and the same event MPM: bare, with a CustomLog (combined), recording with its drainer
and a real database, recording with MetricsDrainer Off (the request path alone: nothing competes for the CPU), and a
second bare one: by how much it differs from the first is what this run cannot tell from nothing. In each round wrk asks
all of them, in an order of its own, so that whatever else the machine does meets all of them alike; a ratio is that of a
run to the mean of the round's two bare ones. Each httpd is started anew for each round: the same program at other
addresses is up to 3 % faster or slower for as long as it runs. Before the next one is asked, the drainer has emptied the spool: its work
is never charged to another.

Where there are two processors or more, httpd has the last of them for itself and its drainer, and wrk the others: two
that compete for the same processors share them differently in each run, by far more than recording costs. The database
has wrk's processors, too, as if it were on a machine of its own; the drainer has httpd's.

At the end the database's totals must equal the requests that wrk saw answered, but for those under way when wrk
stopped.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

from mm_database import Database  # noqa: E402

from environment import Counts, Httpd, wait_for  # noqa: E402
from environment.httpd import BUILD  # noqa: E402

# Pages of 10 to 60 KB, some of them a directory's index, and downloads of 100 KB to 1 MB: small for research data. All of
# them match a rule. `pages` is the hardest case, a site of which nobody downloads anything; `site` has a download behind
# every third page.
DATASETS, COLLECTIONS, FILES = 150, 10, 40
TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsDownload "^/api/datasets/([^/]+)/download$"
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)/$"
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsDownload "^/api/files/([^/]+)/blob$"
</MetricsType>
"""
RECORDING = """
MetricsMongoURI "${MONGO_URI}"
MetricsSpool "${SPOOL}"
"""
COMMON = """
DocumentRoot "%s"
DirectoryIndex index.html
LogLevel warn
MaxKeepAliveRequests 0
# Each child can hold all connections: one that runs out of threads closes those that are kept alive.
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 256
MaxSpareThreads 256
StartServers 2
"""
# As the README recommends it.
CAPTURE = """
MetricsCapture On
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz none
</Location>
"""
CUSTOM_LOG = """
CustomLog "${DIR}/access.log" "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\""
"""

# Each wrk thread goes round the same list, from a place of its own.
SCRIPT = """
local paths, requests, at = %s, {}, 0
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end
function init()
    wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    wrk.headers["Accept-Language"] = "en-GB,en;q=0.5"
    for i, path in ipairs(paths) do
        requests[i] = wrk.format("GET", path)
    end
    at = number * 37
end
function request()
    at = at %% #requests + 1
    return requests[at]
end
function done(summary)
    local e = summary.errors
    io.write(string.format('{"requests":%%d,"microseconds":%%d,"errors":%%d}\\n', summary.requests, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass
class Candidate:
    name: str
    httpd: Httpd
    drained: bool = False  # by a drainer of its own
    counts: Counts = None
    rates: dict = field(default_factory=dict)  # by workload
    answered: int = 0
    runs: int = 0

    def in_database(self):
        types = ("datasets", "collections", "files")
        return sum(sum(both) for type_ in types for both in self.counts.of(type_).values())


def make_files(docroot):
    """Writes the files and returns {workload: paths}."""
    pages, downloads = [], []

    def write(path, size):
        target = docroot / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((f"<p>{path}</p>\n".encode() * size)[:size])

    def size_of(number):
        return 10_000 + number * 7919 % 50_000

    for n in range(DATASETS):
        write(f"/datasets/ds{n}", size_of(n))
        pages.append(f"/datasets/ds{n}")
    for n in range(COLLECTIONS):
        write(f"/collections/c{n}/index.html", size_of(n))
        pages += [f"/collections/c{n}/"] * 3
    for n in range(FILES):
        write(f"/files/f{n}", size_of(n))
        write(f"/api/files/f{n}/blob", 100_000 + n * 79_193 % 900_000)
        pages.append(f"/files/f{n}")
        downloads.append(f"/api/files/f{n}/blob")
    times = len(pages) // 3 // len(downloads) + 1
    site = pages + (downloads * times)[:len(pages) // 3]
    return {"pages": sorted(pages, key=hash_of), "site": sorted(site, key=hash_of)}


def hash_of(text):
    """Mixes the list, the same way every time."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value, text


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


def uri(database, name):
    head, _, query = database.uri.partition("?")
    scheme, _, rest = head.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{name}" + (f"?{query}" if query else "")


@contextmanager
def on(processors):
    """What is started inside runs on these processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processors():
    """Those of httpd, and those of wrk."""
    all_of_them = sorted(os.sched_getaffinity(0))
    return (set(all_of_them[-1:]), set(all_of_them[:-1])) if all_of_them[1:] else (set(all_of_them),) * 2


def ask(candidate, script, options, seconds):
    """Lets wrk ask for so long; requests per second."""
    command = ["wrk", f"-t{options.threads}", f"-c{options.connections}", f"-d{seconds}s", "-s", str(script),
               f"http://127.0.0.1:{candidate.httpd.port}"]
    with on(processors()[1]):
        result = subprocess.run(command, check=True, capture_output=True, text=True)
    summary = json.loads(result.stdout.splitlines()[-1])
    if summary["errors"]:
        sys.exit(f"{candidate.name}: {summary['errors']} requests failed\n{result.stdout}\n"
                 + candidate.httpd.log_text())
    candidate.answered += summary["requests"]
    candidate.runs += 1
    return summary["requests"] / (summary["microseconds"] / 1e6)


def measure(candidate, scripts, options):
    """One round of one candidate: every workload."""
    with on(processors()[0]):
        candidate.httpd.start()
    ask(candidate, scripts["pages"], options, 1)  # warm: threads, indexes
    for workload, script in scripts.items():
        candidate.rates.setdefault(workload, []).append(ask(candidate, script, options, options.seconds))
    if candidate.drained:
        wait_for(lambda: candidate.in_database() >= candidate.answered, timeout=600, what="the spool is drained")
    candidate.httpd.stop()


def drain(candidate):
    """What MetricsDrainer Off has left in the spool, or what the drainer did not get to before its httpd was stopped."""
    command = [str(BUILD / "metricsctl"), "drain", "--once", "--spool", str(candidate.httpd.spool), "--uri",
               candidate.httpd.mongo_uri]
    subprocess.run(command, check=True, capture_output=True, text=True)


def shares(candidate, candidates, workload):
    """Of each round: the share of the mean of the two bare ones."""
    first, last = candidates[0].rates[workload], candidates[-1].rates[workload]
    return [rate / statistics.mean(bare) for rate, *bare in zip(candidate.rates[workload], first, last)]


def table(candidates, workload):
    print(f"\n{workload:24}{'requests/s':>12}  {'of bare':>8}   middle half of the rounds")
    for candidate in candidates:
        ratios = shares(candidate, candidates, workload)
        low, median, high = statistics.quantiles(ratios, n=4)
        print(f"{candidate.name:24}{statistics.median(candidate.rates[workload]):>12.0f}  {median:>8.3f}"
              f"   {low:.3f} to {high:.3f}")


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
        scripts[workload] = place / f"{workload}.lua"
        scripts[workload].write_text(SCRIPT % ("{" + ",".join(f'"{path}"' for path in paths) + "}"))
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
