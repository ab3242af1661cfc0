#!/usr/bin/env python3
"""Every field of a directory's settings is both created and merged: a forgotten one would silently not be inherited."""

import re

from lib import Check, blank, function_body, line_of

HEADER = "src/config/config.h"
STRUCT = re.compile(r"\bstruct\s+mm_dir_config\s*\{(.*?)\}", re.DOTALL)
FIELD = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*(?=[;,])")
FUNCTIONS = ("mm_dir_config_create", "mm_dir_config_merge")


def main():
    check = Check("dir_settings")
    header = blank(check.read(HEADER))
    struct = STRUCT.search(header)
    fields = [(m.group(1), line_of(header, struct.start(1) + m.start())) for m in FIELD.finditer(struct.group(1))] \
        if struct else []
    if not fields:
        check.wrong(HEADER, 1, "no field of struct mm_dir_config found")
    sources = [(path, blank(path.read_text(encoding="utf-8"))) for path in check.inputs("src/config/*.c")]
    for function in FUNCTIONS:
        found = [(path, body) for path, text in sources for body in [function_body(text, function)] if body]
        if len(found) != 1:
            check.wrong("src/config", 1, f"{function} is defined {len(found)} times, expected once")
            continue
        path, (body, line) = found[0]
        for field, field_line in fields:
            if not re.search(r"\b" + field + r"\b", body):
                check.wrong(path, line, f"{function} does not mention {field} ({HEADER}:{field_line})")
    check.end()


if __name__ == "__main__":
    main()
