"""metricsctl import: httpd's own access logs, and what may happen to them, into the same counts as live recording."""

import bz2
import gzip
import json
import lzma
import os
import pty
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pymongo
import pytest

from environment import wait_for
from environment.counts import COUNTERS
from environment.httpd import BUILD, USER
from environment.waiting import wait_equal

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import access_log  # noqa: E402

COMBINED = '%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"'
FORMATS = {
    "with ranges": '%a %l %u %t "%r" %>s %O "%{User-Agent}i" "%{Range}i" %X',
    "by parts": '"%{User-Agent}i" %{%F %T}t.%{usec_frac}t %{%z}t "%m" "%{Range}i" %>s "%r" %u %X %a',
}
CONF = """
LogFormat "%s" tested
CustomLog "${DIR}/access.log" tested
<Location "/">
    MetricsCapture On
    AuthType Basic
    AuthName "files"
    AuthUserFile "${DIR}/passwords"
    Require expr "-z req('Authorization')"
    Require valid-user
</Location>
"""
MODULES = ("log_config", "auth_basic", "authn_core", "authn_file", "authz_user", "authz_host")
BROWSER = {"User-Agent": 'Mozilla/5.0 (X11; "quoted" \\ backslash) Firefox/133.0'}


def settings_file(directory, **more):
    """Settings for a site that no httpd runs."""
    rules = [("datasets", "view", "^/datasets/([^/]+)$"), ("datasets", "download", "^/api/datasets/([^/]+)/download$"),
             ("collections", "view", "^/collection/([^/]+)$"), ("files", "view", "^/files/([^/]+)$"),
             ("files", "download", "^/api/files/([^/]+)/blob$")]
    settings = {"version": 1, "types": ["datasets", "collections", "files"],
                "rules": [dict(zip(("type", "action", "pattern"), rule)) for rule in rules], **more}
    path = Path(directory) / "settings.json"
    path.write_text(json.dumps(settings))
    return path


class Importer:
    """metricsctl import into one spool and one database."""

    def __init__(self, spool, uri):
        self.spool, self.uri = spool, uri

    def command(self, *arguments):
        return [str(argument) for argument in (BUILD / "metricsctl", "import", "--spool", self.spool, *arguments)]

    def start(self, *arguments, **more):
        return subprocess.Popen(self.command(*arguments), env={**os.environ, "MONGODB_URI": self.uri},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def run(self, *arguments, stdin=None, expect=0):
        """(summary, what it said)"""
        result = subprocess.run(self.command("--json", *arguments), env={**os.environ, "MONGODB_URI": self.uri},
                                input=stdin, capture_output=True, timeout=300)
        said = result.stderr.decode()
        assert result.returncode == expect, said
        return (json.loads(result.stdout) if result.stdout else None), said


def import_file(house, name):
    """The path of a file of an import into the house's own collections, once there is one."""
    return next((house.spool / "import").glob(f"*/{name}"), None) if (house.spool / "import").exists() else None


class Database:
    def __init__(self, uri, name):
        self.client = pymongo.MongoClient(uri)
        self.db = self.client[name]

    def all(self, prefix="metrics_"):
        """Every count there is, without what only the bookkeeping knows."""
        counts = {}
        for name in self.db.list_collection_names():
            if name.startswith(prefix) and not name.endswith("meta"):
                for doc in self.db[name].find():
                    counts[name[len(prefix):], str(doc["_id"])] = {
                        key: value for key, value in doc.items() if key not in ("seq", "_id")}
        return counts

    def ledgers(self, prefix="metrics_"):
        return list(self.db[prefix + "meta"].find({"_id": {"$regex": "^log:"}}))


def uri_of(base, name):
    head, _, query = base.partition("?")
    return f"{head.rstrip('/')}/{name}" + (f"?{query}" if query else "")


@pytest.fixture
def house(database, tmp_path):
    """A spool that no httpd uses, with settings, and a database."""
    name = f"mm_import_{os.getpid()}_{random.getrandbits(40):x}"
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o700)
    settings_file(spool)
    made = Importer(spool, uri_of(database.uri, name))
    made.database = Database(database.uri, name)
    made.directory = tmp_path
    yield made
    made.database.client.drop_database(name)
    made.database.client.close()


