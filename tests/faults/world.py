"""What is tortured: a database, and three httpds with a spool of their own each, all with their proxy before it.

Site 0 has its spool on the disk and is visited by GET and POST; site 1 has it on a small tmpfs where we may mount one,
and is only posted to (a visit that finds the disk full is dropped, by design, and nobody could keep books of it).
Site 2 is the one that tells double clicks, and is posted chains of clicks; at the others each click counts.
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import clock
import pymongo
from clicks import CLICKS, WIDTH
from environment import Counts, Httpd, wait_for
from environment.httpd import SETTINGS
from ledger import Book
from mm_database import Database
from proxy import Proxy
from pymongo.errors import PyMongoError
from visitors import MARKERS, PASSWORD, SINGLES, TYPES, USERS, VISITS, Visitors

NAME = "torture"
ALL_TYPES = (*TYPES, MARKERS, SINGLES, VISITS, CLICKS)
NO_FILTER = "MetricsDoubleClick 0"
TMPFS_SIZE = "48m"
PATIENCE = 150  # the database may be away for minutes, because of another fault
SECTIONS = "".join(f'<MetricsType {name}>\n    MetricsView "^/{name}/([^/]+)$"\n</MetricsType>\n' for name in ALL_TYPES)

CONF = """
AliasMatch "^/visits/" "${DOCROOT}/page"
<Location "/visits">
    MetricsCapture On
    AuthType Basic
    AuthName "torture"
    AuthUserFile "${DIR}/passwords"
    Require valid-user
</Location>
<Location "/metrics">
    SetHandler metrics
    MetricsRecord On
</Location>
MaxKeepAliveRequests 0
MaxConnectionsPerChild %d
GracefulShutdownTimeout 2
"""
MODULES = ("alias", "auth_basic", "authn_core", "authn_file", "authz_user")
# What every kind of fault may bring into the log. Whatever else is a warning or worse fails the run.
ALLOWED = (
    "MM0101", "MM0102: .*No space left", "MM0204", "MM0206", "MM0402: ", "MM0232: the clock", "MM0701", "MM0706",
    "AH00045: child process", "AH00046: child process", "AH00047", "AH00051", "AH00098: pid file", "AH00161", "AH00173",
    "AH00052: child pid .* exit signal (Killed|Terminated)", "AH00288", "AH00484: server reached MaxRequestWorkers",
    "AH03490", "AH10159", "AH10392: children are killed successively")


class Site:
    """An httpd, its proxy, and the spool they share. The httpd may be replaced by another one, on the same port."""

    def __init__(self, number, world):
        self.number, self.world, self.filters_clicks = number, world, number == 2
        self.proxy = Proxy(("127.0.0.1", world.database.port), f"{world.seed} {number}")
        self.clock = clock.Clock(world.directory / f"clock{number}")
        self.spool = None
        self.book = Book()  # of what faults themselves post
        self.kills = []
        self.posted = 0
        self.httpd = self.make()

    def make(self, spool=None, port=None):
        """An httpd that is not started; takes over a spool and a port."""
        settings = SETTINGS.replace(NO_FILTER, f"MetricsDoubleClick {WIDTH}" if self.filters_clicks else NO_FILTER)
        httpd = Httpd(CONF % (0 if self.number else 400), types=SECTIONS, settings=settings, modules=MODULES,
                      children=3, mpm=self.world.mpm, environ=self.clock.environ,
                      mongo_uri=f"mongodb://127.0.0.1:{self.proxy.port}/{NAME}?directConnection=true")
        httpd.port = port or httpd.port
        httpd.file("page", "page\n" * 100)
        httpd.password_file(*[(user, PASSWORD) for user in USERS])
        for pattern in ALLOWED:
            httpd.allow_log(pattern)
        if spool:
            httpd.spool.rmdir() if httpd.spool.exists() else None
            shutil.move(spool, httpd.spool)
        self.world.httpds.append(httpd)
        return httpd

    @contextmanager
    def killing(self):
        """Processes that serve are killed within: the last visit of a connection may not be recorded."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.kills.append((begin - 0.05, time.monotonic() + 0.05))

    def post(self):
        """One event, with an id of its own, until one is acknowledged. Returns the id."""

        def once():
            self.posted += 1
            marker = (MARKERS, f"site{self.number}-{self.posted}", "", "views")
            try:
                status = self.httpd.post(f"/metrics/{MARKERS}/{marker[1]}/views").status
            except OSError:
                status = 0
            self.book.note(marker, [marker], status)
            return marker[1] if status == 202 else None

        return wait_for(once, timeout=60, what="a POST is acknowledged")

    def is_counted(self, id_):
        try:
            return self.world.impatient[NAME]["metrics_" + MARKERS].find_one({"_id": id_}) is not None
        except PyMongoError:
            return False  # another fault has taken the database away

    def wait_for_count(self, id_):
        wait_for(lambda: self.is_counted(id_), timeout=PATIENCE, what=f"{id_} is counted")

    def wait_for_progress(self):
        """The circle works: what is posted now, is counted."""
        self.wait_for_count(self.post())


