#!/usr/bin/env python3
"""How a long backlog is drained: events per second, and the memory of the drainer, which must not grow with it.

A spool is filled with EVENTS events of RESOURCES resources and USERS users (see fill_spool.c), as after days without a
database, and metricsctl drain --once, which is httpd's drainer in another process, empties it into a fresh database.
The same is done with a tenth of the events first: what the peak memory of the two differs by is what grows. At the end
the database's totals must be the number of events.

How fast it goes depends on how many documents a batch touches (at most 30,000 for at most 200,000 events) and on the
database; RESOURCES and USERS are few, so that the module is measured rather than a stand-in database, which may flush
its log for each single update.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

from mm_database import Database, build_dir  # noqa: E402

from environment import Counts  # noqa: E402
from site_under_load import uri  # noqa: E402

BUILD = Path(build_dir())
SEED = 1


def peak_of(command):
    """(seconds, peak memory in MiB) of a command."""
    began = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} ended with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def drained(place, database, events, options):
    """One run; whether the totals are right."""
    spool, name = place / f"spool{events}", f"backlog{events}"
    fill = [str(BUILD / "fill_spool"), str(spool), *map(str, (events, options.resources, options.users, SEED))]
    appended = float(subprocess.run(fill, check=True, capture_output=True, text=True).stdout)
    size = sum(path.stat().st_size for path in spool.glob("*.seg"))
    took, peak = peak_of([str(BUILD / "metricsctl"), "drain", "--once", "--double-click", "0", "--spool", str(spool), "--uri",
                          uri(database, name)])
    counts = Counts(database.uri, name)
    types = ("datasets", "collections", "files")
    total = sum(sum(both) for type_ in types for both in counts.of(type_).values())
    documents = sum(counts.db["metrics_" + each].estimated_document_count() for each in (*types, "users"))
    counts.client.drop_database(name)
    counts.close()
    print(f"{events:>12}{size / 1e6:>10.0f}{appended:>14.0f}{documents:>12}{took:>9.1f}{events / took:>14.0f}{peak:>10.1f}"
          f"   {'ok' if total == events else f'WRONG: {total}'}", flush=True)
    shutil.rmtree(spool)
    return total == events


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--resources", type=int, default=50)
    parser.add_argument("--users", type=int, default=10)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="mm-bench-", dir="/tmp"))
    try:
        with Database(orphan=False) as database:
            print(f"database {database.name}\n{'events':>12}{'MB':>10}{'appended/s':>14}{'documents':>12}{'s':>9}"
                  f"{'drained/s':>14}{'MiB peak':>10}   totals")
            right = [drained(place, database, events, options) for events in (options.events // 10, options.events)]
        sys.exit(0 if all(right) else 1)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
