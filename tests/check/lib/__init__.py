"""What the checks of this directory share: finding sources, reading C without its comments, and one way to report."""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("BUILD", "build")

CORE_ROOMS = ("base", "agents", "event", "spool", "rules", "settings", "accesslog", "count", "status", "drain", "import", "store", "resolve", "clowder", "route", "report")
HTTPD_ROOMS = ("config", "capture", "authz", "serve", "supervise")

_C_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(text, strings=False):
    """C source without its comments (and, if asked, its string literals); every line keeps its number."""

    def replace(match):
        token = match.group(0)
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return '""' if strings and token[0] == '"' else token

    return _C_TOKEN.sub(replace, text)


class Check:
    """Collects violations and ends the script: prints `check NAME: ok`, or each violation, and sets the exit code."""

    def __init__(self, name):
        self.name = name
        self.violations = []

    def wrong(self, path, line, text):
        try:
            path = Path(path).relative_to(ROOT)
        except ValueError:
            pass
        self.violations.append(f"{path}:{line}: {text}")

    def inputs(self, *patterns):
        """The files that match the patterns, relative to the root. Finding none is a violation, never a skip."""
        found = sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
        if not found:
            self.violations.append(f"{', '.join(patterns)}: nothing to check")
        return found

    def read(self, path):
        path = ROOT / path
        if not path.is_file():
            self.wrong(path, 1, "is missing")
            return ""
        return path.read_text(encoding="utf-8")

    def end(self):
        for violation in self.violations:
            print(violation)
        if self.violations:
            print(f"check {self.name}: {len(self.violations)} wrong")
            sys.exit(1)
        print(f"check {self.name}: ok")
        sys.exit(0)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def function_body(text, name):
    """(body, line) of the function defined under this name in comment-free C, or None."""
    for match in re.finditer(r"\b" + re.escape(name) + r"\s*\(", text):
        depth, position = 1, match.end()
        while depth and position < len(text):
            depth += {"(": 1, ")": -1}.get(text[position], 0)
            position += 1
        opening = re.compile(r"\s*\{").match(text, position)
        if not opening:
            continue
        depth, position = 1, opening.end()
        while depth and position < len(text):
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
        return text[opening.end():position], line_of(text, match.start())
    return None
