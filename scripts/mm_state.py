"""Where the demo keeps its data: scripts/run makes it, scripts/clean-data removes it."""

import fcntl
import hashlib
import os
import shutil
import subprocess

from mm_database import build_dir

ROOTS_OWN_PLACE = "/var/lib/mod_metrics-demo"


class StateError(RuntimeError):
    """What is wrong with the directory and what to do about it, in a sentence."""


def state_path():
    """$METRICS_STATE, or run in the build directory; absolute."""
    return os.path.abspath(os.environ.get("METRICS_STATE") or os.path.join(build_dir(), "run"))


def make(account):
    """The state directory, made if it is not there. account: whom httpd's children run as, None if as we do.

    A source tree below a private home directory (mode 0700: /root, and Debian's new homes) cannot be entered by
    httpd's children when httpd is started by root. Then the state lives in /var/lib, and state_path() is a link to it.
    """
    path = state_path()
    if any(character in path for character in '"\\\n\r$%'):
        raise StateError(f"the path {path!r} cannot stand in httpd's configuration; set METRICS_STATE to a plainer one")
    above = os.path.dirname(path)
    os.makedirs(above, exist_ok=True)
    if not os.path.lexists(path) and account and not _can_enter(account, above):
        place = os.path.join(ROOTS_OWN_PLACE, hashlib.sha256(path.encode()).hexdigest()[:12])
        os.symlink(place, path)
        print(f"run: {account.pw_name} cannot enter {above}, so the data is in {place}", flush=True)
    state = os.path.realpath(path)
    logs = os.path.join(state, "logs")
    os.makedirs(logs, mode=0o755, exist_ok=True)
    os.chmod(logs, 0o750)  # addresses of visitors
    if account and not _can_enter(account, state):
        raise StateError(
            f"{account.pw_name}, under which httpd's children run, cannot enter {state}. Remove it (make "
            "clean-data), or set METRICS_STATE to a directory that others may enter"
        )
    return state


def _can_enter(account, directory):
    """Asked as that account: modes alone do not tell."""
    return (
        subprocess.run(
            ["test", "-x", directory], user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/", check=False
        ).returncode
        == 0
    )


def lock(state):
    """Marks the state as in use, as long as the returned file is open."""
    file = open(os.path.join(state, "lock"), "w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StateError(
            f"a demo is running with {state}; stop it first, or set METRICS_STATE to another directory"
        ) from None
    return file


def read_uri(state):
    """What the module was last told, or None."""
    try:
        with open(os.path.join(state, "mongodb.uri"), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def write_private(path, text, mode=0o600, group=-1):
    """A file that is never, not even for a moment, readable by others."""
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchown(descriptor, -1, group)
        os.fchmod(descriptor, mode)
        file.write(text)
    os.replace(path + ".new", path)


def is_there(path):
    """Whether this is a state directory. Nothing else is ever removed, whatever METRICS_STATE says."""
    return os.path.isfile(os.path.join(path, "lock")) and os.path.isdir(os.path.join(path, "logs"))


def remove(path):
    """Removes a state directory, and what make() made around it."""
    real = os.path.realpath(path)
    shutil.rmtree(real)
    if os.path.islink(path):
        os.unlink(path)
    try:
        os.rmdir(ROOTS_OWN_PLACE)
    except OSError:
        pass  # not there, not ours, or in use by another source tree
