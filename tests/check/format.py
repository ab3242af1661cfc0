#!/usr/bin/env python3
"""The C sources are formatted as .clang-format says."""

import re
import shutil
import subprocess

from lib import ROOT, Check

COMPLAINT = re.compile(r"^(.*?):(\d+):\d+: (?:error|warning): (.*)$", re.MULTILINE)


def main():
    check = Check("format")
    check.read(".clang-format")
    files = check.inputs("mod_metrics.c", "include/*.h", "src/*/*.[ch]", "tools/*.[ch]", "tests/unit/*.[ch]",
                         "tests/fuzz/*.[ch]", "tests/httpd/*/*.[ch]")
    if not shutil.which("clang-format"):
        check.wrong(".clang-format", 1, "clang-format is not installed")
        check.end()
    result = subprocess.run(["clang-format", "--dry-run", "--Werror", *map(str, files)], cwd=ROOT, capture_output=True,
                            text=True)
    complaints = COMPLAINT.findall(result.stderr)
    for path, line, text in complaints:
        check.wrong(path, line, f"{text} (make format)")
    if result.returncode and not complaints:
        check.wrong(".clang-format", 1, result.stderr.strip() or f"clang-format ended with {result.returncode}")
    check.end()


if __name__ == "__main__":
    main()
