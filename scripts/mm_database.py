#!/usr/bin/python3
"""The database of the demo and of the tests: one server with the MongoDB wire protocol, on loopback.

Which server, first match:
  $MONGODB_URI is set    that one; nothing is started and nothing is stopped
  mongod on PATH         the real thing
  secantusd-rs on PATH   or in ~/.cargo/bin
  secantusd-py           from the virtual environment that scripts/bootstrap makes
MM_DATABASE=mongod|secantusd-rs|secantusd-py insists on one of them (and then MONGODB_URI is not looked at).

    with Database() as database:          # fresh, in a temporary directory that goes away with it
        client = MongoClient(database.uri)

    scripts/mm_database.py --exec COMMAND ARG...      a fresh database for one command, told by MONGODB_URI
    scripts/mm_database.py --data DIR --port N        in the foreground, until Ctrl-C

Standard library only: it is used before anything is installed.
"""

import argparse
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVERS = ("mongod", "secantusd-rs", "secantusd-py")
HOST = "127.0.0.1"
START_SECONDS = 60  # WiredTiger may have a log to replay, on a machine that is busy compiling
STOP_SECONDS = 30  # a clean stop writes a checkpoint
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DatabaseError(RuntimeError):
    """No server to be had, or it did not come up. The message says what to do."""


def build_dir():
    """The build directory, as the Makefile sees it."""
    return os.path.join(ROOT, os.environ.get("BUILD") or "build")


def _find_program(name):
    """The path of one of SERVERS, or None."""
    places = {
        "secantusd-rs": [os.path.expanduser("~/.cargo/bin")],
        "secantusd-py": [os.path.join(build_dir(), "venv", "bin")],
    }.get(name, [])
    # The wheel's server is taken from our own environment first: its version is pinned there.
    search = os.pathsep.join(places + [os.environ.get("PATH", os.defpath)])
    return shutil.which(name, path=search)


def choose_server():
    """(name, path) of the server to start, or ("external", uri). Raises DatabaseError when there is none."""
    wanted = os.environ.get("MM_DATABASE")
    if wanted and wanted not in SERVERS:
        raise DatabaseError(f"MM_DATABASE={wanted}: must be one of {', '.join(SERVERS)}")
    if not wanted and os.environ.get("MONGODB_URI"):
        return "external", os.environ["MONGODB_URI"]
    for name in (wanted,) if wanted else SERVERS:
        path = _find_program(name)
        if path:
            return name, path
    what = f"MM_DATABASE={wanted}, but there is no {wanted} on PATH" if wanted else "no database server found"
    raise DatabaseError(f"{what}: run scripts/bootstrap, which installs the embedded one, or set MONGODB_URI")


def _command(name, path, data_dir, port):
    """The command line of a server that listens on loopback only."""
    if name == "mongod":
        return [path, "--dbpath", data_dir, "--port", str(port), "--bind_ip", HOST, "--nounixsocket"]
    # An empty --config: a secantusd.toml that lies about in the working directory or the home must not change anything.
    config = os.path.join(data_dir, "empty.toml")
    with open(config, "wb"):
        pass
    # 256M of cache is plenty here, and several of them may run at once. Durable commits because the module asks for
    # journaled writes, which these servers honour only so: killed with -9, they come back with all they acknowledged.
    command = [
        path,
        "--config",
        config,
        "--host",
        HOST,
        "--port",
        str(port),
        "--storage-path",
        data_dir,
        "--log-level",
        "WARNING",
        "--cache-size",
        "256M",
        "--sync-on-commit",
    ]
    if name == "secantusd-rs":
        command += ["--log-file-max", "16MB"]  # allocated in full; 128 MB for each test would be felt
    return command


def free_port():
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def is_listening(port, host=HOST):
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
        return True
    except OSError:
        return False


def _read_exactly(connection, size):
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise ConnectionError("closed early")
        data += chunk
    return data


def is_ready(port, host=HOST, timeout=5):
    """Whether a server there answers `hello` over OP_MSG with ok:1 and says that it takes writes."""
    body = b"\x10hello\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6) + b"admin\0" + b"\0"
    message = struct.pack("<iB", 0, 0) + struct.pack("<i", len(body) + 4) + body
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            connection.sendall(struct.pack("<iiii", len(message) + 16, 1, 0, 2013) + message)
            length, _, _, opcode = struct.unpack("<iiii", _read_exactly(connection, 16))
            if opcode != 2013 or not 16 < length < 1 << 20:
                return False
            reply = _read_exactly(connection, length - 16)
    except OSError:
        return False
    is_ok = b"\x01ok\0" + struct.pack("<d", 1.0) in reply or b"\x10ok\0" + struct.pack("<i", 1) in reply
    return is_ok and b"\x08isWritablePrimary\0\x01" in reply


def tail(path, lines=15):
    """The last lines of a log, for an error message."""
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:]).rstrip()
    except OSError as error:
        return f"({path}: {error.strerror})"


def die_with_parent(command):
    """The command, made to end with SIGTERM when the thread that starts it is gone, however it went."""
    setpriv = shutil.which("setpriv")  # util-linux; without it the child is stopped only by an orderly end of ours
    return [setpriv, "--pdeathsig", "TERM", "--"] + command if setpriv else command