def make_log(house, lines, seed=1, name="access.log", days=3):
    path = house.directory / name
    access_log.write(path, lines, seed, days)
    return path


def total(counts):
    return sum(doc.get("views", 0) + doc.get("downloads", 0) for (name, _), doc in counts.items()
               if name in ("datasets", "files", "collections"))


# --- as live ---


def visit_everything(site):
    """Requests of every kind that the rules judge, and of every shape that a path can have."""
    for name in ("one", "two words", "prozent%", "ümlaut", "..", ".hidden", "a+b"):
        site.file(f"datasets/{name}" if name != ".." else "datasets/dots", "content")
    ada, agent = ("ada", "secret"), BROWSER
    site.allow_log("AH01617|AH00026|AH01630")
    for path in ("/datasets/one", "//datasets//one", "/datasets/./one", "/x/../datasets/one", "/%64atasets/%6Fne",
                 "/datasets/%2e%2e/datasets/one", "/datasets/two%20words", "/datasets/prozent%25", "/datasets/%C3%BCmlaut",
                 "/datasets/one?tracking=false", "/datasets/one?a=b&tracking=0", "/datasets/one?tracking=true",
                 "/datasets/missing", "/datasets/.hidden", "/datasets/a+b", "/datasets/one%00", "/datasets/a%2Fb",
                 "/collections/none", "/", "/datasets/", "/datasets/one/"):
        site.request("GET", path, headers=agent)
        site.request("HEAD", path, headers=agent)
    site.request("POST", "/datasets/one", body="x", headers=agent)
    site.request("GET", "/datasets/one", headers=agent, user=ada)
    site.request("GET", "/datasets/one", headers=agent, user=("ada", "wrong"))
    site.file("download/files/big", "0123456789" * 100)
    for span in ("bytes=0-9", "bytes=10-", "bytes=-5", "bytes=0-0,5-9", "bytes=0-", "items=0-"):
        site.request("GET", "/download/files/big", headers={**agent, "Range": span}, user=ada)
        site.request("GET", "/download/files/big", headers={"User-Agent": f"curl/{len(span)}", "Range": span})
    etag = site.request("GET", "/download/files/big", headers=agent)["ETag"]
    assert site.request("GET", "/download/files/big", headers={**agent, "If-None-Match": etag}).status == 304
    site.raw(b"GET http://127.0.0.1/datasets/one HTTP/1.0\r\nUser-Agent: absolute\r\n\r\n")
    site.raw(b"GET /datasets/one HTTP/1.0\r\n\r\n")


def counters_of(database, prefix):
    """What times do to whole seconds apart: in a log they have no fraction."""
    kept = COUNTERS + ("unique_views", "unique_downloads", "user", "type", "resource")
    return {key: {name: value for name, value in doc.items() if name in kept}
            for key, doc in database.all(prefix).items() if "markers" not in str(key) + str(doc)}


@pytest.mark.parametrize("log_format", FORMATS.values(), ids=FORMATS.keys())
def test_the_same_requests_give_the_same_counts(httpd, log_format):
    site = httpd(CONF % log_format.replace('"', '\\"'), modules=MODULES)
    site.password_file(("ada", "secret"))
    site.start()
    visit_everything(site)
    site.markers.settle()
    site.stop()
    importer = Importer(site.spool, site.mongo_uri)
    summary, said = importer.run("--prefix", "again_", "--overlap", "count", "--format", log_format,
                                 site.directory / "access.log")
    assert summary["left_out"]["bad line"] == 0, said
    assert summary["left_out"]["tracking=false"] == 4
    database = Database(site.mongo_uri, site.counts.db.name)
    live, imported = counters_of(database, "metrics_"), counters_of(database, "again_")
    assert live and imported == live


