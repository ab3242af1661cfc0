"""Reports in LibreOffice Calc (headless): `make test-spreadsheets` runs this. A short form is test_spreadsheets.py."""

import csv
import datetime
import io
import re
import shutil
import subprocess
import zipfile

import openpyxl
import pytest

from environment.httpd import BUILD
from test_reports import AWKWARD, CONF, TYPES
from test_spreadsheets import GUARDED, NAMES, body, fill

# Comma, quotes, UTF-8, from the first line on, columns as they seem, language; numbers in quotes stay text, dates are
# found, and so on: what the dialog of a double click proposes. The last but two says whether formulas are formulas.
CSV_FILTER = "CSV:44,34,76,1,,1033,false,true,false,false,false,0,{formulas}"


@pytest.fixture(scope="module")
def site(httpd_of_file):
    started = httpd_of_file(CONF, types=TYPES, markers=False, environ={"TZ": "Asia/Kolkata"}).start()
    started.counts.wait_for_indexes()
    fill(started)
    return started


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """convert(bytes, ending, to): what LibreOffice makes of a file. Its settings are this test's own."""
    assert shutil.which("soffice"), "LibreOffice is missing: make test-spreadsheets installs it"
    home = tmp_path_factory.mktemp("office")

    def convert(data, ending, to, infilter=None):
        source = home / f"report.{ending}"
        source.write_bytes(data)
        (home / "out").mkdir(exist_ok=True)
        subprocess.run(["soffice", f"-env:UserInstallation=file://{home}/profile", "--headless", "--convert-to", to,
                        *([f"--infilter={infilter}"] if infilter else []), "--outdir", str(home / "out"), str(source)],
                       check=True, capture_output=True, timeout=300)
        return (home / "out" / f"report.{to}").read_bytes()
    return convert


def sheet_of(data, name=None):
    book = openpyxl.load_workbook(io.BytesIO(data))
    return book[name] if name else book.worksheets[0]


def lines(value):
    """A cell's text, with LibreOffice's only way to end a line."""
    return re.sub(r"(\r|_x000D_)\n?", "\n", value) if isinstance(value, str) else value


def column(sheet, number):
    return [row[number] for row in sheet.iter_rows(min_row=2)]


def test_no_cell_of_csv_runs(site, office):
    """Also where the reader asks for formulas to be run. raw=1 shows that this test would see it."""
    for formulas in ("false", "true"):
        sheet = sheet_of(office(body(site, "/metrics/datasets.csv"), "csv", "xlsx", CSV_FILTER.format(formulas=formulas)))
        assert not [cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        names = [lines(str(cell.value)) for cell in column(sheet, 1)]
        assert [name for name in names if name.startswith("'")] == ["'quoted'", *map(lines, GUARDED),
                                                                    "'+cmd|' /C calc'!A0", "'-1+1"]
    raw = sheet_of(office(body(site, "/metrics/datasets.csv?raw=1"), "csv", "xlsx", CSV_FILTER.format(formulas="true")))
    assert "=1+1" in [cell.value for cell in column(raw, 1) if cell.data_type == "f"]


def test_no_cell_of_csv_runs_where_lines_are_split_at_semicolons(site, office):
    """As a double click does in much of Europe, where our quotes and commas are letters."""
    split = CSV_FILTER.format(formulas="true").replace("44", "59", 1)
    for raw in (0, 1):
        sheet = sheet_of(office(body(site, f"/metrics/datasets.csv?parents=none&raw={raw}"), "csv", "xlsx", split))
        run = {cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"}
        assert {"=1+1"} <= run if raw else not run


def test_csv_has_numbers_and_times(site, office):
    data = body(site, "/metrics/datasets.csv")
    sheet = sheet_of(office(data, "csv", "xlsx", CSV_FILTER.format(formulas="false")))
    table = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert [cell.value for cell in sheet[1]] == table[0]
    assert [cell.value for cell in column(sheet, 2)] == [int(row[2]) for row in table[1:]]
    assert {cell.value for cell in column(sheet, 4)} == {datetime.datetime(2026, 1, 31, 12)}
    for number in (0, 6, 7, 8):
        assert [cell.value or "" for cell in column(sheet, number)] == [row[number] for row in table[1:]]
    plain = AWKWARD[:2] + ["Bücher", "数据集"]
    assert [cell.value for cell in column(sheet, 1) if cell.value in plain] == plain


def test_the_spreadsheet_opens(site, office):
    """Text stays text, numbers are numbers, the filter and the charts are there."""
    data = body(site, "/metrics/datasets.xlsx")
    ours, theirs = sheet_of(data, "Data"), sheet_of(office(data, "xlsx", "xlsx"), "Data")
    assert not [cell.value for row in theirs.iter_rows() for cell in row if cell.data_type == "f"]
    assert [[lines(cell.value) for cell in row] for row in theirs.iter_rows()] == [
        [lines(cell.value) for cell in row] for row in ours.iter_rows()]
    assert theirs.auto_filter.ref == ours.auto_filter.ref
    charts = charts_of(office(data, "xlsx", "ods"))
    assert charts == {"bar": ["Charts.B2:Charts.B21", "Charts.C2:Charts.C21"], "circle": ["Charts.D2:Charts.D22"]}


def test_children_are_a_pie(site, office):
    charts = charts_of(office(body(site, "/metrics/collections/c2/datasets?format=xlsx"), "xlsx", "ods"))
    n = len([n for n in range(len(NAMES)) if n % 3 == 2])
    assert charts["circle"] == [f"Charts.D2:Charts.D{n + 1}"]


def charts_of(ods):
    """{kind: where the values are} of the charts in a file of LibreOffice."""
    archive, charts = zipfile.ZipFile(io.BytesIO(ods)), {}
    for name in archive.namelist():
        if re.fullmatch(r"Object \d+/content.xml", name):
            text = archive.read(name).decode()
            kind = re.search(r'<chart:chart [^>]*chart:class="chart:(\w+)"', text).group(1)
            charts[kind] = re.findall(r'chart:values-cell-range-address="([^"]+)"', text)
    return charts


def test_more_rows_than_a_sheet_holds(office, tmp_path):
    data = subprocess.run([BUILD / "write_report", "xlsx", "2500", "1000", tmp_path], check=True, capture_output=True)
    book = openpyxl.load_workbook(io.BytesIO(office(data.stdout, "xlsx", "xlsx")))
    assert book.sheetnames == ["Data", "Data 2", "Data 3", "Charts", "About"]
    assert [book[name].auto_filter.ref for name in book.sheetnames[:3]] == ["A1:I1001", "A1:I1001", "A1:I501"]
    views = [cell.value for name in book.sheetnames[:3] for cell in column(book[name], 2)]
    assert views == list(range(2500, 0, -1))
    assert len({tuple(cell.value for cell in book[name][1]) for name in book.sheetnames[:3]}) == 1
