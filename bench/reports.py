#!/usr/bin/env python3
"""What reports on ROWS resources take, beside bare libmongoc loops over the same documents in the same run.

A seeded generator fills the database: ROWS files with totals, names and parents (ROWS/50 datasets that list them), and
ROWS documents of uses by USERS users. Two httpds with one child each serve the reports: one whose types have no
MetricsCatalog, so that reports are without names, and one with names and parents. Loops and reports take turns, ROUNDS
times or as often as there is time; what is printed are medians.

There are two kinds of loops to hold a report with names against. A scan reads the totals, and then each collection of the
catalogue from its beginning to its end. Look-ups read the totals, and for each 500 of them the documents of the catalogue
by their ids, as a report must, whose order is that of views. How much longer the second takes is the server's doing. They ask for
each id in the form that it has, over one connection and one batch at a time: a report has to find the form out, and has two
connections, so it may well be faster.

Reports of a period are made of metrics_days: each file was used on a day of January 2026 and on one of the year before, and
every tenth file on one of February; the first file on each of 1000 days. They stand beside a loop over the same
documents in the order of days, and are made once.

Look-ups in lists (a dataset's files) take a stand-in for mongod so long that the reports with parents are made of
PARENT_ROWS rows; scans are taken in proportion.

Columns: rows; seconds; of these the processor's in the child (or the loop); MB of the body; seconds to the first byte; how
much more memory (MiB) the child had at most than before; and how many times as long as each kind of loop that took.
"""

import argparse
import contextlib
import os
import random
import re
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

from mm_database import Database, build_dir  # noqa: E402
from pymongo import MongoClient  # noqa: E402

from environment import Counts, Httpd  # noqa: E402
from environment.httpd import SETTINGS  # noqa: E402
from site_under_load import uri  # noqa: E402

BUILD = Path(build_dir())
SEED = 1
BATCH = 20_000
FILES_OF_A_DATASET = 50
DATABASE = "reports"
START = datetime(2024, 1, 1, tzinfo=timezone.utc)
JANUARY = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAYS_OF_ONE = 1000

CONF = """
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr "true" users "true"
</Location>
<Location "/each">
    SetHandler metrics
    MetricsAuthz expr report="true" resources="env('METRICS_ID') != ''"
</Location>
MetricsCounter types=files
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


def fill_totals(db, rows):
    dice, name = random.Random(SEED), "{:024x}".format
    insert(db.metrics_files, ({"_id": name(n), **counters(dice)} for n in range(rows)))


def fill_catalogue(db, rows):
    dice, name = random.Random(SEED), "{:024x}".format
    insert(db.uploads, ({"_id": name(n), "filename": f"measurement {n}.csv", "contentType": "text/csv"}
                        for n in range(rows)))
    db.datasets.create_index("files")
    insert(db.datasets, ({"_id": f"d{n}", "name": f"Series {n}, {dice.choice('ABC')}",
                          "files": [name(file) for file in range(n * FILES_OF_A_DATASET, (n + 1) * FILES_OF_A_DATASET)]}
                         for n in range(rows // FILES_OF_A_DATASET)))


def fill_users(db, rows, users):
    dice, name = random.Random(SEED), "{:024x}".format
    insert(db.metrics_users, (use(name(n % (rows // 2 or 1)), f"u{user}", counters(dice))
                              for n, user in ((n, (n * 7919 + n // (rows // 2 or 1)) % users) for n in range(rows))))


def fill_days(db, rows):
    dice, name = random.Random(SEED), "{:024x}".format

    def used(n, day):
        views = dice.randrange(1, 9)
        return {"type": "files", "resource": name(n), "day": day, "views": views, "downloads": 1,
                "machine_views": views // 3, "machine_downloads": 0, "unique_views": 1, "unique_downloads": 1,
                "unique_investigations": 1, "machine_unique_views": 0, "machine_unique_downloads": 0,
                "machine_unique_investigations": 0}

    def all_of():
        for n in range(rows):
            yield used(n, JANUARY + timedelta(days=n % 31))
            yield used(n, JANUARY - timedelta(days=1 + n % 365))
            if n % 10 == 0:
                yield used(n, JANUARY + timedelta(days=31 + n // 10 % 28))
        for n in range(DAYS_OF_ONE):
            yield {**used(0, START - timedelta(days=1 + n)), "user": "u0"}
    insert(db.metrics_days, all_of())


def fill(db, rows, users, with_periods):
    """Two at a time: the server has more than one core. Of the drainer's indexes those that the reports here use."""
    began = time.monotonic()
    db.metrics_files.create_index([("views", -1), ("downloads", -1), ("_id", 1)], name="totals")
    db.metrics_users.create_index([("type", 1), ("views", -1), ("downloads", -1), ("resource", 1), ("user", 1)],
                                  name="by_use")
    db.metrics_users.create_index([("type", 1), ("resource", 1), ("user", 1)], name="users_of")
    db.metrics_days.create_index([("resource", 1), ("type", 1), ("day", 1)], name="by_resource")
    db.metrics_days.create_index([("day", 1), ("type", 1)], name="by_day")
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(fill_totals, db, rows), pool.submit(fill_users, db, rows, users),
                     pool.submit(fill_catalogue, db, rows), pool.submit(fill_days, db, rows if with_periods else 0)]:
            done.result()
    print(f"{rows} files, {rows} uses by {users} users: filled in {time.monotonic() - began:.0f} s", flush=True)