def test_what_is_recorded_live_is_not_counted_again(httpd):
    site = httpd(CONF % COMBINED.replace('"', '\\"'), modules=MODULES)
    site.password_file(("ada", "secret"))
    site.file("datasets/one", "one")
    site.start()
    for n in range(3):
        assert site.request("GET", "/datasets/one", headers={"User-Agent": f"browser {n}"}).status == 200
    site.markers.settle()
    log = site.directory / "access.log"
    before = ('192.0.2.7 - - [31/Dec/2025:23:59:59 +0000] "GET /datasets/one HTTP/1.1" 200 3 "-" "Firefox"\n'
              '192.0.2.8 - - [31/Dec/2025:23:59:59 +0000] "GET /datasets/old HTTP/1.1" 200 3 "-" "Firefox"\n')
    whole = site.directory / "whole.log"
    whole.write_text(before + log.read_text())
    importer = Importer(site.spool, site.mongo_uri)
    # httpd goes on recording meanwhile, with a state of double clicks and with numbers of batches of its own.
    process = importer.start(whole)
    for n in range(3, 30):
        assert site.request("GET", "/datasets/one", headers={"User-Agent": f"browser {n}"}).status == 200
    assert process.wait(60) == 0, process.stderr.read()
    site.counts.wait("datasets", {"one": (31, 0), "old": (1, 0)})
    summary, said = importer.run(whole)
    assert "counted already" in said and summary["counted"] == 0
    assert site.counts.of("datasets") == {"one": (31, 0), "old": (1, 0)}


# --- each line once ---


def test_a_log_counts_once_whatever_becomes_of_it(house):
    log = make_log(house, 3000)
    first, _ = house.run(log)
    assert first["lines"] == 3000 and first["counted"] > 500
    counts = house.database.all()
    assert total(counts) == first["counted"]
    ledger, = house.database.ledgers()
    assert (ledger["lines"], ledger["offset"], ledger["name"]) == (3000, log.stat().st_size, "access.log")
    assert "importer" not in ledger and ledger["uses"] == first["counted"]

    rotated = log.rename(house.directory / "access.log.1")
    packed = house.directory / "access.log.2.gz"
    packed.write_bytes(gzip.compress(rotated.read_bytes()))
    (house.directory / "access.log.3.xz").write_bytes(lzma.compress(rotated.read_bytes()))
    (house.directory / "access.log.4.bz2").write_bytes(bz2.compress(rotated.read_bytes()))
    for name in ("access.log.1", "access.log.2.gz", "access.log.3.xz", "access.log.4.bz2"):
        summary, said = house.run(house.directory / name)
        assert summary["lines"] == 0 and summary["known"] == 1 and "counted already" in said, name
    summary, _ = house.run("-", stdin=rotated.read_bytes())
    assert summary["lines"] == 0
    assert house.database.all() == counts
    assert len(house.database.ledgers()) == 1


def test_a_log_that_grows_is_read_on(house):
    whole = make_log(house, 2000, name="whole").read_bytes()
    lines = whole.splitlines(keepends=True)
    log = house.directory / "access.log"
    read = 0
    # Shorter than what it is known by, then with half a line, then longer.
    for size in (len(lines[0]), len(lines[0]) + 10, sum(map(len, lines[:5])), 100_000, len(whole)):
        log.write_bytes(whole[:size])
        summary, said = house.run(log)
        read += summary["lines"]
        assert read == whole[:size].count(b"\n")
        assert ("no end yet" in said) == (not whole[:size].endswith(b"\n"))
    packed = house.directory / "access.log.gz"
    packed.write_bytes(gzip.compress(whole))
    assert house.run(packed)[0]["lines"] == 0
    other = Importer(house.spool, house.uri)
    assert other.run("--prefix", "other_", house.directory / "whole")[0]["lines"] == 2000
    assert house.database.all("other_") == house.database.all()
    assert max(ledger["lines"] for ledger in house.database.ledgers()) == 2000


