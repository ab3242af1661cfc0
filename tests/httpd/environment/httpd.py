"""One apache2, in a directory of its own under /tmp, in a session of its own: with the event MPM unless MM_MPM or a
test names another (worker, prefork), as one process (httpd -X) with MM_SINGLE=1 or single=True.

Parameters of its conf are httpd's own Defines: ${DOCROOT}, ${SPOOL}, ${DIR}, ${PORT}, ${MONGO_URI}. The error log is
read after every test; whatever in it is a warning or worse, and was not announced by expect_log(), fails the test.
"""

import base64
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from .client import Client
from .waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("BUILD", "build")
USER = "www-data"
STOP_SECONDS = 30
MPM = os.environ.get("MM_MPM", "event")
SINGLE = os.environ.get("MM_SINGLE", "") == "1"

# An entry of the error log, and those that are never expected: bad levels, and children that crash.
ENTRY = re.compile(r"^\[[^\]]+\] \[(\w*):(\w+)\]")
BAD_LEVELS = {"emerg", "alert", "crit", "error", "warn"}
CRASH = re.compile(r"exit signal|AddressSanitizer|runtime error:")
# What the event MPM of 2.4.71 does now and then when it is stopped with connections open, and does without any module
# of ours too (measured: 2 of 1,100 children under load, in its own list of connections to be closed; AH03092 and AH03093 are
# the two places where it adds one to a poll set that it has closed).
RACE_AT_STOP = re.compile(r"AH0005[12]: child pid \d+ exit signal Segmentation fault|AH0309[23]: .*pollset_add failure")

TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsDownload "^/download/datasets/([^/]+)$"
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)$"
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsDownload "^/download/files/([^/]+)$"
</MetricsType>
"""

# A test asks for the same thing again and again, as fast as it can, and each time counts.
SETTINGS = """
MetricsMongoURI "${MONGO_URI}"
MetricsSpool "${SPOOL}"
MetricsFlushInterval 0.05
MetricsDoubleClick 0
"""

# One child by default: its events are in one segment, in order (see Markers).
FRAME = """
ServerRoot "{directory}"
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile "{directory}/httpd.pid"
DefaultRuntimeDir "{directory}"
ErrorLog "{directory}/error.log"
LogLevel info
DocumentRoot "{directory}/htdocs"
Timeout 30
KeepAliveTimeout 30
{processes}
Define DIR "{directory}"
Define DOCROOT "{directory}/htdocs"
Define SPOOL "{directory}/spool"
Define PORT {port}
Define MONGO_URI "{mongo_uri}"
{identity}
{modules}
"""

THREADED = """
StartServers {children}
ServerLimit {server_limit}
ThreadLimit 16
ThreadsPerChild 16
MinSpareThreads {spare}
MaxSpareThreads {workers}
MaxRequestWorkers {workers}
"""

PREFORK = """
StartServers {children}
ServerLimit {server_limit}
MinSpareServers {children}
MaxSpareServers {server_limit}
MaxRequestWorkers {children}
"""
CONNECTIONS_EACH = 4  # of a prefork child that stands for a threaded one


class StartError(AssertionError):
    """httpd did not start. The message holds what it said."""


@lru_cache(maxsize=None)
def apxs(name):
    for program in ("apxs", "apxs2", "/usr/local/apache2/bin/apxs"):
        if shutil.which(program):
            return subprocess.run([program, "-q", name], check=True, capture_output=True, text=True).stdout.strip()
    raise AssertionError("apxs is not installed (apache2-dev)")


@lru_cache(maxsize=None)
def program():
    return os.path.join(apxs("SBINDIR"), apxs("PROGNAME"))


@lru_cache(maxsize=None)
def built_in_modules():
    listing = subprocess.run([program(), "-l"], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"^\s*mod_(\w+)\.c", listing, re.MULTILINE))


def load_module(name):
    """The LoadModule line; name is "rewrite", or the path of a .so."""
    if "/" in str(name):
        stem = Path(name).stem.removeprefix("mod_")
        return f'LoadModule {stem}_module "{name}"'
    if name in built_in_modules():
        return f"# {name} is built in"
    return f"LoadModule {name}_module {apxs('LIBEXECDIR')}/mod_{name}.so"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sha1(password):
    """As httpd's {SHA} wants it."""
    return base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()