class World:
    def __init__(self, seed, mpm, pause, pace, verbose):
        self.seed, self.mpm = seed, mpm
        self.directory = Path(tempfile.mkdtemp(prefix="mm-torture-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.httpds, self._mounted = [], []
        self.database_lock = threading.Lock()  # of who harms it
        self.visitors, self.failed, self.verbose = None, threading.Event(), verbose
        self.database = Database().start()
        self.counts = Counts(self.database.uri, NAME)
        self.impatient = pymongo.MongoClient(self.database.uri, serverSelectionTimeoutMS=300, socketTimeoutMS=5000)
        self.sites = [Site(number, self) for number in range(3)]
        self._pause, self._pace = pause, pace

    def start(self):
        self._mount(self.sites[1].httpd)
        for site in self.sites:
            site.httpd.start()
            site.httpd.drainer()
            self.counts.wait_for_indexes()
        self._begin_clock(self.sites[2])
        ports = [site.httpd.port for site in self.sites]
        jobs = [("bulk", ports[0]), ("bulk", ports[1]), ("visit", ports[0]), ("single", ports[1]),
                ("single", ports[0]), ("visit", ports[0]), ("click", ports[2]), ("click", ports[2])]
        self.visitors = Visitors(jobs, self.seed, self._pause, self._pace)
        wait_for(lambda: self.visitors.progress > 100, timeout=60, what="the clients have begun")

    @staticmethod
    def _begin_clock(site):
        """The time of what is remembered of clicks is that of the events. In an empty one it would begin with the first
        click, which may be of last midnight, and be forgotten with the second, which is of now."""
        marker = (MARKERS, "first", "first", "views")
        event = {"type": MARKERS, "id": "first", "action": "view", "user": "first"}
        answer = site.httpd.post_lines("/metrics/events", event)
        site.book.note(marker, [marker], answer.status)
        site.wait_for_count("first")

    def _mount(self, httpd):
        """A small file system for the spool; where that is not allowed, the disk full is left out."""
        httpd.spool.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_SIZE},mode=0700,uid={httpd.user_id}", "none",
                               str(httpd.spool)], capture_output=True)
        if done.returncode == 0:
            self._mounted.append(httpd.spool)

    @property
    def has_small_disk(self):
        return bool(self._mounted)

    def wait_for_answers(self, events=50):
        """The clients are answered, whatever else happens."""
        goal = self.visitors.progress + events
        wait_for(lambda: self.visitors.progress >= goal, timeout=60, what="clients are answered")

    def finish(self):
        """The clients have ended; everything is counted. Returns their book."""
        book = self.visitors.end()
        for site in self.sites:
            site.proxy.set("pass")
            with site.killing():
                site.httpd.stop()
            site.httpd.start()
            wait_for(lambda: not site.httpd.segments() and not (site.httpd.spool / "batch").exists(), timeout=300,
                     what="the spool is empty")
            book.add(site.book)
        return book

    def surprises(self):
        return [line for httpd in self.httpds for line in httpd.take_surprises()]

    def close(self):
        self.failed.set()
        if self.visitors:
            self.visitors.kill()
        for httpd in self.httpds:
            httpd.stop()
        for spool in self._mounted:
            subprocess.run(["umount", str(spool)], capture_output=True)
        for httpd in self.httpds:
            httpd.remove()
        self.counts.close()
        self.impatient.close()
        self.database.stop()
        if os.path.isdir(self.directory):
            shutil.rmtree(self.directory)
