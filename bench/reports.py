#!/usr/bin/env python3
"""What a report on ROWS resources takes, beside a bare libmongoc loop over the same cursor in the same run.

A seeded generator fills the database: ROWS files with totals, names and parents (ROWS/50 datasets that list them), and
ROWS documents of uses by USERS users. Then one httpd with one child serves the reports, and its memory is looked at
meanwhile. The reports at a tenth of the rows come first: what memory differs by from them is what grows with the rows.

The same is served a second time by an httpd whose types have no MetricsCatalog: reports without names.

Columns: rows, seconds, of these the processor's in the child, MB of the body, seconds to the first byte, how much more
memory (MiB) the child had at most than before, and how many times the bare loop that took. What is no processor time of
the child is the database's: a stand-in may well take its time for what mongod does by an index.
"""

import argparse
import contextlib
import os
import random
import resource
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

from mm_database import Database, build_dir  # noqa: E402
from pymongo import MongoClient  # noqa: E402

from environment import Counts, Httpd  # noqa: E402
from site_under_load import uri  # noqa: E402

BUILD = Path(build_dir())
SEED = 1
BATCH = 20_000
FILES_OF_A_DATASET = 50
DATABASE = "reports"
START = datetime(2024, 1, 1, tzinfo=timezone.utc)

CONF = """
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr "true" users "true"
</Location>
"""
TYPES = """
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsCatalog uploads name=filename parents=datasets:datasets:files
</MetricsType>
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets name=name
</MetricsType>
"""
TOTALS = ("views", "downloads", "machine_views", "machine_downloads", "last_viewed", "last_downloaded")


def counters(dice):
    views = int(dice.paretovariate(0.8)) % 1_000_000
    downloads = dice.randrange(views + 2)
    used = START + timedelta(seconds=dice.randrange(60_000_000))
    return {"views": views, "downloads": downloads, "machine_views": views // 3, "machine_downloads": downloads // 3,
            "last_viewed": used, "last_downloaded": used - timedelta(seconds=dice.randrange(1_000_000)),
            "first_seen": START, "seq": {"0123456789abcdef": 1}}


def use(file, user, counts):
    return {"_id": f"files:{len(file)}:{file}:{user}", "type": "files", "resource": file, "user": user, **counts}


def insert(collection, documents):
    batch = []
    for document in documents:
        batch.append(document)
        if len(batch) == BATCH:
            collection.insert_many(batch, ordered=False)
            batch = []
    if batch:
        collection.insert_many(batch, ordered=False)


