#!/usr/bin/env python3
"""The module shows httpd one symbol, and stays loaded: libmongoc cannot be started twice in a process."""

import subprocess

from lib import BUILD, Check

SYMBOL = "metrics_module"


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    check = Check("exports")
    module = BUILD / "mod_metrics.so"
    if not module.is_file():
        check.wrong(module, 1, "is missing: make")
        check.end()
    symbols = [line.split()[-1] for line in output_of("nm", "-D", "--defined-only", str(module)).splitlines()]
    for symbol in symbols:
        if symbol != SYMBOL:
            check.wrong(module, 1, f"exports {symbol}, which is nobody's business")
    if SYMBOL not in symbols:
        check.wrong(module, 1, f"does not export {SYMBOL}")
    flags = [line for line in output_of("readelf", "-dW", str(module)).splitlines() if "FLAGS_1" in line]
    if not any("NODELETE" in line for line in flags):
        check.wrong(module, 1, "lacks DF_1_NODELETE: link it with -Wl,-z,nodelete")
    check.end()


if __name__ == "__main__":
    main()
