"""The files that are installed for an Include: httpd takes them as they are, and they count as they say."""

import subprocess

import pytest

from environment import wait_for
from environment.httpd import ROOT
from environment.waiting import wait_equal

INCLUDE = "Include {root}/conf/{name}.conf\n"


def include(name, *defines):
    return "".join(f"Define {define}\n" for define in defines) + INCLUDE.format(root=ROOT, name=name)


VARIANTS = {
    "clowder": include("clowder"),
    "clowder below a path": include("clowder", "CLOWDER_CONTEXT /clowder/"),
    "clowder with everything": include("clowder", "CLOWDER_CONTEXT /c/", "CLOWDER_COOKIE sid", "CLOWDER_SPACES",
                                       "CLOWDER_COMMKEY_FILE /etc/hostname"),
    "files": include("files"),
    "files below a path": include("files", "FILES_PATH /data/"),
    "both": include("clowder", "CLOWDER_CONTEXT /clowder/") + include("files", "FILES_PATH /data/"),
}


@pytest.mark.parametrize("conf", VARIANTS.values(), ids=VARIANTS.keys())
def test_httpd_takes_them(httpd, conf):
    site = httpd(conf, types="", markers=False, mongo_uri="mongodb://127.0.0.1:9/x")
    status, said = site.check()
    assert status == 0, said
    assert "MM0" not in said


LISTED = '<Directory "${DOCROOT}">\nOptions Indexes\n</Directory>\n'


@pytest.mark.parametrize("path", ["/", "/data/"])
def test_files(httpd, path):
    site = httpd(include("files", f"FILES_PATH {path}") + LISTED, types="", modules=("autoindex", "dir"), markers=False)
    inside = path.strip("/")
    for name in ("a", "b.csv", "2026/c.csv", "2026/x", "last"):
        site.file(f"{inside}/{name}" if inside else name, "0123456789")
    site.start()
    for name in ("a", "b.csv", "2026/c.csv", "2026/c.csv", "2026/", "2026/missing", ""):
        site.get(path + name)
    site.get(path + "2026")  # redirected to the listing, which is another request
    site.get(path + "b.csv", headers={"Range": "bytes=5-"})
    assert site.get("/metrics").status == 404  # nobody has set it up, and it is no file either
    site.get(path + "last")
    wait_for(lambda: "last" in site.counts.of("files"), what="what came last is counted")
    assert site.counts.of("files") == {"a": (0, 1), "b.csv": (0, 1), "2026/c.csv": (0, 2), "last": (0, 1)}
    wait_equal(lambda: site.counts.of("folders"), {"2026": (1, 0)})


def test_make_install_brings_them(tmp_path):
    subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}"], cwd=ROOT, check=True, capture_output=True, timeout=300)
    for name in ("clowder", "files"):
        installed = tmp_path / "usr/local/share/mod_metrics" / f"{name}.conf"
        assert installed.read_bytes() == (ROOT / "conf" / f"{name}.conf").read_bytes()