def test_what_one_database_has_seen_is_not_anothers(house):
    """The same log into another one: neither is it known there, nor are its clicks double ones."""
    log = make_log(house, 500)
    one, _ = house.run(log)
    two, _ = house.run("--prefix", "other_", log)
    assert (two["lines"], two["counted"]) == (500, one["counted"])
    assert house.database.all("other_") == house.database.all()


def test_logs_with_the_same_beginning_are_told_apart(house):
    line = '192.0.2.%d - - [31/Jan/2026:12:00:00 +0000] "GET /datasets/d%d HTTP/1.1" 200 3 "-" "Firefox"\n'
    one, two = house.directory / "one.log", house.directory / "two.log"
    one.write_text(line % (1, 1))
    two.write_text(line % (1, 1) + line % (2, 2))
    assert house.run(one)[0]["lines"] == 1
    # Taken for the first one, grown: what is the same in both is counted once.
    assert house.run(two)[0]["lines"] == 1
    one.write_text(line % (1, 1) + line % (3, 3))
    assert house.run(one)[0]["lines"] == 1
    assert house.run(one, two)[0]["lines"] == 0
    assert total(house.database.all()) == 3


def test_the_same_log_twice_in_one_run(house):
    log = make_log(house, 500)
    copy = house.directory / "copy.gz"
    copy.write_bytes(gzip.compress(log.read_bytes()))
    summary, _ = house.run(log, copy, log)
    assert summary["lines"] == 500 and summary["known"] == 2
    assert total(house.database.all()) == summary["counted"]


def test_logs_are_read_in_their_order(house):
    """Clicks on both sides of a rotation are one, although a shell names the newer log first."""
    line = '192.0.2.1 - - [31/Jan/2026:12:00:%02d +0000] "GET /datasets/d HTTP/1.1" 200 3 "-" "Firefox"\n'
    (house.directory / "access.log").write_text(line % 20)
    (house.directory / "access.log.1").write_text(line % 0)
    newer, older = house.directory / "access.log", house.directory / "access.log.1"
    whole, _ = Importer(house.spool, house.uri).run("--dry-run", "-", stdin=(line % 0 + line % 20).encode())
    summary, said = house.run("-v", newer, older)
    assert summary["counted"] == whole["counted"] == 1
    assert said.index("access.log.1: read as") < said.index("access.log: read as")


def test_logs_of_the_same_time_are_told(house):
    line = '192.0.2.1 - - [31/Jan/2026:%02d:00:00 +0000] "GET /datasets/d HTTP/1.1" 200 3 "-" "Firefox"\n'
    texts = {"a.log": line % 1 + line % 9, "b.log": line % 8 + line % 12, "c.log": line % 11 + line % 12,
             "d.log": line % 12}
    logs = [house.directory / name for name in texts]
    for log in logs:
        log.write_text(texts[log.name])
    assert house.run("--dry-run", *logs)[0]["overlapping"] == 2
    assert house.run("--dry-run", logs[0], logs[3])[0]["overlapping"] == 0
    said = subprocess.run(house.command("--dry-run", *logs), capture_output=True, text=True, timeout=60).stdout
    assert "2 of them overlap with one before" in said


@pytest.mark.parametrize("seed", range(2))
def test_killed_anywhere_it_counts_each_line_once(house, seed):
    chance = random.Random(seed)
    logs = [make_log(house, 1500, seed=n, name=f"{n}.log") for n in range(3)]
    packed = house.directory / "2.gz"
    packed.write_bytes(gzip.compress(logs[2].read_bytes()))
    logs[2].unlink()
    logs[2] = packed
    reference = Importer(house.spool, house.uri)
    began = time.monotonic()
    summary, _ = reference.run("--prefix", "whole_", *logs)
    took = time.monotonic() - began
    assert summary["lines"] == 4500
    kills = 0
    for attempt in range(12):
        process = house.start(*logs)
        # In turns: while a batch is on its way into the database, or anywhere.
        if attempt % 2 == 0:
            wait_for(lambda: import_file(house, "batch") or process.poll() is not None, what="a batch, or the end")
            pause = chance.uniform(0, 0.02) if attempt else 0
        else:
            pause = took * chance.uniform(0.1, 0.7)
        try:
            process.communicate(timeout=pause)
            assert process.returncode == 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    house.run(*logs)
    assert kills > 0
    assert house.database.all() == house.database.all("whole_")
    assert sorted(ledger["lines"] for ledger in house.database.ledgers()) == [1500, 1500, 1500]
    assert not any("importer" in ledger for ledger in house.database.ledgers())


