"""Reports as spreadsheets, read back with openpyxl."""

import io
import os
import socket
import subprocess
import zipfile
from datetime import datetime

import openpyxl
import pytest

from environment import wait_for
from environment.h2client import H2Client
from test_reports import (AWKWARD, CONF, DOWNLOADED, FORMULAS, PARENTS, TOTALS, TYPES, VIEWED, known, total, used)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SMALL = '\nMetricsReportTemp "${DIR}/reports" max=1M\n'


def make(factory, **options):
    site = factory(CONF, types=TYPES + SMALL, markers=False, environ={"TZ": "Asia/Kolkata"}, **options)
    reports = site.directory / "reports"
    reports.mkdir(mode=0o777)
    reports.chmod(0o777)
    site.start()
    site.counts.wait_for_indexes()
    return site


@pytest.fixture(scope="module")
def server(httpd_of_file):
    return make(httpd_of_file)


@pytest.fixture
def site(server):
    server.counts.empty()
    yield server
    assert list((server.directory / "reports").iterdir()) == []


def workbook(site, path):
    answer = site.get(path)
    assert (answer.status, answer["Content-Type"]) == (200, XLSX), answer.text
    return openpyxl.load_workbook(io.BytesIO(answer.body))


def values(sheet):
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_header_fields_and_head(site):
    for path, headers in (("/metrics/datasets.xlsx", {}), ("/metrics/datasets?format=xlsx", {}),
                          ("/metrics/datasets", {"Accept": XLSX})):
        got, head = site.get(path, headers=headers), site.head(path, headers=headers)
        assert (got.status, got["Content-Type"]) == (200, XLSX)
        assert got["Content-Disposition"].startswith("attachment; filename=") and ".xlsx" in got["Content-Disposition"]
        assert (head.status, head["Content-Type"], head.body) == (200, XLSX, b"")
        assert zipfile.is_zipfile(io.BytesIO(got.body))


def test_cells_have_kinds(site):
    used(site, "datasets", total("d1", 3, 2, last_viewed=VIEWED, last_downloaded=DOWNLOADED), total("42", 1),
         total("old", 0, 1, last_downloaded=datetime(1850, 1, 2)))
    known(site, "datasets", {"_id": "d1", "name": "One", "collections": ["c2", "c1"]})
    sheet = workbook(site, "/metrics/datasets.xlsx")["Data"]
    assert values(sheet) == [
        TOTALS + PARENTS,
        ["d1", "One", 3, 2, datetime(2026, 1, 31, 12), datetime(1999, 12, 31, 23, 59, 59),
         "collections; collections", "c1; c2", "; "],
        ["42", None, 1, 0, None, None, None, None, None],
        ["old", None, 0, 1, None, "1850-01-02 00:00:00", None, None, None]]
    assert sheet["E2"].is_date and sheet["E2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert sheet["A3"].data_type != "n"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:I4")
    assert sheet["A1"].font.bold
    assert (sheet.print_title_rows, sheet.page_setup.orientation) == ("$1:$1", "landscape")


def test_nothing_is_a_formula(site):
    used(site, "datasets", *(total(text, 100 - n) for n, text in enumerate(FORMULAS)))
    sheet = workbook(site, "/metrics/datasets.xlsx?parents=none")["Data"]
    assert all(cell.data_type not in "f" for row in sheet.iter_rows() for cell in row)
    # As they are, without the apostrophe that CSV needs. XML makes a line feed of a carriage return.
    assert [row[0].replace("_x000D_", "\r") for row in values(sheet)[1:]] == FORMULAS


def test_awkward_texts(site):
    texts = AWKWARD + ["a\x01b", "\ufffe", "_x0041_"]
    used(site, "datasets", *(total(text, 100 - n) for n, text in enumerate(texts)), total(b"caf\xe9", 1))
    found = [row[0] for row in values(workbook(site, "/metrics/datasets.xlsx?parents=none")["Data"])[1:]]
    expected = [text.replace("\r\n", "\n") for text in AWKWARD] + ["a_x0001_b", "%EF%BF%BE", "_x0041_", "caf%E9"]
    assert [text.replace("_x000D_\n", "\n").replace("_x005F_", "_") for text in found] == expected


