#!/usr/bin/env python3
"""What a database that is away costs visitors: two recording sites side by side, and the database of one is killed.

Both are the same httpd with the same conf, each with a database server of its own. wrk asks them in turn, in slices of
two seconds and in a random order, while both databases are up, then for MINUTES after one of them was killed. Compared
are requests per second and the 99th percentile, slice by slice with the neighbour in time; what the first part shows is
the noise.

Then the database comes back. At the end both must hold as many uses as wrk saw answered, but for the requests under way
when wrk stopped, and the spool must be empty again: how long that takes is told, too.
"""

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/httpd")]

from mm_database import Database  # noqa: E402

from environment import Counts, Httpd, wait_for  # noqa: E402
from site_under_load import (CAPTURE, COMMON, RECORDING, TYPES, ask, make_files, on, processors, uri,  # noqa: E402
                             write_script)

SLICE_SECONDS, CONNECTIONS = 2, 32


@dataclass
class Side:
    name: str
    database: Database
    httpd: Httpd = None
    answered: int = 0
    runs: int = 0
    slices: list = field(default_factory=list)

    def start(self, common, place):
        with on(processors()[1]):
            self.database = Database(data_dir=place / self.name, orphan=False).start()
        self.httpd = Httpd(common + CAPTURE, settings=RECORDING, types=TYPES, modules=("dir",),
                           mongo_uri=uri(self.database, "outage"))
        with on(processors()[0]):
            self.httpd.start()
        self.httpd.drainer()

    def ask(self, script):
        answers = ask(self.httpd, script, SLICE_SECONDS, CONNECTIONS)
        self.answered += answers.requests
        self.runs += 1
        self.slices.append(answers)

    def counted(self):
        counts = Counts(self.database.uri, "outage")
        total = sum(sum(both) for type_ in ("datasets", "collections", "files") for both in counts.of(type_).values())
        counts.close()
        return total

    def stop(self):
        if self.httpd:
            self.httpd.remove()
        self.database.stop()


def part(what, sides, script, seconds):
    """Asks both in turn for so long, and prints how they compare."""
    for side in sides:
        side.slices = []
    end, number = time.monotonic() + seconds, random.Random(what)
    while time.monotonic() < end:
        for side in number.sample(sides, 2):
            side.ask(script)
    up, other = sides
    print(f"{what:28}{len(up.slices):>7}", end="")
    for get, form in ((lambda a: a.per_second, ".0f"), (lambda a: a.p99_us / 1000, ".2f")):
        ratios = [get(b) / get(a) for a, b in zip(up.slices, other.slices)]
        low, median, high = statistics.quantiles(ratios, n=4)
        print(f"{statistics.median(map(get, up.slices)):>11{form}}{statistics.median(map(get, other.slices)):>11{form}}"
              f"{median:>8.3f} ({low:.3f} to {high:.3f})", end="")
    print(flush=True)


def run(options, place):
    docroot = place / "htdocs"
    paths = make_files(docroot)
    place.chmod(0o755)
    script = write_script(place / "pages.lua", paths["pages"])
    sides = [Side("up", None), Side("killed", None)]
    try:
        for side in sides:
            side.start(COMMON % docroot, place)
            side.ask(script)  # warm: threads, indexes
        print(f"{'':28}{'slices':>7}{'requests/s':>22}{'ratio (middle half)':>27}{'p99, ms':>17}"
              f"{'ratio (middle half)':>27}\n{'':35}{'up':>11}{'killed':>11}{'':27}{'up':>11}{'killed':>11}")
        part("both databases up", sides, script, min(60, options.minutes * 60))
        sides[1].database.kill()
        part(f"one killed, {options.minutes:g} min", sides, script, options.minutes * 60)
        spool = sum(path.stat().st_blocks * 512 for path in sides[1].httpd.spool.glob("*.seg"))
        sides[1].database.start()
        began = time.monotonic()
        for side in sides:
            wait_for(lambda: side.counted() >= side.answered, timeout=900, what="everything is counted")
        print(f"\nback: {spool / 1e6:.0f} MB of events counted {time.monotonic() - began:.0f} s after the database "
              f"came back (of which up to 30 s until the drainer asks again)")
        return check_totals(sides)
    finally:
        for side in sides:
            if side.database:
                side.stop()


def check_totals(sides):
    correct = True
    for side in sides:
        counted, spare = side.counted(), CONNECTIONS * side.runs
        right = 0 <= counted - side.answered <= spare
        correct = correct and right
        print(f"counted ({side.name}): {counted} in the database, {side.answered} answered: {'ok' if right else 'WRONG'}")
    return correct


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="how long the database is away")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: scripts/bootstrap bench")
    place = Path(tempfile.mkdtemp(prefix="mm-bench-", dir="/tmp"))
    try:
        sys.exit(0 if run(options, place) else 1)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