def test_stopped_it_says_how_to_go_on(house):
    log = make_log(house, 40_000)
    process = house.start(log)
    wait_for(lambda: house.database.ledgers(), what="it has begun")
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 1)
    if process.returncode:
        assert b"goes on" in said or b"told to stop" in said, said
    house.run(log)
    assert house.database.ledgers()[0]["lines"] == 40_000
    assert total(house.database.all()) == house.database.ledgers()[0]["uses"]


# --- several at once ---


def test_one_import_at_a_time_in_a_spool(house):
    process = house.start("-", stdin=subprocess.PIPE)
    wait_for(lambda: import_file(house, "drain.lock"), what="it holds the lock")
    log = make_log(house, 10)
    wait_for(lambda: import_file(house, "drain.lock").read_text().strip() == str(process.pid),
             what="it holds the lock")
    _, said = house.run(log, expect=1)
    assert f"another import is at work: process {process.pid} holds" in said
    process.communicate(log.read_bytes(), timeout=60)
    assert process.returncode == 0
    assert house.run(log)[0]["lines"] == 0


def test_a_log_that_another_host_imports_is_left_alone(house):
    log = make_log(house, 100)
    house.run(log)
    ledger, = house.database.ledgers()
    house.database.db.metrics_meta.update_one(
        {"_id": ledger["_id"]}, {"$set": {"importer": {"spool": "0123456789abcdef01234567", "host": "web2"}}})
    other = make_log(house, 50, seed=2, name="other.log")
    summary, said = house.run(log, other, expect=1)
    assert "web2" in said and "--take-over" in said
    assert (summary["failed"], summary["lines"]) == (1, 50)
    assert house.run("--take-over", log)[0]["known"] == 1
    assert house.run(log)[0]["known"] == 1


# --- what is wrong is told ---


def test_bad_lines_are_counted_and_shown(house):
    log = make_log(house, 100)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:10]) + "nonsense\n" + "\n" + "x" * 300_000 + "\n" + "".join(lines[10:]))
    summary, said = house.run(log)
    assert summary["left_out"]["bad line"] == 3 and summary["lines"] == 103
    for number in (11, 12, 13):
        assert f"access.log:{number}: " in said
    assert house.run("--dry-run", log)[0]["counted"] == summary["counted"]


def test_a_log_whose_format_changes_in_the_middle_is_told_at_the_end(house):
    log = make_log(house, 100)
    assert house.run("--dry-run", log)[0]["much_bad"] is False
    log.write_text(log.read_text() + "2026-01-31 something else\n" * 50)
    words = subprocess.run(house.command("--dry-run", log), capture_output=True, text=True, timeout=300).stdout
    assert "33 % of the lines are bad" in words and "changed its format" in words
    assert house.run("--dry-run", log)[0]["much_bad"] is True


def test_a_format_that_does_not_fit_counts_nothing(house):
    log = house.directory / "other.log"
    log.write_text("2026-01-31 something else\n" * 3)
    summary, said = house.run(log, expect=1)
    assert "--format" in said and summary["lines"] == 0
    _, said = house.run("--format", "%h %t", log, expect=2)
    assert "%r" in said


