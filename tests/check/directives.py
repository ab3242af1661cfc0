#!/usr/bin/env python3
"""Every directive of the source stands in conf/metrics.conf and in README.md's table, and nothing else does."""

import re

from lib import Check, blank, line_of

CONF, README = "conf/metrics.conf", "README.md"
ENTRY = re.compile(r'\bAP_INIT_\w+\s*\(\s*(?:"([^"]*)")?')
MENTION = re.compile(r"\bMetrics[A-Z]\w*")
CONF_LINE = re.compile(r"^[ \t]*#?[ \t]*<?(Metrics[A-Z]\w*)\b", re.MULTILINE)
TABLE_CELL = re.compile(r"^\|.*$", re.MULTILINE)
IN_CELL = re.compile(r"`<?(Metrics[A-Z]\w*)\b")


def directives_of_source(check):
    """{name: (path, line)}"""
    found = {}
    for path in check.inputs("src/config/*.c"):
        text = blank(path.read_text(encoding="utf-8"))
        for match in ENTRY.finditer(text):
            line = line_of(text, match.start())
            name = (match.group(1) or "").lstrip("<")
            if not MENTION.fullmatch(name):
                check.wrong(path, line, f"the name of a directive is a literal that begins with Metrics, not {name!r}")
            found.setdefault(name, (path, line))
    if not found:
        check.wrong("src/config", 1, "no AP_INIT_… entry found")
    return found


def main():
    check = Check("directives")
    source = directives_of_source(check)
    conf, readme = check.read(CONF), check.read(README)
    in_conf = set(CONF_LINE.findall(conf))
    in_table = {name for row in TABLE_CELL.findall(readme) for name in IN_CELL.findall(row)}
    for name, (path, line) in source.items():
        if name not in in_conf:
            check.wrong(path, line, f"{name} is missing in {CONF}")
        if name not in in_table:
            check.wrong(path, line, f"{name} is missing in the table of directives of {README}")
    for path, text in ((CONF, conf), (README, readme)):
        for match in MENTION.finditer(text):
            if match.group(0) not in source:
                check.wrong(path, line_of(text, match.start()), f"{match.group(0)} is no directive")
    check.end()


if __name__ == "__main__":
    main()
