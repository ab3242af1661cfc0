#!/usr/bin/env python3
"""Holds every #include against the rooms' one-way arrows: which room may know which other, and which library."""

import re

from lib import CORE_ROOMS, HTTPD_ROOMS, ROOT, Check, blank, line_of

# Room: the rooms whose headers it may include, besides its own.
MAY = {
    "base": (),
    "agents": ("base",),
    "event": ("base",),
    "spool": ("base",),
    "status": ("base", "spool", "count"),
    "route": ("base", "event"),
    "rules": ("base", "event"),
    "settings": ("base", "agents", "event", "rules", "count"),
    "accesslog": ("base", "event"),
    "count": ("base", "agents", "event"),
    "store": ("base", "count"),
    "resolve": ("base", "event", "store"),
    "clowder": ("base", "store"),
    "drain": ("base", "event", "spool", "count", "status", "store", "resolve"),
    "import": ("base", "event", "rules", "accesslog", "count", "spool", "drain", "store", "resolve"),
    "report": ("base", "route", "store", "count"),
    "config": ("base", "report", "agents", "rules", "count", "route", "store", "event"),
    "authz": ("base", "config", "store", "clowder"),
    "capture": ("base", "event", "spool", "status", "rules", "config"),
    "serve": CORE_ROOMS + HTTPD_ROOMS,
    "supervise": ("base", "agents", "config", "drain", "rules", "settings", "spool", "status", "store"),
    "mod_metrics.c": HTTPD_ROOMS,
    "include": (),
    "tools": CORE_ROOMS,
}
KNOW_HTTPD = HTTPD_ROOMS + ("mod_metrics.c", "include")
KNOW_MONGOC = ("store",)
KNOW_XLSX = ("report",)
KNOW_BSON = ("agents", "event", "settings", "drain", "store", "tools")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
OF_HTTPD = re.compile(r"^(httpd|http_\w+|ap_\w+|util_\w+|mod_\w+|unixd|mpm_common|scoreboard)\.h$")
OF_APR = re.compile(r"^apr(_\w+|u)?\.h$")


def room_of(path):
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "src" else parts[0]


def judge(path, quoted, header):
    """Why this file may not include this header, or None."""
    room = room_of(path)
    if header.startswith("mongoc"):
        return None if room in KNOW_MONGOC else f"{room} may not include {header}: only store talks to MongoDB"
    if header.startswith("bson"):
        return None if room in KNOW_BSON else f"{room} may not include {header}: only {', '.join(KNOW_BSON)} may"
    if header.startswith("xlsxwriter"):
        return None if room in KNOW_XLSX else f"{room} may not include {header}: only report may"
    if OF_HTTPD.match(header):
        return None if room in KNOW_HTTPD else f"{room} may not include {header}: it is a room without httpd"
    if not quoted or OF_APR.match(header) or (room == "tools" and (path.parent / header).is_file()):
        return None
    other = header.split("/")[0]
    if "/" not in header or not (ROOT / "src" / header).is_file():
        return f"{header} is no header of a room (write \"room/name.h\")"
    if other != room and other not in MAY[room]:
        return f"{room} may not include {header}: it may know {', '.join(MAY[room]) or 'no other room'}"
    return None


def main():
    check = Check("rooms")
    for path in check.inputs("mod_metrics.c", "include/*.h", "src/*/*.[ch]", "tools/*.[ch]"):
        room = room_of(path)
        if room not in MAY:
            check.wrong(path, 1, f"{room} is no room: give it a place in tests/check/rooms.py")
            continue
        text = blank(path.read_text(encoding="utf-8"))
        for match in INCLUDE.finditer(text):
            problem = judge(path, match.group(1) == '"', match.group(2))
            if problem:
                check.wrong(path, line_of(text, match.start()), problem)
    for room in MAY:
        if not any((ROOT / place / room).exists() for place in ("", "src")):
            check.wrong(ROOT / "tests/check/rooms.py", 1, f"there is no room {room}")
    check.end()


if __name__ == "__main__":
    main()
