"""conf/clowder.conf in front of something that answers as Clowder does: what counts, for whom, and that no secret stays."""

import hashlib
import json
import os
import subprocess
from urllib.parse import quote

import pytest

from environment import clowder, wait_for
from environment.clowder import (ADA, COLLECTION, COMMKEY, COOKIE_ADA, COOKIE_EXPIRED, COOKIE_IDLE, COOKIE_WRONG, DATASET,
                                 DEAD_LINK, FILE_A, FILE_B, FILE_C, FOLDER, KEY_ADA, KEY_EXTRACTOR, KEY_WRONG, LINK,
                                 PRIVATE, SECRETS, SPACE, UNKNOWN)
from environment.httpd import BUILD, ROOT, SETTINGS

CONF = """
Define CLOWDER_CONTEXT {context}
Define CLOWDER_COMMKEY_FILE "${{DIR}}/commkey"
{defines}
Include {root}/conf/clowder.conf
<Location "/metrics">
    SetHandler metrics
    MetricsAuthz expr "true"
</Location>
ProxyPass /metrics !
ProxyPass /markers !
ProxyPass {context} http://127.0.0.1:{port}{context} nocanon
ProxyPassReverse {context} http://127.0.0.1:{port}{context}
AllowEncodedSlashes NoDecode
"""


def serve(make, backend, context, defines="", settings=SETTINGS, modules=()):
    httpd = make(CONF.format(context=context, port=backend.port, root=ROOT, defines=defines),
                 modules=("proxy", "proxy_http", *modules), types="", settings=settings)
    (httpd.directory / "commkey").write_text(COMMKEY + "\n")
    return httpd


@pytest.fixture(scope="module", params=["/", "/clowder/"])
def server(request, httpd_of_file):
    backend = clowder.Clowder(request.param)
    httpd = serve(httpd_of_file, backend, request.param).start()
    httpd.context, httpd.clowder = request.param, backend
    httpd.counts.wait_for_indexes()
    clowder.fill(httpd.counts.db)
    yield httpd
    httpd.stop()
    backend.close()


def settle(site):
    """A marker may be in the database a moment before what was resolved for the same batch; then the next one is not."""
    site.markers.settle()
    site.markers.settle()


@pytest.fixture
def site(server):
    settle(server)
    server.counts.forget()
    return server


def counted(site):
    """What is counted, once it is: {type: {id: (views, downloads)}}."""
    settle(site)
    found = {type_: site.counts.of(type_) for type_ in ("datasets", "collections", "files")}
    return {type_: of_type for type_, of_type in found.items() if of_type}


def visit(site, path, status=200, **options):
    answer = site.get(site.context + path, **options)
    assert answer.status == status, path
    return answer


VIEW, DOWNLOAD = (1, 0), (0, 1)
LIST = ",".join((FILE_A, FILE_B, FILE_A, UNKNOWN, "junk"))

