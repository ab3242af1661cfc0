"""What the benches share: a site's files and its conf, wrk, and which processors they have."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# Pages of 10 to 60 KB, some of them a directory's index, and downloads of 100 KB to 1 MB: small for research data. All of
# them match a rule. `pages` is the hardest case, a site of which nobody downloads anything; `site` has a download behind
# every third page.
DATASETS, COLLECTIONS, FILES = 150, 10, 40
TYPES = """
<MetricsType datasets>
    MetricsView "^/datasets/([^/]+)$"
    MetricsDownload "^/api/datasets/([^/]+)/download$"
</MetricsType>
<MetricsType collections>
    MetricsView "^/collections/([^/]+)/$"
</MetricsType>
<MetricsType files>
    MetricsView "^/files/([^/]+)$"
    MetricsDownload "^/api/files/([^/]+)/blob$"
</MetricsType>
"""
RECORDING = """
MetricsMongoURI "${MONGO_URI}"
MetricsSpool "${SPOOL}"
MetricsDoubleClick 0
"""
COMMON = """
DocumentRoot "%s"
DirectoryIndex index.html
LogLevel warn
MaxKeepAliveRequests 0
# Each child can hold all connections: one that runs out of threads closes those that are kept alive.
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 256
MaxSpareThreads 256
StartServers 2
"""
# As the README recommends it.
CAPTURE = """
MetricsCapture On
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz none
</Location>
"""
# Each wrk thread goes round the same list, from a place of its own.
SCRIPT = """
local paths, requests, at = %s, {}, 0
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end
function init()
    wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    wrk.headers["Accept-Language"] = "en-GB,en;q=0.5"
    for i, path in ipairs(paths) do
        requests[i] = wrk.format("GET", path)
    end
    at = number * 37
end
function request()
    at = at %% #requests + 1
    return requests[at]
end
function done(summary, latency)
    local e = summary.errors
    io.write(string.format('{"requests":%%d,"microseconds":%%d,"errors":%%d,"p99":%%d}\\n', summary.requests,
        summary.duration, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
"""


@dataclass
class Answers:
    """What one run of wrk saw."""

    requests: int
    per_second: float
    p99_us: int  # 99th percentile of the time to the end of an answer


def make_files(docroot):
    """Writes the files and returns {workload: paths}."""
    pages, downloads = [], []

    def write(path, size):
        target = docroot / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((f"<p>{path}</p>\n".encode() * size)[:size])

    def size_of(number):
        return 10_000 + number * 7919 % 50_000

    for n in range(DATASETS):
        write(f"/datasets/ds{n}", size_of(n))
        pages.append(f"/datasets/ds{n}")
    for n in range(COLLECTIONS):
        write(f"/collections/c{n}/index.html", size_of(n))
        pages += [f"/collections/c{n}/"] * 3
    for n in range(FILES):
        write(f"/files/f{n}", size_of(n))
        write(f"/api/files/f{n}/blob", 100_000 + n * 79_193 % 900_000)
        pages.append(f"/files/f{n}")
        downloads.append(f"/api/files/f{n}/blob")
    times = len(pages) // 3 // len(downloads) + 1
    site = pages + (downloads * times)[:len(pages) // 3]
    return {"pages": sorted(pages, key=hash_of), "site": sorted(site, key=hash_of)}


def hash_of(text):
    """Mixes the list, the same way every time."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value, text


def write_script(path, paths):
    """A script for wrk that asks for these, over and over."""
    path.write_text(SCRIPT % ("{" + ",".join(f'"{each}"' for each in paths) + "}"))
    return path


def uri(database, name):
    head, _, query = database.uri.partition("?")
    scheme, _, rest = head.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{name}" + (f"?{query}" if query else "")


def processor_time_us(httpd):
    """Of all its processes and their threads, the drainer included. One that ended (as some do at a start, before they
    did anything) is left out."""
    return sum(time_of(pid) for pid in (httpd.pid, *httpd.family())) / 1000


def time_of(pid):
    sum_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            sum_ns += int((task / "schedstat").read_text().split()[0])
    return sum_ns


@contextmanager
def on(processors):
    """What is started inside runs on these processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processors():
    """Those of httpd, and those of wrk."""
    all_of_them = sorted(os.sched_getaffinity(0))
    return (set(all_of_them[-1:]), set(all_of_them[:-1])) if all_of_them[1:] else (set(all_of_them),) * 2


def start_wrk(httpd, script, seconds, connections, threads, patience=2):
    """patience: seconds after which it takes a request for failed."""
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{patience}s", "-s", str(script),
               f"http://127.0.0.1:{httpd.port}"]
    with on(processors()[1]):
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def answers_of(wrk, httpd):
    """What it saw, once it has ended. Ends the program when a request failed."""
    output, _ = wrk.communicate()
    if wrk.returncode:
        sys.exit(f"wrk failed\n{output}")
    summary = json.loads(output.splitlines()[-1])
    if summary["errors"]:
        sys.exit(f"{summary['errors']} requests failed\n{output}\n{httpd.log_text()}")
    return Answers(summary["requests"], summary["requests"] / (summary["microseconds"] / 1e6), summary["p99"])


def ask(httpd, script, seconds, connections=32, threads=1):
    """Lets wrk ask for so long. Ends the program when a request fails."""
    return answers_of(start_wrk(httpd, script, seconds, connections, threads), httpd)
