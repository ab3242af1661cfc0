#!/usr/bin/env python3
"""Every error of our own has a number of its own: whoever compares with one must not meet another."""

import re

from lib import Check, blank, line_of

DEFINED = re.compile(r"#define\s+(\w+)\s+\(APR_OS_START_USERERR \+ (\d+)\)")


def main():
    check = Check("errors")
    first = {}
    for path in check.inputs("src/*/*.h"):
        text = blank(path.read_text(encoding="utf-8"))
        for match in DEFINED.finditer(text):
            name, number = match.groups()
            if number in first:
                check.wrong(path, line_of(text, match.start()), f"{name} has the number of {first[number]}")
            first[number] = name
    if not first:
        check.wrong("src", 1, "no error found")
    check.end()


if __name__ == "__main__":
    main()