def processor(pids):
    """Seconds that processes have had of the processor."""
    ticks = 0
    for pid in pids:
        ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def loop(database, collection, *words):
    """(seconds, of these the processor's, seconds to the first document) of a bare loop."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(BUILD / "read_cursor"), uri(database, DATABASE), collection, *words]
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
        fields, _, body = head.partition(b"\r\n\r\n")
        assert fields.startswith(b"HTTP/1.1 200 "), head
        length = re.search(rb"(?i)^content-length: (\d+)", fields, re.M)  # a small one is sent as a whole
        size, last = len(body), body
        while part := line.recv(1 << 20):
            size, last = size + len(part), (last + part)[-5:]
    assert size == int(length[1]) if length else last.endswith(b"0\r\n\r\n"), "broken off"
    return time.monotonic() - began, size, first


class Table:
    """What was measured, each name several times."""

    def __init__(self):
        self._lines = {}

    def add(self, name, rows, seconds, own, first, size=0, grown=0.0):
        self._lines.setdefault(name, []).append((rows, seconds, own, size / 1e6, first, grown))
        print(f"  {name}: {seconds:.2f} s", flush=True)

    def seconds(self, name):
        return statistics.median(line[1] for line in self._lines[name])

    def show(self, name, scan=0, look_ups=0):
        """scan, look_ups: seconds of loops; 0: none to compare with."""
        rows, seconds, own, size, first, _ = map(statistics.median, zip(*self._lines[name], strict=True))
        grown = max(line[5] for line in self._lines[name])
        print(f"  {name:<44}{rows:>9.0f}{seconds:>9.2f}{own:>8.2f}" + (f"{size:>6.0f}" if size else " " * 6)
              + f"{first:>8.2f}" + (f"{grown:>7.1f}" if size else " " * 7)
              + "".join(f"{seconds / each:>8.2f}" if each else " " * 8 for each in (scan, look_ups)), flush=True)


HEAD = f"  {'':<44}{'rows':>9}{'s':>9}{'own s':>8}{'MB':>6}{'first':>8}{'MiB':>7}{'x scan':>8}{'x l.-u.':>8}"


def report(table, site, name, path, rows):
    children = site.children()
    memory, before = Memory(children), processor(children)
    seconds, size, first = fetch(site.port, path)
    table.add(name, rows, seconds, processor(children) - before, first, size, memory.grown())


ORDER = "sort=views:-1,downloads:-1,_id:1"
USERS_ORDER = "sort=views:-1,downloads:-1,resource:1,user:1"
NAMES = "uploads:_id:500:filename"
LISTS = "datasets:files:64:name,files"


def one_round(table, database, plain, named, rows, parent_rows):
    def bare(name, n, *words):
        table.add(name, n, *loop(database, *words))

    bare("loop: totals", rows, "metrics_files", ORDER, *TOTALS)
    report(table, plain, "CSV", "/metrics/files.csv?parents=none", rows)
    bare("loop: names, scan", rows, "uploads", "filename")
    bare("loop: totals, look-ups of names", rows, "metrics_files", ORDER, *TOTALS, NAMES)
    report(table, named, "CSV with names", "/metrics/files.csv?parents=none", rows)
    bare("loop: the first totals", parent_rows, "metrics_files", ORDER, f"limit={parent_rows}", *TOTALS)
    bare("loop: datasets with their files, scan", rows, "datasets", "name", "files")
    bare("loop: totals, look-ups of names and parents", parent_rows, "metrics_files", ORDER, f"limit={parent_rows}",
         *TOTALS, NAMES, LISTS)
    report(table, named, "CSV with names and parents", f"/metrics/files.csv?limit={parent_rows}", parent_rows)
    bare("loop: users", rows, "metrics_users", "where=type:files", USERS_ORDER, "resource", "user", *TOTALS)
    report(table, plain, "CSV of users", "/metrics/files/users.csv?parents=none", rows)
    report(table, plain, "XLSX", "/metrics/files.xlsx?parents=none", rows)


def others(table, plain, named, rows, parent_rows):
    """Once each; the first ones show what memory grows by with the rows."""
    for site, of in ((plain, ""), (named, " with names")):
        report(table, site, f"warm{of}", "/metrics/files.csv?parents=none&limit=1000", 1000)
        report(table, site, f"CSV{of}, a tenth", f"/metrics/files.csv?parents=none&limit={rows // 10}", rows // 10)
    report(table, named, "CSV with parents at all levels",
           f"/metrics/files.csv?limit={parent_rows}&columns=parent_datasets", parent_rows)
    for format_ in ("json", "ndjson", "tsv"):
        report(table, plain, format_.upper(), f"/metrics/files.{format_}?parents=none", rows)


def periods(table, database, plain, rows):
    """Once each. Rows are documents of days; of the report of users they are rows."""
    month = "/metrics/counter/reports/dsr?begin_date=2026-{0}&end_date=2026-{0}"
    documents = 2 * rows + (rows + 9) // 10 + DAYS_OF_ONE
    table.add("loop: days", documents,
              *loop(database, "metrics_days", "sort=day:1", "day", "resource", "views", "downloads"))
    report(table, plain, "COUNTER, a month, a tenth", month.format("02"), (rows + 9) // 10)
    report(table, plain, "COUNTER, a month", month.format("01"), rows)
    report(table, plain, "COUNTER, a month, TSV", month.format("01") + "&format=tsv", rows)
    report(table, plain, "the site by day", "/metrics/days.csv", documents)
    report(table, plain, "the site by month", "/metrics/days.csv?per=month", documents)
    report(table, plain, "the site by day, each file asked about", "/each/days.csv", documents)
    report(table, plain, "one file's days", f"/metrics/files/{0:024x}/days", DAYS_OF_ONE)
    report(table, plain, "users, others=1, a tenth", f"/metrics/files/users.csv?parents=none&others=1&limit={rows // 10}",
           rows // 10)
    report(table, plain, "users, others=1", "/metrics/files/users.csv?parents=none&others=1", rows)


PERIODS = ("loop: days", "COUNTER, a month, a tenth", "COUNTER, a month", "COUNTER, a month, TSV", "the site by day",
           "the site by month", "the site by day, each file asked about", "one file's days", "users, others=1, a tenth",
           "users, others=1")


def show(table, rows, parent_rows, with_periods):
    totals = table.seconds("loop: totals")
    names = totals + table.seconds("loop: names, scan")
    part = parent_rows / rows
    parents = table.seconds("loop: the first totals") + part * (
        table.seconds("loop: names, scan") + table.seconds("loop: datasets with their files, scan"))
    by_ids = table.seconds("loop: totals, look-ups of names and parents")
    print(HEAD)
    for name in ("loop: totals", "loop: the first totals", "loop: names, scan", "loop: datasets with their files, scan", "loop: users",
                 "loop: totals, look-ups of names", "loop: totals, look-ups of names and parents"):
        table.show(name)
    table.show("CSV, a tenth")
    table.show("CSV", totals)
    table.show("TSV", totals)
    table.show("JSON", totals)
    table.show("NDJSON", totals)
    table.show("XLSX", totals)
    table.show("CSV of users", table.seconds("loop: users"))
    table.show("CSV with names, a tenth")
    table.show("CSV with names", names, table.seconds("loop: totals, look-ups of names"))
    table.show("CSV with names and parents", parents, by_ids)
    table.show("CSV with parents at all levels", parents, by_ids)
    for name in PERIODS if with_periods else ():
        table.show(name)
    print(f"  XLSX takes {table.seconds('XLSX') / table.seconds('CSV'):.1f} times the CSV")


def reports(database, rows, parent_rows, rounds, until, with_periods):
    """At least one round; another one only where there seems to be time for it."""
    table = Table()
    with site_of(database, TYPES.replace("MetricsCatalog", "# ")) as plain, site_of(database, TYPES) as named:
        others(table, plain, named, rows, parent_rows)
        for n in range(rounds):
            began = time.monotonic()
            one_round(table, database, plain, named, rows, parent_rows)
            took = time.monotonic() - began
            print(f"round {n + 1} of {rounds}: {took:.0f} s, load {os.getloadavg()[0]:.1f}", flush=True)
            if time.monotonic() + took > until:
                break
        if with_periods:
            periods(table, database, plain, rows)
    show(table, rows, parent_rows, with_periods)


@contextlib.contextmanager
def site_of(database, types):
    """Without a drainer, which would make the indexes that were left out. A stand-in sorts a million totals anew for each
    report; that may take it longer than the time after which the module takes a database for dead."""
    patient = uri(database, DATABASE)
    patient += ("&" if "?" in patient else "?") + "socketTimeoutMS=300000"
    site = Httpd(CONF, types=types, mongo_uri=patient, settings=SETTINGS + "MetricsDrainer Off\n")
    site.counts = Counts(database.uri, DATABASE)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        site.counts.close()
        site.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parent-rows", type=int, help="default: at most 50,000")
    parser.add_argument("--minutes", type=float, default=14, help="no further round where it would take longer")
    parser.add_argument("--periods", action=argparse.BooleanOptionalAction, default=True,
                        help="reports of days, COUNTER and others=1, which take a stand-in long")
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    parent_rows = options.parent_rows or min(options.rows, 50_000)
    with Database(orphan=False) as database:
        print(f"database {database.name}")
        fill(MongoClient(database.uri)[DATABASE], options.rows, options.users, options.periods)
        reports(database, options.rows, parent_rows, options.rounds, until, options.periods)


if __name__ == "__main__":
    main()