def test_a_log_that_mostly_does_not_fit_is_left_alone(house):
    log = make_log(house, 2000)
    dry, said = house.run("--dry-run", "--format", "common", log, expect=1)
    assert "--format" in said and dry["lines"] == 0
    summary, said = house.run("--format", "common", log, expect=1)
    assert "of the first" in said and summary["lines"] == 0
    assert house.database.ledgers() == [] and house.database.all() == {}
    assert house.run(log)[0]["left_out"]["bad line"] == 0


@pytest.mark.parametrize("first", ["\x16\x03 nonsense", "long"])
def test_a_first_line_that_is_long_or_garbage_costs_one_line_at_most(house, first):
    lines = make_log(house, 500, name="whole").read_text().splitlines(keepends=True)
    long = '192.0.2.1 - - [31/Dec/2025:12:00:00 +0000] "GET /%s HTTP/1.1" 414 3 "-" "Firefox"' % ("x" * 8000)
    log = house.directory / "access.log"
    log.write_text((long if first == "long" else first) + "\n" + "".join(lines))
    older = house.directory / "older.log"
    older.write_text(long.replace("2025", "2024") + "\n")
    summary, said = house.run(log, older)
    assert (summary["lines"], summary["failed"]) == (502, 0), said
    assert summary["left_out"]["bad line"] == (0 if first == "long" else 1)
    assert summary["counted"] > 50


