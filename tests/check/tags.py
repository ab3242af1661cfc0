#!/usr/bin/env python3
"""Every tag of a log message (MM and four digits) stands at one place of the source and in docs/log-messages.md."""

import re

from lib import Check, blank, line_of

DOC = "docs/log-messages.md"
TAG = re.compile(r"\bMM\d{4}\b")
ALMOST = re.compile(r"\bMM\d+\b")


def main():
    check = Check("tags")
    first = {}
    for path in check.inputs("mod_metrics.c", "src/*/*.[ch]", "tools/*.[ch]"):
        text = blank(path.read_text(encoding="utf-8"))
        for match in ALMOST.finditer(text):
            tag, line = match.group(0), line_of(text, match.start())
            if not TAG.fullmatch(tag):
                check.wrong(path, line, f"{tag} is no tag: MM and four digits")
            elif tag in first:
                check.wrong(path, line, f"{tag} is already used at {first[tag][0].name}:{first[tag][1]}")
            else:
                first[tag] = (path, line)
    if not first:
        check.wrong("src", 1, "no tag found")
    doc = check.read(DOC)
    documented = {}
    for match in ALMOST.finditer(doc):
        documented.setdefault(match.group(0), line_of(doc, match.start()))
    for tag, (path, line) in first.items():
        if tag not in documented:
            check.wrong(path, line, f"{tag} is missing in {DOC}")
    for tag, line in documented.items():
        if tag not in first:
            check.wrong(DOC, line, f"{tag} is used nowhere")
    check.end()


if __name__ == "__main__":
    main()