def fill(db, rows, users, parts):
    dice = random.Random(SEED)
    began = time.monotonic()
    name = "{:024x}".format
    insert(db.metrics_files, ({"_id": name(n), **counters(dice)} for n in range(rows)))
    insert(db.uploads, ({"_id": name(n), "filename": f"measurement {n}.csv", "contentType": "text/csv"}
                        for n in range(rows)))
    insert(db.datasets, ({"_id": f"d{n}", "name": f"Series {n}, {dice.choice('ABC')}",
                          "files": [name(file) for file in range(n * FILES_OF_A_DATASET, (n + 1) * FILES_OF_A_DATASET)]}
                         for n in range(rows // FILES_OF_A_DATASET)))
    if "parents" in parts:
        db.datasets.create_index("files")
    insert(db.metrics_users, (use(name(n % (rows // 2 or 1)), f"u{user}", counters(dice))
                              for n, user in ((n, (n * 7919 + n // (rows // 2 or 1)) % users) for n in range(rows))))
    print(f"{rows} files, {rows} uses by {users} users: filled in {time.monotonic() - began:.0f} s", flush=True)


def processor(pids):
    """Seconds that processes have had of the processor."""
    ticks = 0
    for pid in pids:
        ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def bare(database, collection, *fields):
    """(seconds, of these the processor's, seconds to the first) of a bare loop over a collection."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(BUILD / "read_cursor"), uri(database, DATABASE), collection, *fields]
    documents, first, seconds = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(documents) > 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return float(seconds), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, float(first)


class Memory(threading.Thread):
    """The most that processes have had in memory since it was started."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self._pids, self._ended = pids, threading.Event()
        self.before = self.most = self._now()
        self.start()

    def _now(self):
        page = os.sysconf("SC_PAGESIZE")
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in self._pids)

    def run(self):
        while not self._ended.wait(0.02):
            self.most = max(self.most, self._now())

    def grown(self):
        self._ended.set()
        self.join()
        return (self.most - self.before) / 2**20


def fetch(port, path):
    """(seconds, bytes of the answer, seconds to the first of the body)"""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.settimeout(600)
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = b""
        while len(head.partition(b"\r\n\r\n")[2]) < 1:
            head += line.recv(4096)
        first = time.monotonic() - began
        assert head.startswith(b"HTTP/1.1 200 "), head
        size, last = len(head), head
        while part := line.recv(1 << 20):
            size, last = size + len(part), part
    assert last.endswith(b"0\r\n\r\n"), "broken off"
    return time.monotonic() - began, size, first


def line(name, rows, seconds, own, size="", first="", grown="", ratio=""):
    print(f"  {name:<34}{rows:>9}{seconds:>9.2f}{own:>9.2f}{size:>8}{first:>9}{grown:>8}{ratio:>9}", flush=True)


def measure(site, name, path, rows, loop):
    children = site.children()
    memory, before = Memory(children), processor(children)
    seconds, size, first = fetch(site.port, path)
    line(name, rows, seconds, processor(children) - before, f"{size / 1e6:.0f}", f"{first:.3f}", f"{memory.grown():.1f}",
         f"{seconds / loop:.2f}" if loop else "")
    return seconds


def reports(database, rows, parts):
    print(f"  {'':<34}{'rows':>9}{'s':>9}{'own s':>9}{'MB':>8}{'first s':>9}{'MiB':>8}{'x bare':>9}")
    totals, own, first = bare(database, "metrics_files", "sorted", *TOTALS)
    line("bare loop over the totals", rows, totals, own, first=f"{first:.3f}")
    with site_of(database, TYPES.replace("MetricsCatalog", "# ")) as site:
        measure(site, "warm: CSV", "/metrics/files.csv?limit=1000", 1000, 0)
        for bound in (rows // 10, rows):
            plain = measure(site, "CSV", f"/metrics/files.csv?parents=none&limit={bound}", bound, totals * bound / rows)
        measure(site, "JSON", "/metrics/files.json?parents=none", rows, totals)
        measure(site, "NDJSON", "/metrics/files.ndjson?parents=none", rows, totals)
        measure(site, "CSV of users", f"/metrics/files/users.csv?parents=none&limit={rows}", rows, 0)
        xlsx = measure(site, "XLSX", "/metrics/files.xlsx?parents=none", rows, totals)
        print(f"  XLSX takes {xlsx / plain:.1f} times the CSV")
    if "names" in parts:
        names, own_names, _ = bare(database, "uploads", "filename")
        line("bare loops over totals and names", rows, totals + names, own + own_names)
        with site_of(database, TYPES) as site:
            measure(site, "warm: CSV", "/metrics/files.csv?parents=none&limit=1000", 1000, 0)
            measure(site, "CSV with names", "/metrics/files.csv?parents=none", rows, totals + names)
            if "parents" in parts:
                series, own_series, _ = bare(database, "datasets", "name", "files")
                line("bare loops over all three", rows, totals + names + series, own + own_names + own_series)
                measure(site, "CSV with names and parents", "/metrics/files.csv", rows, totals + names + series)


@contextlib.contextmanager
def site_of(database, types):
    site = Httpd(CONF, types=types, mongo_uri=uri(database, DATABASE))
    site.counts = Counts(database.uri, DATABASE)
    try:
        site.start()
        site.counts.wait_for_indexes()
        yield site
    finally:
        site.stop()
        site.counts.close()
        site.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--parts", nargs="*", default=["names", "parents"], choices=["names", "parents"])
    options = parser.parse_args()
    with Database(orphan=False) as database:
        print(f"database {database.name}")
        with site_of(database, TYPES):  # its drainer makes the indexes
            fill(MongoClient(database.uri)[DATABASE], options.rows, options.users, options.parts)
        reports(database, options.rows, options.parts)


if __name__ == "__main__":
    main()