def test_a_damaged_archive_is_told_and_what_came_before_counts_once(house):
    log = make_log(house, 2000)
    packed = house.directory / "access.log.gz"
    data = gzip.compress(log.read_bytes())
    packed.write_bytes(data[:len(data) // 2])
    summary, said = house.run(packed, expect=1)
    assert "damaged" in said and 0 < summary["lines"] < 2000
    assert total(house.database.all()) == summary["counted"]
    packed.write_bytes(data)
    rest, _ = house.run(packed)
    assert summary["lines"] + rest["lines"] == 2000
    assert total(house.database.all()) == summary["counted"] + rest["counted"]


def test_what_it_says_of_a_log_is_true(house):
    log = make_log(house, 60_000)
    packed = house.directory / "access.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert house.run("--since", "2027-01-01", log)[0]["counted"] == 0
    # Its program is not read to the end: that is no news.
    nothing = house.directory / "nothing.log"
    nothing.write_text("")
    summary, said = house.run("--format", "common", packed, nothing, expect=1)
    assert "Broken pipe" not in said
    assert f"{nothing}: there is no whole line in it" in said
    assert "/dev/null: there is no whole line in it" in house.run("/dev/null")[1]
    packed.write_bytes(packed.read_bytes()[:-100_000])
    result = subprocess.run(house.command("--dry-run", packed), capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and result.stdout.startswith("1 log (1 failed), ")


def test_a_rule_that_was_missing_can_be_made_up_for(house):
    """As docs/import.md says: without the ledger, and with that rule alone."""
    log = make_log(house, 2000)
    whole = json.loads((house.spool / "settings.json").read_text())
    rules = {missing: house.directory / f"{missing}.json" for missing in (True, False)}
    for missing, path in rules.items():
        path.write_text(json.dumps({**whole, "rules": [rule for rule in whole["rules"]
                                                       if (rule["type"] == "files") != missing]}))
    house.run("--settings", rules[True], log)
    assert house.run(log)[0]["known"] == 1
    house.database.db["metrics_meta"].delete_many({"_id": {"$regex": "^log:"}})
    assert house.run("--settings", rules[False], log)[0]["counted"] > 0
    assert house.run(log)[0]["known"] == 1
    house.run("--prefix", "once_", log)
    assert house.database.all() == house.database.all("once_")


def test_an_empty_address_in_the_environment_is_none(house):
    house.uri = ""
    _, said = house.run(make_log(house, 1), expect=2)
    assert "where is the database?" in said


def test_a_dry_run_changes_nothing_and_needs_no_database(house):
    log = make_log(house, 300)
    nowhere = Importer(house.spool, "mongodb://127.0.0.1:1/nowhere")
    dry, _ = nowhere.run("--dry-run", log)
    assert house.database.all() == {} and not (house.spool / "import").exists()
    assert house.run(log)[0]["counted"] == dry["counted"] > 0


def test_times_limit_what_is_imported(house):
    log = make_log(house, 300, days=3)  # from 2026-01-01
    counted = [house.run("--dry-run", *limits, log)[0]["counted"] for limits in (
        ("--until", "2026-01-02"), ("--since", "2026-01-02", "--until", "2026-01-03T00:00:00Z"), ("--since", "2026-01-03"))]
    assert all(counted) and sum(counted) >= house.run("--dry-run", log)[0]["counted"]
    assert house.run("--dry-run", "--since", "2027-01-01", log)[0]["left_out"]["time"] > 0


def test_what_was_left_out_for_its_time_can_be_imported_later(house):
    log = make_log(house, 3000, days=3)  # from 2026-01-01
    middle, _ = house.run("--since", "2026-01-02", "--until", "2026-01-03", log)
    again, said = house.run("--since", "2026-01-02", "--until", "2026-01-03", log)
    assert middle["counted"] > 0 and again["known"] == 1 and "counted already" in said
    before, _ = house.run("--until", "2026-01-02", log)
    # All of it, and what was counted is passed over.
    rest, _ = house.run(log)
    assert before["counted"] > 0 and rest["counted"] > 0
    assert rest["left_out"]["counted already"] > 0 and rest["lines"] == 3000
    assert house.run(log)[0]["known"] == 1
    ledger, = house.database.ledgers()
    assert (ledger["lines"], ledger["offset"]) == (3000, log.stat().st_size)
    assert total(house.database.all()) == ledger["uses"]
    # But for double clicks on both sides of midnight it is as if it had been imported at once.
    once, _ = house.run("--prefix", "once_", log)
    assert 0 <= total(house.database.all()) - once["counted"] <= 5


def test_what_was_taken_to_be_recorded_live_can_be_imported_later(house):
    log = make_log(house, 1000, days=3)
    settings_file(house.spool, recording_since_ms=1_767_312_000_000)  # 2026-01-02
    first, _ = house.run(log)
    assert first["counted"] > 0 and first["left_out"]["recorded live"] > 0
    assert house.run(log)[0]["known"] == 1
    rest, _ = house.run("--overlap", "count", log)
    assert rest["counted"] > 0 and rest["left_out"]["recorded live"] == 0
    assert total(house.database.all()) == first["counted"] + rest["counted"]


def test_a_log_has_a_place_for_so_many_spans_of_time_and_says_what_to_do(house):
    log = make_log(house, 200, days=20)
    for day in range(1, 17):
        house.run("--since", f"2026-01-{day:02}", "--until", f"2026-01-{day + 1:02}", log)
    _, said = house.run("--since", "2026-01-17", "--until", "2026-01-18", log, expect=1)
    assert "16 spans of time" in said and "--since" in said
    assert "importer" not in house.database.ledgers()[0]
    house.run(log)
    assert house.run("--since", "2026-01-17", "--until", "2026-01-18", log)[0]["known"] == 1
    assert total(house.database.all()) == house.database.ledgers()[0]["uses"]


def test_without_settings_it_says_what_to_do(house):
    (house.spool / "settings.json").unlink()
    _, said = house.run(make_log(house, 1), expect=1)
    assert "httpd writes settings.json" in said


def test_a_database_that_comes_late_is_waited_for(house):
    """The batch is on the disk; what waits is applied when there is a database again."""
    log = make_log(house, 200)
    nowhere = Importer(house.spool, "mongodb://127.0.0.1:1/nowhere?serverSelectionTimeoutMS=100")
    process = nowhere.start(log)
    wait_for(lambda: import_file(house, "id"), what="it has begun")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert house.run(log)[0]["lines"] == 200


def test_lists_in_the_query_count_each_id(house):
    settings = json.loads((house.spool / "settings.json").read_text())
    settings["rules"].insert(0, {"type": "files", "action": "download", "pattern": "^/partial$", "query": "fileList"})
    settings["rules"].insert(0, {"type": "datasets", "action": "view", "pattern": "^/CASE/(.+)$", "case": "lower"})
    settings["anonymous_users"] = ["guest"]
    (house.spool / "settings.json").write_text(json.dumps(settings))
    line = '192.0.2.1 - %s [31/Jan/2026:12:00:00 +0000] "GET %s HTTP/1.1" 200 3 "-" "Firefox"\n'
    log = house.directory / "access.log"
    log.write_text(line % ("ada", "/partial?fileList=f1,f2,f1%2Cf3") + line % ("guest", "/CASE/AbC") +
                   line % ("ada", "/partial?other=1"))
    summary, _ = house.run(log)
    counts = house.database.all()
    assert summary["counted"] == 4 and summary["left_out"]["unfit"] == 1
    assert {key for name, key in counts if name == "files"} == {"f1", "f2", "f3"}
    assert {key for name, key in counts if name == "datasets"} == {"abc"}
    assert {doc["user"] for (name, _), doc in counts.items() if name == "users"} == {"ada"}


def test_what_a_key_stands_for_is_asked(house):
    settings = json.loads((house.spool / "settings.json").read_text())
    settings["rules"].insert(0, {"type": "files", "action": "download", "pattern": "^/s/(.+)$",
                                 "via": "links:_id:fileId"})
    (house.spool / "settings.json").write_text(json.dumps(settings))
    house.database.db.links.insert_one({"_id": "share1", "fileId": "f9"})
    line = '192.0.2.%d - - [31/Jan/2026:12:00:00 +0000] "GET /s/%s HTTP/1.1" 200 3 "-" "Firefox"\n'
    log = house.directory / "access.log"
    log.write_text(line % (1, "share1") + line % (2, "gone"))
    summary, _ = house.run(log)
    assert (summary["counted"], summary["left_out"]["key"]) == (1, 1)
    assert {key for name, key in house.database.all() if name == "files"} == {"f9"}
    assert house.database.ledgers()[0]["uses"] == 1
    assert house.run(log)[0]["lines"] == 0


def test_robots_are_left_out_and_machines_kept_apart(house):
    """By the site's lists, as in live recording; a line without an agent is a machine's."""
    (house.directory / "robots.txt").write_text("bot\ncurl/\n")
    (house.directory / "machines.txt").write_text("curl/\n")
    settings_file(house.spool, robots=[str(house.directory / "robots.txt")],
                  machines=[str(house.directory / "machines.txt")], allow_agents=["^nice"])
    line = '192.0.2.%d - - [31/Jan/2026:12:00:00 +0000] "GET /datasets/d HTTP/1.1" 200 5 "-" "%s"\n'
    agents = ("Firefox", "Googlebot/2.1", "curl/8", "-", "nice bot", "xbot curl/8")
    log = house.directory / "access.log"
    log.write_text("".join(line % each for each in enumerate(agents)))
    summary, _ = house.run(log)
    assert summary["left_out"]["robot"] == 2
    counted = house.database.all()["datasets", "d"]
    assert (counted["views"], counted["machine_views"]) == (4, 2)
    settings_file(house.spool, robots=["/no/such/robots.txt"])
    _, said = house.run("--dry-run", log, expect=1)
    assert "/no/such/robots.txt" in said


def test_on_a_terminal_it_shows_how_far_it_is(house):
    log = make_log(house, 60_000)
    terminal, end = pty.openpty()
    process = subprocess.Popen(house.command("--dry-run", "-v", log, log, log, log), stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # nobody writes any more
            break
        if not piece:
            break
        shown += piece
    summary = process.communicate(timeout=60)[0].decode()
    os.close(terminal)
    assert process.returncode == 0 and "240,000 lines" in summary
    assert b"lines, " in shown and b"left" in shown and b"%" in shown