def process_alive(pid):
    """Whether it runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def parent_of(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


class Httpd(Client):
    """
    conf       what the test is about; the rest is written here
    modules    httpd modules to load besides mod_metrics, "rewrite" or the path of a .so
    settings   the global directives of mod_metrics (default: database, spool, short interval)
    types      the <MetricsType> sections
    children   how many child processes; more than one is with prefork four times as many, for one connection each
    mpm        event, worker or prefork
    single     as one process without a parent (httpd -X)
    environ    additions to the environment of its processes
    module     mod_metrics.so, or None for an httpd without it
    """

    races_at_stop = []  # of all of them: one is the MPM's, many would be ours (see conftest.py)

    def __init__(self, conf="", modules=(), settings=SETTINGS, types=TYPES, mongo_uri="", children=1,
                 environ=None, module=BUILD / "mod_metrics.so", mpm=MPM, single=SINGLE):
        super().__init__(free_port())
        self.directory = Path(tempfile.mkdtemp(prefix="mm-httpd-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.docroot = self.directory / "htdocs"
        self.spool = self.directory / "spool"
        self.docroot.mkdir()
        self.mongo_uri, self._conf, self.settings, self._types = mongo_uri, conf, settings, types
        self.mpm, self.single = mpm, single
        self._modules = (f"mpm_{mpm}", "authz_core", *modules, *([module] if module else []))
        self.child_count = 1 if single else children * (CONNECTIONS_EACH if mpm == "prefork" and children > 1 else 1)
        self._environ = {**os.environ, **(environ or {})}
        self._process = None
        self._log_read = 0
        self._expected, self._allowed = [], [re.compile(pattern) for pattern in self._said_without_cause()]

    def _said_without_cause(self):
        if self.mpm == "prefork":
            yield "AH00161: server reached MaxRequestWorkers"  # it has as many children as a test needs, all of them busy
        if self.single:
            yield "AH00098: pid file .* overwritten"  # it leaves its own behind

    # --- files and conf ---

    def file(self, path, content="content\n"):
        """A file below the document root."""
        target = self.docroot / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return target

    def password_file(self, *users):
        """htpasswd for (name, password) pairs."""
        target = self.directory / "passwords"
        target.write_text("".join(f"{name}:{{SHA}}{sha1(password)}\n" for name, password in users))
        return target

    def write_conf(self, conf=None, mongo_uri=None):
        """Writes the conf anew; takes effect with the next start or reload()."""
        self._conf = self._conf if conf is None else conf
        self.mongo_uri = self.mongo_uri if mongo_uri is None else mongo_uri
        frame = FRAME.format(
            directory=self.directory, port=self.port, mongo_uri=self.mongo_uri,
            processes=self._processes(),
            identity=f"User {USER}\nGroup {USER}" if os.geteuid() == 0 else "",
            modules="\n".join(load_module(name) for name in self._modules))
        path = self.directory / "httpd.conf"
        path.write_text(frame + self.settings + self._types + self._conf)
        return path

    def _processes(self):
        count = self.child_count
        template = PREFORK if self.mpm == "prefork" else THREADED
        return template.format(children=count, server_limit=count + 4, workers=16 * count, spare=16 * (count - 1) + 1)

    @property
    def user_id(self):
        """Whom children and drainer run as."""
        return pwd.getpwnam(USER).pw_uid if os.geteuid() == 0 else os.geteuid()

    # --- life ---

    def check(self):
        """apache2 -t: (status, what it says)."""
        result = subprocess.run([program(), "-t", "-f", str(self.write_conf())], capture_output=True, text=True,
                                timeout=60)
        said = result.stdout + result.stderr + self.log_text()
        # libmongoc says so where a process that was killed had the same number and left /dev/shm/mongoc-NUMBER behind.
        return result.returncode, re.sub(r"(?m)^.*mongoc: Falling back to malloc for counters\.\n", "", said)

    def start(self):
        """Returns when it answers. StartError, with everything it said, when it ends instead."""
        conf = self.write_conf()
        with open(self.directory / "stderr", "ab") as stderr:
            command = [program(), "-X" if self.single else "-DFOREGROUND", "-f", str(conf)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                                             cwd=self.directory, env=self._environ, start_new_session=True)
        wait_for(lambda: self._process.poll() is not None or self._answers(), timeout=60, what="httpd answers")
        if self._process.poll() is not None:
            raise StartError(f"httpd ended with {self._process.returncode}:\n{self.stderr_text()}\n{self.log_text()}")
        return self

    def _answers(self):
        try:
            return b"200 OK" in self.raw(b"OPTIONS * HTTP/1.0\r\n\r\n")
        except OSError:
            return False

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def stop(self, signal_number=signal.SIGTERM):
        """Ends it and waits; fails when a child or the drainer stays."""
        if self._process is None:
            return
        family = self.family()
        process, self._process = self._process, None
        log_before = len(self.log_text())
        if process.poll() is None:
            process.send_signal(signal_number)
        try:
            process.wait(STOP_SECONDS)
            wait_for(lambda: not any(map(process_alive, family)), timeout=STOP_SECONDS,
                     what="children and drainer end with httpd")
        finally:
            for pid in [process.pid, *family]:
                if process_alive(pid):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        races = [line for line in self.log_text()[log_before:].splitlines() if RACE_AT_STOP.search(line)]
        self.races_at_stop += races
        self._allowed += [re.compile(re.escape(line)) for line in races]

    def restart(self):
        self.stop()
        self.start()

    def reload(self):
        """A graceful reload. Returns when new children have taken over, which is not yet the end of the old ones."""
        before = set(self.children())
        self.write_conf()
        os.kill(self.pid, signal.SIGUSR1)
        wait_for(lambda: set(self.children()) - before, what="new children after a graceful reload")

    def kill_parent(self):
        """SIGKILL to the parent only. Returns the processes that it leaves behind."""
        family = self.family()
        self._process.kill()
        self._process.wait()
        self._process = None
        return family

    def remove(self):
        """Everything, also the directory."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- processes ---

    def family(self):
        """Pids of all processes that the parent has started."""
        return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and parent_of(int(entry)) == self.pid]

    def children(self):
        """Pids of the processes that serve, without the drainer."""
        if self.single:
            return [self.pid] if self.is_running() else []
        drainer = self._locked_by()
        return [pid for pid in self.family() if pid != drainer and process_alive(pid)]

    def _locked_by(self):
        try:
            return int((self.spool / "drain.lock").read_text())
        except (OSError, ValueError):
            return None

    def drainer(self, other_than=None):
        """The drainer's pid, once there is one; other_than: a new one."""

        def find():
            pid = self._locked_by()
            return pid if pid and pid != other_than and process_alive(pid) else None

        # One that comes after several that were killed pauses first, for up to a minute (PAUSE_MAX_S of supervise.c).
        return wait_for(find, timeout=90, what="a drainer holds the lock of the spool")

    # --- spool ---

    def segments(self):
        return sorted(path.name for path in self.spool.glob("*.seg"))

    def wait_for_empty_spool(self):
        """Right after a start, before any visit: everything of earlier children has been applied and is gone."""
        wait_for(lambda: not self.segments() and not (self.spool / "batch").exists(), timeout=40,
                 what="the spool is empty")

    # --- logs ---

    def stderr_text(self):
        path = self.directory / "stderr"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_text(self):
        path = self.directory / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def expect_log(self, pattern):
        """In this test such lines are no surprise, and there must be at least one."""
        self._expected.append(re.compile(pattern))

    def allow_log(self, pattern):
        """Such lines are no surprise, in this test or a later one."""
        self._allowed.append(re.compile(pattern))

    def _new_log(self):
        """(lines, bytes) of whole lines that were not looked at yet."""
        path = self.directory / "error.log"
        if not path.exists():
            return [], 0
        with open(path, "rb") as log:
            log.seek(self._log_read)
            data = log.read()
        data = data[:data.rfind(b"\n") + 1]
        return data.decode(errors="replace").split("\n")[:-1], len(data)

    def take_surprises(self):
        """What the log holds, since the last call, that no test should cause."""
        expected, self._expected = self._expected, []
        for pattern in expected:
            wait_for(lambda: any(pattern.search(line) for line in self._new_log()[0]),
                     what=f"the error log holds {pattern.pattern!r}")
        lines, size = self._new_log()
        self._log_read += size
        return [line for line in lines
                if _is_bad(line) and not any(pattern.search(line) for pattern in expected + self._allowed)]


def _is_bad(line):
    entry = ENTRY.match(line)
    return not entry or entry.group(2) in BAD_LEVELS or bool(CRASH.search(line))
