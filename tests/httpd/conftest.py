"""Fixtures: one database for the session (for each process of pytest -n), apache2 for a file or for a test, and a look at every error log after it.

`httpd_of_file` and `httpd` make an Httpd (see environment/httpd.py) with a fresh database name; the first lives as long
as the tests of its file, the second as long as its test.
"""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]

from mm_database import Database  # noqa: E402

from environment import Counts, Httpd  # noqa: E402
from environment.counts import Markers  # noqa: E402
from environment.httpd import MPM, SINGLE  # noqa: E402

_names = itertools.count(1)
_alive = []


def uri_of(base, name):
    """The URI of a server with the name of a database in it."""
    head, _, query = base.partition("?")
    scheme, _, rest = head.partition("://")
    hosts = rest.partition("/")[0]
    return f"{scheme}://{hosts}/{name}" + (f"?{query}" if query else "")


def pytest_configure(config):
    config.addinivalue_line("markers", "parent: is about httpd's parent, its children or reload; httpd -X has none of it")
    config.addinivalue_line("markers", "sample: names the kinds of httpd itself, for a run with the usual one")
    config.addinivalue_line("markers", "threads: needs an MPM with threads, as mod_http2 does")


def pytest_collection_modifyitems(config, items):
    """What does not apply to the whole run's kind of httpd is no test of it."""
    marks = (("parent", SINGLE), ("threads", MPM == "prefork"), ("sample", SINGLE or MPM != "event"))
    unfit = {name for name, is_unfit in marks if is_unfit}
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unfit)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


RACES_MAX = 3  # of some hundred stops


@pytest.fixture(scope="session", autouse=True)
def races_are_rare():
    """A race of the MPM at a stop is no reason to fail; the same at every stop would be a crash of ours."""
    yield
    assert Httpd.races_at_stop[RACES_MAX:] == []


@pytest.fixture(scope="session")
def database():
    with Database(orphan=False) as server:
        yield server


class _Makers:
    """Makes what a test asks for, and unmakes it."""

    def __init__(self, database):
        self._database, self._made = database, []

    def make(self, conf="", markers=True, mongo_uri=None, **options):
        name = f"mm_test_{os.getpid()}_{next(_names)}"
        httpd = Httpd(conf + (Markers.CONF if markers else ""), mongo_uri=mongo_uri or uri_of(self._database.uri, name),
                      **options)
        _alive.append(httpd)
        self._made.append(httpd)
        httpd.counts = Counts(self._database.uri, name)
        httpd.markers = Markers(httpd, httpd.counts) if markers else None
        return httpd

    def unmake(self):
        surprises = []
        try:
            for httpd in self._made:
                httpd.stop()
            for httpd in self._made:
                surprises += httpd.take_surprises()
        finally:
            for httpd in self._made:
                _alive.remove(httpd)
                httpd.counts.client.drop_database(httpd.counts.db.name)
                httpd.counts.close()
                httpd.remove()
        assert surprises == [], "surprises in the error log at the end"


@pytest.fixture(scope="module")
def httpd_of_file(database):
    makers = _Makers(database)
    yield makers.make
    makers.unmake()


@pytest.fixture
def httpd(database):
    makers = _Makers(database)
    yield makers.make
    makers.unmake()


def built_outside(place, source):
    """A module built as its author would: apxs, and a directory with the source and the one header. Returns its .so."""
    shutil.copy(source, place)
    shutil.copy(ROOT / "include/mod_metrics.h", place)
    program = next(name for name in ("apxs", "apxs2") if shutil.which(name))
    result = subprocess.run([program, "-c", "-Wc,-Wall", "-Wc,-Wextra", "-Wc,-Werror", source.name],
                            cwd=place, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return place / ".libs" / source.with_suffix(".so").name


@pytest.fixture(scope="session")
def example_module(tmp_path_factory):
    """Providers that do what providers may do, and what they must not."""
    source = Path(__file__).parent / "providers/mod_example_authz.c"
    return f"example_authz_module {built_outside(tmp_path_factory.mktemp('providers'), source)}"


@pytest.fixture(scope="session")
def example_of_a_provider(tmp_path_factory):
    """The one that authors are to begin from."""
    source = ROOT / "examples/mod_metrics_authz_example.c"
    return built_outside(tmp_path_factory.mktemp("example"), source)


@pytest.fixture(autouse=True)
def error_logs():
    """No test may leave a warning, an error or a crash in a log that it has not announced."""
    yield
    surprises = [line for httpd in _alive for line in httpd.take_surprises()]
    assert surprises == [], "surprises in the error log"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The end of each error log, with a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for httpd in _alive:
            report.sections.append((f"{httpd.directory}/error.log", "\n".join(httpd.log_text().splitlines()[-40:])))
            report.sections.append((f"{httpd.directory}/stderr", httpd.stderr_text()[-4000:]))