# The table of routes: path, status, what it counts.
ROUTES = {
    "1 file page": (f"files/{FILE_A}", 200, {"files": {FILE_A: VIEW}}),
    "1 with parameters": (f"files/{FILE_A}?dataset={DATASET}&space={SPACE}", 200, {"files": {FILE_A: VIEW}}),
    "2 dataset page": (f"datasets/{DATASET}", 200, {"datasets": {DATASET: VIEW}}),
    "3 collection page": (f"collection/{COLLECTION}", 200, {"collections": {COLLECTION: VIEW}}),
    "4 space page": (f"spaces/{SPACE}", 200, {}),
    "5 file blob": (f"files/{FILE_A}/blob", 200, {"files": {FILE_A: DOWNLOAD}}),
    "6 file as a format": (f"files/{FILE_A}/download/pdf", 200, {"files": {FILE_A: DOWNLOAD}}),
    "7 share link": (f"files/links/{LINK}", 200, {"files": {FILE_A: DOWNLOAD}}),
    "7 share link that is gone": (f"files/links/{DEAD_LINK}", 404, {}),
    "7 share link nobody knows of": (f"files/links/{FILE_A}", 200, {}),
    "8 api blob": (f"api/files/{FILE_A}/blob", 200, {"files": {FILE_A: DOWNLOAD}}),
    "8 api blob, tracked": (f"api/files/{FILE_A}/blob?tracking=true", 200, {"files": {FILE_A: DOWNLOAD}}),
    "8 api blob, untracked": (f"api/files/{FILE_A}/blob?tracking=false", 200, {}),
    "9 api file": (f"api/files/{FILE_A}", 200, {"files": {FILE_A: DOWNLOAD}}),
    "9 api file, untracked": (f"api/files/{FILE_A}?key={KEY_ADA}&tracking=0", 200, {}),
    "10 dataset download": (f"api/datasets/{DATASET}/download", 200, {"datasets": {DATASET: DOWNLOAD}}),
    "10 with parameters": (f"api/datasets/{DATASET}/download?bagit=true&compression=-1", 200,
                           {"datasets": {DATASET: DOWNLOAD}}),
    "10 untracked": (f"api/datasets/{DATASET}/download?tracking=false", 200, {}),
    "11 partial": (f"api/datasets/{DATASET}/downloadPartial?fileList={LIST}", 200,
                   {"files": {FILE_A: DOWNLOAD, FILE_B: DOWNLOAD}}),
    "11 partial, encoded, in either case": (
        f"api/datasets/{DATASET}/downloadPartial?x=1&fileList={quote(LIST.upper(), safe='')}", 200,
        {"files": {FILE_A: DOWNLOAD, FILE_B: DOWNLOAD}}),
    "11 partial of nothing": (f"api/datasets/{DATASET}/downloadPartial?fileList=", 200, {}),
    "12 folder": (f"api/datasets/{DATASET}/downloadFolder?folderId={FOLDER}", 200,
                  {"files": {FILE_B: DOWNLOAD, FILE_C: DOWNLOAD}}),
    "12 folder nobody knows of": (f"api/datasets/{DATASET}/downloadFolder?folderId={UNKNOWN}", 200, {}),
    "an id in upper case": (f"datasets/{DATASET.upper()}", 200, {"datasets": {DATASET: VIEW}}),
    "a folder's id in upper case": (f"api/datasets/{DATASET}/downloadFolder?folderId={FOLDER.upper()}", 200,
                                    {"files": {FILE_B: DOWNLOAD, FILE_C: DOWNLOAD}}),
    "a link's id in upper case": (f"files/links/{LINK.upper()}", 200, {"files": {FILE_A: DOWNLOAD}}),
    "a slash at the end": (f"datasets/{DATASET}/", 301, {}),
    "a page that is not there": (f"datasets/{UNKNOWN}", 400, {}),
    "a file that is not there": (f"api/files/{UNKNOWN}", 404, {}),
    "a page for others": (f"datasets/{PRIVATE}", 303, {}),
    "an api for others": (f"api/datasets/{PRIVATE}/download", 401, {}),
    "no id": ("datasets/5ab00000000000000000000", 404, {}),
    "collection zip": (f"api/collections/{COLLECTION}/download", 200, {}),
    "dataset metadata": (f"api/datasets/{DATASET}", 200, {}),
    "file metadata": (f"api/files/{FILE_A}/metadata", 200, {}),
    "preview": (f"api/previews/{FILE_A}", 200, {}),
    "thumbnail": (f"fileThumbnail/{FILE_A}/blob", 200, {}),
}


@pytest.mark.parametrize("path, status, expected", ROUTES.values(), ids=ROUTES.keys())
def test_routes(site, path, status, expected):
    visit(site, path, status)
    assert counted(site) == expected


def recorded(site):
    return site.get("/metrics/status").json["events_recorded"]["request"]


def test_a_long_list_is_few_events(site):
    """What a visitor can write into 8 KB must not become a megabyte in the spool."""
    ids = [FILE_A, *(f"{n:024x}" for n in range(1, 290)), FILE_B]
    before = recorded(site)
    visit(site, f"api/datasets/{DATASET}/downloadPartial?fileList={','.join(ids)}")
    assert wait_for(lambda: recorded(site) - before) <= 8
    assert counted(site) == {"files": {FILE_A: DOWNLOAD, FILE_B: DOWNLOAD}}


def test_only_get_counts(site):
    assert site.head(f"{site.context}datasets/{DATASET}").status == 404
    assert site.post(f"{site.context}datasets/{DATASET}").status == 200
    assert site.post(f"{site.context}datasets/{DATASET}/updatedFilesAndFolders").status == 200
    assert counted(site) == {}


