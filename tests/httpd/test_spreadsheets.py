"""Reports as people's programs read them: pandas and Python's csv, which must agree, and the same bytes twice.

With LibreOffice itself: tests/httpd/libreoffice.py, which `make test-spreadsheets` runs."""

import csv
import io
import zipfile

import pandas
import pytest

from test_reports import AWKWARD, CONF, DOWNLOADED, FORMULAS, TYPES, VIEWED, known, total, used

GUARDED = ["'" + name for name in FORMULAS]
NAMES = AWKWARD + FORMULAS + ["+cmd|' /C calc'!A0", "-1+1", "007", "1e5", "2026-01-31", "TRUE", "NA",
                            "x;=1+1;y", "x\n+2;y", 'x;"-3;']
TIMES = ["last_viewed", "last_downloaded"]


def fill(site):
    """A name of each kind; as many views as names behind it; parents, some of them two."""
    used(site, "datasets", *(total(f"d{n:02}", 100 - n, n % 3, last_viewed=VIEWED,
                                   **({"last_downloaded": DOWNLOADED} if n % 3 else {})) for n in range(len(NAMES))))
    known(site, "datasets", *({"_id": f"d{n:02}", "name": name, "collections": ["c1", "c2"][:n % 3]}
                              for n, name in enumerate(NAMES)))
    known(site, "collections", {"_id": "c1", "name": "Maps"}, {"_id": "c2", "name": "=Sums"})


@pytest.fixture(scope="module")
def site(httpd_of_file):
    started = httpd_of_file(CONF, types=TYPES, markers=False, environ={"TZ": "Asia/Kolkata"}).start()
    started.counts.wait_for_indexes()
    fill(started)
    return started


def body(site, path):
    answer = site.get(path)
    assert answer.status == 200, answer.text
    return answer.body


def test_pandas_and_csv_read_the_same(site):
    data = body(site, "/metrics/datasets.csv?raw=1")
    table = list(csv.reader(io.StringIO(data.decode(), newline="")))
    frame = pandas.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    assert [list(frame.columns), *frame.values.tolist()] == table
    assert frame["resource_name"].tolist() == NAMES


def test_pandas_finds_numbers_and_times(site):
    frame = pandas.read_csv(io.BytesIO(body(site, "/metrics/datasets.csv")), parse_dates=TIMES)
    assert [str(frame[name].dtype) for name in ("views", "downloads", *TIMES)] == ["int64", "int64", *["datetime64[ns]"] * 2]
    assert frame["last_viewed"].unique().tolist() == [pandas.Timestamp("2026-01-31 12:00:00")]
    assert frame["last_downloaded"].isna().tolist() == [n % 3 == 0 for n in range(len(NAMES))]
    assert frame.groupby("parent_id")["views"].sum().to_dict() == {
        "c1": sum(100 - n for n in range(1, len(NAMES), 3)), "c1; c2": sum(100 - n for n in range(2, len(NAMES), 3))}


def test_the_spreadsheet_says_what_csv_says(site):
    frame = pandas.read_csv(io.BytesIO(body(site, "/metrics/datasets.csv?raw=1")), parse_dates=TIMES, na_values=[""],
                            keep_default_na=False, dtype={"resource_name": str})
    sheet = pandas.read_excel(io.BytesIO(body(site, "/metrics/datasets.xlsx")), sheet_name="Data", na_values=[""],
                              keep_default_na=False)
    # XML has no carriage return; openpyxl shows its escape.
    frame["resource_name"] = frame["resource_name"].str.replace("\r\n", "\n")
    sheet["resource_name"] = sheet["resource_name"].str.replace("_x000D_\n", "\n").str.replace("_x000D_", "\r")
    pandas.testing.assert_frame_equal(frame, sheet, check_dtype=False)


@pytest.mark.parametrize("path", ["datasets.csv", "datasets.csv?bom=1&parents=rows", "datasets.tsv", "datasets.ndjson"])
def test_two_runs_give_the_same_bytes(site, path):
    assert body(site, f"/metrics/{path}") == body(site, f"/metrics/{path}")


def test_two_spreadsheets_differ_in_their_time_only(site):
    first, second = (zipfile.ZipFile(io.BytesIO(body(site, "/metrics/datasets.xlsx"))) for _ in range(2))
    assert first.namelist() == second.namelist()
    # About (sheet3), which says when it was made, and the properties, which do, too.
    differing = {name for name in first.namelist() if first.read(name) != second.read(name)}
    assert differing <= {"docProps/core.xml", "xl/worksheets/sheet3.xml"}
