#!/usr/bin/env python3
"""What permissions add to a report on ROWS resources, by provider, in the same run.

A seeded generator fills two databases with totals, and as Clowder would with as many files and datasets that list 50 of them
each, each in one of 100 spaces. The requester is a member of all of these, so that every row has to be decided about and every
row is shown. A stranger is a member of none and owns nothing: every row has to be decided about, and none is shown.
Reports under the different providers take turns, ROUNDS times; what is printed are medians, and how much longer each takes
than under a provider that is asked once and grants everything (`expr true`).

The first table is of ROWS and of an httpd whose types have no MetricsCatalog: the leanest report there is, on which permissions
weigh most. The second is of FULL_ROWS and the report as people get it, with names and parents as conf/clowder.conf has them; look-ups in lists (a
dataset's files) take a stand-in for mongod so long that it has fewer rows. Its last line is a report of somebody who owns
1000 of the files.

Columns: rows; seconds; of these the processor's in the child; MB of the body; seconds to the first byte; how much more
memory (MiB) the child had at most than before; what the provider adds, in per cent of all seconds, of those behind the first
byte, and of the child's own. The seconds before the first byte are the database's, which may have to sort all totals.
"""

import argparse
import contextlib
import os
import random
import socket
import statistics
import time
from datetime import timedelta

from bson import ObjectId
from pymongo import MongoClient

from reports import SEED, START, Memory, counters, insert, processor  # also sets the path

from environment import Counts, Httpd  # noqa: E402
from environment.client import basic  # noqa: E402
from mm_database import Database  # noqa: E402
from site_under_load import uri  # noqa: E402

PLAIN_DATABASE, FULL_DATABASE = "permissions", "permissions_full"
FILES_OF_A_DATASET = 50
SPACES = 100
OWN = 1000
MEMBER, OWNER, STRANGER = (ObjectId(digit * 24) for digit in "abc")

PROVIDERS = {
    "once": "expr true users true",
    "each": 'expr report=true resources="%{reqenv:METRICS_ID} =~ /^[0-9a-f]{24}$/" people=true',
    "any": 'any { owner } { expr report=true resources="%{reqenv:METRICS_ID} =~ /^[0-9a-f]{24}$/" }',
    "clowder": "clowder server=private user=id",
    "stranger": "clowder server=private user=id",
    "owner": "owner",
}
NAMES = {"once": "expr, asked once", "each": "expr, for each resource", "any": "any of owner and expr for each",
         "clowder": "clowder, private, a member", "stranger": "clowder, private, a stranger", "owner": "owner of few"}

SECTION = """
<Location "/{name}">
    SetHandler metrics
    AuthType Basic
    AuthName "reports"
    AuthUserFile "${{DIR}}/passwords"
    Require valid-user
    MetricsAuthz {line}
</Location>
"""
PLAIN_TYPES = """
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
</MetricsType>
"""
FULL_TYPES = """
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsCatalog uploads id=_id name=filename owner=author._id parents=datasets:datasets:files \\
                   parents=datasets:folders:files:parentDatasetId
</MetricsType>
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsCatalog datasets id=_id name=name owner=author._id
</MetricsType>
"""
PLAIN, FULL = ("once", "each", "clowder", "stranger"), ("once", "each", "any", "clowder", "stranger", "owner")
REQUESTERS = {"owner": OWNER, "stranger": STRANGER}


def oid(n):
    return ObjectId(f"{n:024x}")


def fill_totals(db, rows):
    dice = random.Random(SEED)
    began = time.monotonic()
    insert(db.metrics_files, ({"_id": f"{n:024x}", **counters(dice)} for n in range(rows)))
    print(f"{rows} totals: filled in {time.monotonic() - began:.0f} s", flush=True)