def test_answers_in_gzip_and_chunks_count(site):
    answer = visit(site, f"files/{FILE_A}/blob", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert counted(site) == {"files": {FILE_A: DOWNLOAD}}
    assert site.clowder.versions == {"HTTP/1.1"}


RANGES = {"bytes=0-": True, "bytes=0-99": True, "bytes=5000-": False, "bytes=1-5": False}


@pytest.mark.parametrize("span, counts", RANGES.items(), ids=RANGES.keys())
def test_only_the_first_part_counts(site, span, counts):
    visit(site, f"files/{FILE_A}/blob", 206, headers={"Range": span})
    assert counted(site) == ({"files": {FILE_A: DOWNLOAD}} if counts else {})


def test_http_1_0_visitors_are_served(site):
    """The proxy speaks 1.1 to Clowder whatever the visitor speaks."""
    answer = site.raw(f"GET {site.context}files/{FILE_A}/blob HTTP/1.0\r\n\r\n".encode())
    assert b" 200 " in answer.splitlines()[0]
    assert counted(site) == {"files": {FILE_A: DOWNLOAD}}


def test_a_path_beside_the_context_counts_nothing(site):
    if site.context != "/":
        assert site.get(f"/datasets/{DATASET}").status == 404
        assert site.get(f"/other{site.context}datasets/{DATASET}").status == 404
    assert counted(site) == {}


# --- who it was ---

def cookie(value):
    return {"Cookie": f"lang=en; id={value}; other=x"}


PAGE, API = f"datasets/{DATASET}", f"api/files/{FILE_A}"

# headers, path; the user, and whether it is an extractor.
VISITORS = {
    "nobody": ({}, PAGE, None, False),
    "a session": (cookie(COOKIE_ADA), PAGE, ADA, False),
    "a session at the api": (cookie(COOKIE_ADA), API, ADA, False),
    "a session that was idle": (cookie(COOKIE_IDLE), PAGE, None, False),
    "a session that has expired": (cookie(COOKIE_EXPIRED), PAGE, None, False),
    "a session that never was": (cookie(COOKIE_WRONG), PAGE, None, False),
    "a key in the header": ({"X-API-Key": KEY_ADA}, API, ADA, False),
    "a key in the query": ({}, f"{API}?key={KEY_ADA}", ADA, False),
    "the second key in the query": ({}, f"{API}?key={KEY_WRONG}&key={KEY_ADA}", ADA, False),
    "a key that is none": ({}, f"{API}?key={KEY_WRONG}", None, False),
    "a key for a page": ({"X-API-Key": KEY_ADA}, f"{PAGE}?key={KEY_ADA}", None, False),
    "a key for a file's page": ({}, f"files/{FILE_A}/blob?key={KEY_ADA}", None, False),
    "an expired session and a key": ({**cookie(COOKIE_EXPIRED), "X-API-Key": KEY_ADA}, API, ADA, False),
    "an extractor's key": ({}, f"{API}?key={KEY_EXTRACTOR}", ADA, True),
    "an extractor's key in the header": ({"X-API-Key": KEY_EXTRACTOR}, API, ADA, True),
    "the commKey": ({}, f"{API}?key={COMMKEY}", None, True),
    "the commKey in the header": ({"X-API-Key": COMMKEY}, API, None, False),
    "a session before the commKey": (cookie(COOKIE_ADA), f"{API}?key={COMMKEY}", ADA, False),
    "a share link": (cookie(COOKIE_ADA), f"files/links/{LINK}", None, False),
    "a password": ({"Authorization": "Basic YWRhQGV4YW1wbGUub3JnOng="}, API, None, False),
}


@pytest.mark.parametrize("headers, path, user, is_extractor", VISITORS.values(), ids=VISITORS.keys())
def test_visitors(site, headers, path, user, is_extractor):
    visit(site, path, headers={"User-Agent": "Mozilla/5.0", **headers})
    settle(site)
    assert {key[2] for key in site.counts.users()} == ({user} if user else set())
    machine = sum(sum(of[2:4]) for type_ in ("files", "datasets") for of in site.counts.all_of(type_).values())
    total = sum(sum(of[:2]) for type_ in ("files", "datasets") for of in site.counts.all_of(type_).values())
    assert (total, machine) == (1, 1 if is_extractor else 0)


def test_who_has_just_signed_in_is_known(site):
    visit(site, PAGE, headers=cookie(COOKIE_ADA))
    settle(site)
    new = hashlib.sha512(site.context.encode()).hexdigest() * 2
    clowder.sign_in(site.counts.db, new, "bob")
    visit(site, PAGE, headers=cookie(new))
    settle(site)
    assert {key[2] for key in site.counts.users()} == {ADA, clowder.BOB}


def test_the_report_has_names_and_parents(site):
    visit(site, f"files/{FILE_B}/blob")
    visit(site, PAGE)
    counted(site)
    assert site.get("/metrics/files").rows[1][:2] + site.get("/metrics/files").rows[1][-3:] == \
        [FILE_B, "b.csv", "datasets", DATASET, "Soil"]
    assert site.get("/metrics/datasets").rows[1][-3:] == ["collections", COLLECTION, "Soils"]


def test_spaces_where_they_are_wanted(httpd):
    backend = clowder.Clowder("/")
    site = serve(httpd, backend, "/", "Define CLOWDER_SPACES").start()
    site.context = "/"
    site.counts.wait_for_indexes()
    clowder.fill(site.counts.db)
    visit(site, f"spaces/{SPACE}")
    visit(site, PAGE)
    settle(site)
    assert site.counts.of("spaces") == {SPACE: VIEW}
    assert site.get("/metrics/spaces").rows[1][:2] == [SPACE, "Space"]
    assert site.get("/metrics/datasets?parents=rows").rows[2][-3:] == ["spaces", SPACE, "Space"]
    assert site.get("/metrics/datasets?parents=none&columns=parent_collections,parent_spaces").rows[1][-1] == "Space"
    backend.close()


def test_nothing_secret_is_written(httpd):
    """Not into the spool, where nobody empties it, not into the database and not into the log."""
    backend = clowder.Clowder("/")
    site = serve(httpd, backend, "/", "LogLevel metrics:trace8", SETTINGS + "MetricsDrainer Off\n").start()
    site.context = "/"
    for headers, path, _, _ in VISITORS.values():
        visit(site, path, headers=headers)
    spooled = b"".join(path.read_bytes() for path in site.spool.iterdir())
    assert hashlib.sha256(COOKIE_ADA.encode()).hexdigest().encode() in spooled
    assert hashlib.sha256(KEY_ADA.encode()).hexdigest().encode() in spooled
    assert not [secret for secret in SECRETS if secret.encode() in spooled]
    assert hashlib.sha256(COMMKEY.encode()).hexdigest().encode() not in spooled.replace(
        hashlib.sha256(COMMKEY.encode()).hexdigest().encode(), b"", 1)  # once: as a key that is none, in the header
    clowder.fill(site.counts.db)
    site.settings = SETTINGS
    site.restart()
    wait_for(lambda: site.counts.of("files"), what="what was spooled is counted")
    settle(site)
    stored = repr([list(site.counts.db[name].find()) for name in site.counts.db.list_collection_names()
                   if name.startswith("metrics_")])
    for text in (stored, site.log_text(), (site.spool / "settings.json").read_text()):
        assert not [secret for secret in SECRETS if secret in text]
        assert not [secret for secret in SECRETS if hashlib.sha256(secret.encode()).hexdigest() in text]
    backend.close()


def test_an_access_log_counts_the_same(httpd):
    """As nobody's visits: a log knows no session."""
    backend = clowder.Clowder("/")
    log_format = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{Range}i"'
    log = 'CustomLog "${DIR}/access.log" "' + log_format.replace('"', '\\"') + '"'
    site = serve(httpd, backend, "/", log, modules=("log_config",)).start()
    site.context = "/"
    site.counts.wait_for_indexes()
    clowder.fill(site.counts.db)
    for path, status, _ in ROUTES.values():
        visit(site, path, status, headers={"User-Agent": "Mozilla/5.0"})
    live = counted(site)
    assert live["files"][FILE_A][1] > 5
    site.stop()
    catalogue = site.directory / "catalogue.uri"
    catalogue.write_text(site.mongo_uri)
    done = subprocess.run([BUILD / "metricsctl", "import", "--json", "--spool", site.spool, "--prefix", "again_",
                           "--overlap", "count", "--catalog-uri-file", catalogue, "--format", log_format,
                           site.directory / "access.log"],
                          env={**os.environ, "MONGODB_URI": site.mongo_uri}, check=True, capture_output=True, timeout=60)
    summary = json.loads(done.stdout)
    assert summary["left_out"]["key"] > 0
    again = {type_: {doc["_id"]: (doc["views"], doc["downloads"]) for doc in site.counts.db[f"again_{type_}"].find()}
             for type_ in live}
    assert again == live
    backend.close()


def test_without_clowders_collections_visits_count(httpd):
    backend = clowder.Clowder("/")
    site = serve(httpd, backend, "/").start()
    site.context = "/"
    site.expect_log("MM0215: .*social.users holds no users")
    visit(site, PAGE, headers=cookie(COOKIE_ADA))
    settle(site)
    assert site.counts.of("datasets") == {DATASET: VIEW}
    assert site.counts.users() == {}
    backend.close()