def test_charts_and_about(site):
    used(site, "datasets", *(total(f"d{n:02}", 100 - n, 1) for n in range(30)))
    known(site, "datasets", {"_id": "d00", "name": "The first"})
    book = workbook(site, "/metrics/datasets.xlsx?offset=0&limit=29")
    assert book.sheetnames == ["Data", "Charts", "About"]
    table = values(book["Charts"])
    assert table[0][1:4] == ["views", "downloads", "together"]
    assert table[1][:4] == ["The first", 100, 1, 101] and table[20][:4] == ["d19", 81, 1, 82]
    assert table[21][:4] == ["(all others)", sum(range(72, 81)), 9, sum(range(72, 81)) + 9]
    assert [type(chart).__name__ for chart in book["Charts"]._charts] == ["BarChart", "PieChart"]
    about = {row[0]: row[1] for row in values(book["About"]) if row[0]}
    assert (about["Rows"], about["limit"], about["offset"]) == ("29", "29", "0")
    assert about["Made"].endswith(" UTC") and "Until before" not in about
    assert "docs/counting.md" in str(values(book["About"]))


def test_no_rows(site):
    book = workbook(site, "/metrics?format=xlsx")
    assert (book.sheetnames, values(book["Data"])) == (["Data", "About"], [["resource_type"] + TOTALS + PARENTS])


def test_too_large(site):
    used(site, "datasets", *(total(f"{n:05}" + "x" * 900, n + 1) for n in range(1500)))
    answer = site.get("/metrics/datasets.xlsx")
    assert (answer.status, answer["Content-Disposition"], answer["Accept-Ranges"]) == (400, None, None)
    assert "limit=" in answer.text
    assert len(values(workbook(site, "/metrics/datasets.xlsx?limit=500")["Data"])) == 501


LEAVING = """
LoadModule %s
Protocols h2c http/1.1
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz example ada
</Location>
"""


@pytest.fixture(scope="module")
def leaving(httpd_of_file, example_module):
    """Four batches of datasets, none of which may be seen."""
    site = httpd_of_file(LEAVING % example_module, types=TYPES, markers=False, modules=["http2"])
    site.allow_log("AH10034")  # of prefork, which does not like HTTP/2
    site.start()
    site.counts.wait_for_indexes()
    used(site, "datasets", *(total(f"secret-{n}", n + 1) for n in range(1501)))
    site.counts.db.metrics_days.insert_many(
        [{"type": "datasets", "resource": f"secret-{n}", "day": datetime(2026, 1, 31), "views": 1} for n in range(1501)])
    return site


def leaves_http1(site, path, _):
    with socket.create_connection(("127.0.0.1", site.port)) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Requester: ada\r\n\r\n".encode())


def leaves_http2(site, path, log):
    visitor = H2Client(site.port)
    visitor.send("GET", path, headers=[("x-requester", "ada")])
    wait_for(lambda: "example open" in log(), what="the report has begun")
    visitor.vanish()


@pytest.mark.parametrize("path, leave", [
    ("/metrics/datasets.xlsx", leaves_http1), ("/metrics/datasets.xlsx", leaves_http2),
    ("/metrics/datasets.csv", leaves_http1), ("/metrics/datasets/days.csv", leaves_http1)])
def test_whoever_leaves_is_not_waited_for(leaving, path, leave):
    """Where nothing can be sent: of a spreadsheet before its end, of a report of which nothing may be seen."""
    for _ in range(5):  # a visitor may be slower than the report
        before = len(leaving.log_text())
        leave(leaving, path, lambda: leaving.log_text()[before:])
        wait_for(lambda: "example close" in leaving.log_text()[before:], what="the report is over")
        log = leaving.log_text()[before:]
        if "MM0602" in log and log.count("see type=datasets") < 4:
            break
    else:
        pytest.fail("nobody noticed")


def unavailable(answer):
    assert (answer.status, answer["Content-Disposition"]) == (503, None)
    assert int(answer["Retry-After"]) > 0


def test_no_directory(site):
    reports = site.directory / "reports"
    reports.rename(site.directory / "elsewhere")
    site.expect_log("MM0601")
    unavailable(site.get("/metrics/datasets.xlsx"))
    (site.directory / "elsewhere").rename(reports)


def test_no_room(httpd):
    """The directory is on a file system of 2 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; tests/unit/test_writer_xlsx.c has another way")
    site = httpd(CONF, types=TYPES + SMALL.replace("max=1M", ""), markers=False)
    reports = site.directory / "reports"
    reports.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=1777", "tmpfs", reports], check=True)
    try:
        site.start()
        site.counts.wait_for_indexes()
        used(site, "datasets", *(total(f"{n:05}" + "x" * 900, n + 1) for n in range(2500)))
        site.expect_log("MM0601")
        answer = site.get("/metrics/datasets.xlsx", headers={"Accept": "application/json"})
        assert (answer.status, answer["Content-Type"]) == (503, "application/problem+json")
        assert "CSV" in answer.json["detail"] and int(answer["Retry-After"]) > 0
        assert os.listdir(reports) == []
        assert len(values(workbook(site, "/metrics/datasets.xlsx?limit=50")["Data"])) == 51
    finally:
        site.stop()
        subprocess.run(["umount", reports], check=True)