class Database:
    """One server. start(), stop() or kill(), and start() again on the same port and data; also a context manager.

    data_dir None: a temporary directory, made by the first start() and removed by stop() (kill() keeps it).
    port None: a free one, chosen by the first start(), kept after that.
    orphan=False: the server ends when the thread that started it ends; leave it True where threads start databases.
    """

    def __init__(self, data_dir=None, port=None, extra_args=(), log_path=None, orphan=True):
        self.name, self._target = choose_server()
        self.data_dir = os.path.abspath(data_dir) if data_dir else None
        self.port = port
        self.extra_args = list(extra_args)
        self._log_path = log_path
        self._orphan = orphan
        self._is_temporary = data_dir is None
        self._process = None

    @property
    def is_external(self):
        """Whether the server is somebody else's, given by MONGODB_URI."""
        return self.name == "external"

    @property
    def uri(self):
        """Where clients connect: directly, without asking the server for names that it may not be reached by."""
        return self._target if self.is_external else f"mongodb://{HOST}:{self.port}/?directConnection=true"

    @property
    def log_path(self):
        return self._log_path or (os.path.join(self.data_dir, "server.log") if self.data_dir else None)

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def is_running(self):
        return self.is_external or (self._process is not None and self._process.poll() is None)

    def start(self):
        """Returns when the server takes writes. Raises DatabaseError, with the end of the server's log."""
        if self.is_running():
            return self
        if self.data_dir is None:
            self.data_dir = tempfile.mkdtemp(prefix="mm-database-")
        os.makedirs(self.data_dir, mode=0o700, exist_ok=True)
        if self.port:
            self._start_on(self.port)
            return self
        for attempt in range(3):  # between free_port() and the server's bind somebody else may take the port
            port = free_port()
            try:
                self._start_on(port)
                self.port = port
                return self
            except DatabaseError:
                if attempt == 2 or not is_listening(port):
                    self._remove_temporary()
                    raise
        return self

    def _start_on(self, port):
        if is_listening(port):  # or we would take another's answer for ours
            raise DatabaseError(f"port {port} on {HOST} is taken by another program")
        command = _command(self.name, self._target, self.data_dir, port) + self.extra_args
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                command if self._orphan else die_with_parent(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_dir,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not is_ready(port):
            status = self._process.poll()
            if status is None and time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            why = f"ended with status {status}" if status is not None else f"did not answer within {START_SECONDS} s"
            end_of_log = tail(self.log_path)
            self.kill()
            raise DatabaseError(f"{self.name} {why}; the end of {self.log_path}:\n{end_of_log}")

    def stop(self):
        """An orderly stop (SIGTERM), by force after STOP_SECONDS. A temporary directory is removed."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._remove_temporary()

    def kill(self):
        """SIGKILL, as a crash would be. The data stays, for the next start()."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _remove_temporary(self):
        if self._is_temporary and self.data_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)
            self.data_dir = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def _run_command(database, command):
    """Runs the command with MONGODB_URI set, passes signals on to it, and returns its exit status as a shell would.

    The signals are blocked, so none is lost between two steps; the command starts with the mask we were given.
    """
    database.start()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING + (signal.SIGCHLD,))
    environment = dict(os.environ, MONGODB_URI=database.uri)
    environment.pop("MM_DATABASE", None)  # a database that the command starts by this module is this one
    child = subprocess.Popen(
        command, env=environment, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    )
    while child.poll() is None:
        caught = signal.sigwaitinfo(ENDING + (signal.SIGCHLD,))
        # A Ctrl-C at the terminal comes from the kernel (no pid) and has reached the command already.
        if caught.si_signo != signal.SIGCHLD and caught.si_pid and child.poll() is None:
            child.send_signal(caught.si_signo)
    if not database.is_running():
        print(f"mm_database: {database.name} ended before the command did", file=sys.stderr)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _stay_in_foreground(database):
    database.start()  # before the mask changes: the server inherits it, and must hear our SIGTERM
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING + (signal.SIGCHLD,))
    print(f"ready {database.name} {database.uri}", flush=True)
    while database.is_running():
        if signal.sigwaitinfo(ENDING + (signal.SIGCHLD,)).si_signo in ENDING:
            return 0
    print(
        f"mm_database: {database.name} ended; the end of {database.log_path}:\n{tail(database.log_path)}",
        file=sys.stderr,
    )
    return 1


def main(argv):
    parser = argparse.ArgumentParser(description="A MongoDB-compatible server for the demo and the tests.")
    parser.add_argument("--data", metavar="DIR", help="where the data lives (default: a temporary directory)")
    parser.add_argument("--port", type=int, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--log", metavar="FILE", help="the server's log (default: server.log with the data)")
    parser.add_argument(
        "--exec", nargs=argparse.REMAINDER, metavar="COMMAND", help="run COMMAND with MONGODB_URI set, then stop"
    )
    options = parser.parse_args(argv)
    if options.exec is not None and not options.exec:
        parser.error("--exec wants a command")
    for number in ENDING:
        signal.signal(number, lambda caught, _: sys.exit(128 + caught))  # so that the `finally` below is reached
    database = None
    try:
        database = Database(options.data, options.port, log_path=options.log, orphan=False)
        return _run_command(database, options.exec) if options.exec else _stay_in_foreground(database)
    except (DatabaseError, OSError) as error:
        print(f"mm_database: {error}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 1
    finally:
        if database:
            database.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
