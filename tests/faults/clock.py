"""A clock that steps: a small library (clock.c), preloaded into httpd, adds to the time of day what a file says."""

import os
import struct
import subprocess
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / os.environ.get("BUILD", "build")


@lru_cache(maxsize=None)
def library():
    target = BUILD / "faults" / "clock.so"
    source = HERE / "clock.c"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_suffix(f".{os.getpid()}")
        compiler = os.environ.get("CC", "gcc")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", fresh, source, "-ldl"], check=True)
        fresh.replace(target)
    return target


class Clock:
    def __init__(self, path):
        self._path = Path(path)
        self.step(0)
        self._path.chmod(0o644)
        self.environ = {"LD_PRELOAD": str(library()), "MM_CLOCK": str(path)}

    def step(self, seconds):
        """How far the clock is before the real one, from now on. In place: the file is mapped."""
        with open(self._path, "r+b" if self._path.exists() else "wb") as file:
            file.write(struct.pack("<q", seconds))