def fill_all(db, rows):
    dice = random.Random(SEED)
    fill_totals(db, rows)
    began = time.monotonic()
    # First of all: a stand-in takes for ever to index what is there already.
    db.uploads.create_index([("author._id", 1), ("_id", 1)])
    db.datasets.create_index("files")
    db.folders.create_index("files")
    insert(db.uploads, ({"_id": oid(n), "filename": f"measurement {n}.csv", "status": "PROCESSED",
                         "author": {"_id": OWNER if n % (rows // OWN or 1) == 0 else oid(1 << 60)}} for n in range(rows)))
    insert(db.datasets, ({"_id": oid(1 << 50 | n), "name": f"Series {n}", "author": {"_id": oid(1 << 60)},
                          "status": "PRIVATE", "trash": False, "spaces": [oid(1 << 55 | dice.randrange(SPACES))],
                          "files": [oid(file) for file in range(n * FILES_OF_A_DATASET, (n + 1) * FILES_OF_A_DATASET)]}
                         for n in range(rows // FILES_OF_A_DATASET)))
    insert(db["spaces.projects"], ({"_id": oid(1 << 55 | n), "name": f"Space {n}", "status": "PRIVATE",
                                    "creator": oid(1 << 60)} for n in range(SPACES)))
    role = {"name": "Viewer", "permissions": ["ViewDataset", "ViewFile", "ViewCollection", "ViewSpace", "ViewUser"]}
    db["social.users"].insert_many([
        {"_id": user, "email": f"{name}@example.org", "fullName": name, "status": "Active",
         "identityId": {"userId": f"{name}@example.org", "providerId": "userpass"},
         "termsOfServices": {"accepted": True, "acceptedDate": START + timedelta(days=1)},
         "spaceandrole": [{"spaceId": oid(1 << 55 | n), "role": role} for n in range(spaces)]}
        for name, user, spaces in (("member", MEMBER, SPACES), ("owner", OWNER, SPACES), ("stranger", STRANGER, 0))])
    db["app.configuration"].insert_one({"key": "tos.date", "value": START})
    print(f"{rows} files in {rows // FILES_OF_A_DATASET} datasets: filled in {time.monotonic() - began:.0f} s", flush=True)


def fetch(port, path, user):
    """(seconds, bytes of the answer, seconds to the first of the body, rows)"""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.settimeout(600)
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {basic(str(user), 'x')}\r\n"
                     "Connection: close\r\n\r\n".encode())
        head = b""
        while len(head.partition(b"\r\n\r\n")[2]) < 1:
            head += line.recv(4096)
        first = time.monotonic() - began
        assert head.startswith(b"HTTP/1.1 200 "), head
        size, ends, last = len(head), head.partition(b"\r\n\r\n")[2].count(b"\n"), head
        while part := line.recv(1 << 20):
            size, ends, last = size + len(part), ends + part.count(b"\n"), (last + part)[-8:]
    assert last.endswith(b"0\r\n\r\n"), f"{path}: broken off"
    return time.monotonic() - began, size, first, ends


def shown(name, rows):
    return {"owner": OWN, "stranger": 0}.get(name, rows)


class Table:
    def __init__(self):
        self._lines = {}

    def measure(self, site, name, rows, parameters):
        children = site.children()
        memory, before = Memory(children), processor(children)
        seconds, size, first, ends = fetch(site.port, f"/{name}/files.csv?{parameters}", REQUESTERS.get(name, MEMBER))
        own = processor(children) - before
        # Lines of the body, and of the chunks that it travels in.
        assert ends > shown(name, rows), f"{name}: {ends} lines"
        self._lines.setdefault(name, []).append((seconds, own, size / 1e6, first, memory.grown()))

    def _figures(self, name):
        """Seconds, those behind the first byte, and the child's own."""
        lines = self._lines[name]
        return [statistics.median(line[0] for line in lines), statistics.median(line[0] - line[3] for line in lines),
                max(statistics.median(line[1] for line in lines), 0.01)]

    def show(self, rows):
        print(f"  {'':<36}{'rows':>9}{'s':>9}{'own s':>8}{'MB':>6}{'first':>8}{'MiB':>7}{'adds':>8}{'behind':>8}{'own':>8}")
        bases = self._figures("once")
        for name, lines in self._lines.items():
            seconds, own, size, first, grown = map(statistics.median, zip(*lines, strict=True))
            added = "" if name in ("once", "owner") else "".join(
                f"{100 * (figure / base - 1):>6.0f} %" for figure, base in zip(self._figures(name), bases, strict=True))
            print(f"  {NAMES[name]:<36}{shown(name, rows):>9}{seconds:>9.2f}{own:>8.2f}{size:>6.1f}"
                  f"{first:>8.2f}{grown:>7.1f}{added}", flush=True)


@contextlib.contextmanager
def site_of(database, name, types, names):
    """A stand-in for mongod sorts a million totals anew for each report; that may take it longer than the time after which
    the module takes a database for dead."""
    patient = uri(database, name)
    patient += ("&" if "?" in patient else "?") + "socketTimeoutMS=300000"
    conf = "".join(SECTION.format(name=provider, line=PROVIDERS[provider]) for provider in names)
    site = Httpd(conf, types=types, mongo_uri=patient,
                 modules=("auth_basic", "authn_core", "authn_file", "authz_user"))
    site.password_file(*((str(user), "x") for user in (MEMBER, OWNER, STRANGER)))
    site.counts = Counts(database.uri, name)
    try:
        site.start()
        site.counts.wait_for_indexes()
        yield site
    finally:
        site.stop()
        site.counts.close()
        site.remove()


def compare(site, names, rows, parameters, rounds):
    table = Table()
    for name in set(names) - {"stranger"}:  # to whom a page is as long as all of it
        fetch(site.port, f"/{name}/files.csv?limit={OWN}", REQUESTERS.get(name, MEMBER))
    for n in range(rounds):
        for name in names[n % len(names):] + names[:n % len(names)]:
            table.measure(site, name, rows, parameters)
        print(f"round {n + 1} of {rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
    table.show(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--full-rows", type=int, help="default: at most 20,000; 0 leaves the second table out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--providers", nargs="*", default=list(PROVIDERS), choices=list(PROVIDERS))
    options = parser.parse_args()
    chosen = set(options.providers) | {"once"}
    full_rows = min(options.rows, 20_000) if options.full_rows is None else options.full_rows
    with Database(orphan=False) as database:
        print(f"database {database.name}")
        for title, name, types, names, rows, parameters in (
                ("without names", PLAIN_DATABASE, PLAIN_TYPES, PLAIN, options.rows, "parents=none"),
                ("with names and parents", FULL_DATABASE, FULL_TYPES, FULL, full_rows, "")):
            if not rows:
                continue
            print(title)
            with site_of(database, name, types, names) as site:  # its drainer makes the indexes
                fill_all(MongoClient(database.uri)[name], rows)
                compare(site, [name for name in names if name in chosen], rows, parameters, options.rounds)


if __name__ == "__main__":
    main()
