#!/usr/bin/env python3
"""How fast an access log is imported, next to GoAccess on the same file in the same run.

A log of LINES lines (see access_log.py; some 216 bytes each) is read in turns, ROUNDS times, by

  goaccess          which parses it, counts in memory, and writes a report of 250 KB as JSON
  import --dry-run  which parses it, finds uses, robots and double clicks, and counts in memory
  import            the same, and what is counted goes into a fresh database, flushed, by resource, user and day

With the lists of robots and machines that `make` fetches, all three know robots. Given are lines per second of
the best round, and processor seconds of the program itself. What an import waits for is the database: how many documents it
touched says how much that had to do.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

import access_log  # noqa: E402
from mm_database import Database, build_dir  # noqa: E402

from environment import Counts  # noqa: E402
from site_under_load import uri  # noqa: E402

BUILD = Path(build_dir())
RULES = (("datasets", "view", "^/datasets/([^/]+)$"), ("datasets", "download", "^/api/datasets/([^/]+)/download$"),
         ("collections", "view", "^/collection/([^/]+)$"), ("files", "view", "^/files/([^/]+)$"),
         ("files", "download", "^/api/files/([^/]+)/blob$"), ("files", "download", "^/api/files/([^/]+)$"))
TYPES = ("datasets", "collections", "files")


def settings(spool):
    spool.mkdir(mode=0o700)
    lists = {name: [str(BUILD / "share" / f"{name}.txt")] for name in ("robots", "machines")}
    rules = [dict(zip(("type", "action", "pattern"), rule)) for rule in RULES]
    (spool / "settings.json").write_text(json.dumps({"version": 1, "types": TYPES, "rules": rules, **lists}))


def timed(command):
    """(seconds, processor seconds, what it said)"""
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        out.seek(0)
        if status:
            sys.exit(f"{command[0]} ended with status {os.waitstatus_to_exitcode(status)}")
        return took, usage.ru_utime + usage.ru_stime, out.read()


def run_goaccess(place, log):
    return timed(["goaccess", log, "--log-format=COMBINED", "--no-global-config", "--no-progress", "-o",
                  place / "report.json"])[:2]


def run_dry(place, log):
    took, cpu, said = timed([BUILD / "metricsctl", "import", "--json", "--dry-run", "--spool", place / "spool", log])
    return took, cpu, json.loads(said)


def run_import(place, log, database, name):
    took, cpu, said = timed([BUILD / "metricsctl", "import", "--json", "--spool", place / "spool", "--uri",
                             uri(database, name), log])
    shutil.rmtree(place / "spool" / "import")
    counts = Counts(database.uri, name)
    total = sum(sum(both) for type_ in TYPES for both in counts.of(type_).values())
    documents = sum(counts.db["metrics_" + each].estimated_document_count() for each in (*TYPES, "users", "days"))
    counts.client.drop_database(name)
    counts.close()
    return took, cpu, json.loads(said), total, documents


def measure(options, place, database):
    log = place / "access.log"
    access_log.write(log, options.lines, options.seed)
    settings(place / "spool")
    best = {}
    for n in range(options.rounds):
        took, cpu = run_goaccess(place, log)
        best["goaccess"] = min(best.get("goaccess", (took, cpu)), (took, cpu))
        took, cpu, dry = run_dry(place, log)
        best["import --dry-run"] = min(best.get("import --dry-run", (took, cpu)), (took, cpu))
        took, cpu, done, total, documents = run_import(place, log, database, f"import{n}")
        best["import"] = min(best.get("import", (took, cpu)), (took, cpu))
        assert done["counted"] == dry["counted"], "a dry run counts something else"
        print(f"round {n + 1}: {done['counted']:,} uses in {documents:,} documents; the totals "
              f"{'agree' if total == done['counted'] else f'are WRONG: {total}'}", flush=True)
    print(f"\n{options.lines:,} lines, {log.stat().st_size / 1e6:.0f} MB; left out: " +
          ", ".join(f"{number:,} {reason}" for reason, number in dry["left_out"].items() if number))
    for name, (took, cpu) in best.items():
        print(f"  {name:<18}{options.lines / took:>12,.0f} lines/s{took:>9.2f} s{cpu:>9.2f} s of processor time")
    if best["import"][0] > best["goaccess"][0]:
        print("import is SLOWER than goaccess")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(",")[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="mm-import-"))
    try:
        with Database() as database:
            measure(options, place, database)
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
