#!/usr/bin/env python3
"""What nobody should write here: unsafe calls, endless files, paths of one's own machine, a core .c without a test."""

import os
import re

from lib import CORE_ROOMS, ROOT, Check, blank, line_of

CALLS = re.compile(r"\b(sprintf|strcpy|strcat|atoi|strtok|gets|alloca|apr_sleep)\s*\(")
LINES_MAX = 800
# Directories where people's own files are; in pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:" + "|".join(("root", "home", "work", "Users")) + r")/[\w.]")
NOT_OURS = {".git", "build", "__pycache__", ".pytest_cache", "seeds"}


def every_text(check):
    """(path, text) of all the project's own text files."""
    count = 0
    for directory, below, names in os.walk(ROOT):
        below[:] = sorted(name for name in below if name not in NOT_OURS)
        for name in sorted(set(names) - NOT_OURS):
            path = ROOT / directory / name
            if path.is_symlink():
                continue
            data = path.read_bytes()
            if b"\0" in data:
                continue
            count += 1
            yield path, data.decode("utf-8", errors="replace")
    if not count:
        check.wrong(ROOT, 1, "nothing to check")


def main():
    check = Check("banned")
    for path in check.inputs("mod_metrics.c", "include/*.h", "src/*/*.[ch]", "tools/*.[ch]", "examples/*.c", "tests/*/*.[ch]",
                             "tests/*/*/*.[ch]"):
        text = blank(path.read_text(encoding="utf-8"), strings=True)
        for match in CALLS.finditer(text):
            check.wrong(path, line_of(text, match.start()), f"{match.group(1)} is banned")
    for path, text in every_text(check):
        lines = text.count("\n")
        if lines > LINES_MAX:
            check.wrong(path, LINES_MAX + 1, f"{lines} lines, more than {LINES_MAX}: split it")
        for match in MACHINE_PATH.finditer(text):
            check.wrong(path, line_of(text, match.start()), f"a path of one machine: {match.group(0)}…")
    for path in check.inputs(*(f"src/{room}/*.c" for room in CORE_ROOMS)):
        if not (ROOT / f"tests/unit/test_{path.name}").is_file():
            check.wrong(path, 1, f"has no tests/unit/test_{path.name}")
    check.end()


if __name__ == "__main__":
    main()
